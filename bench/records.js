// Collections of records that bring their embeddings along.
import { setTimeout as sleep } from 'node:timers/promises'

/** Creates a collection without a model. */
export async function createCollection(url, name, dimension) {
  const response = await fetch(`${url}/v1/collections/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: null, dimension })
  })
  if (response.status !== 201)
    throw new Error(`The collection was answered ${response.status}: ${await response.text()}`)
}

/**
 * Loads records, by default with a random `part` of 0 to 1,000; resolves, with the seconds, when none waits
 * for its graph.
 */
export async function bulkLoad(
  { url },
  collection,
  { count, vectors, metadata = () => ({ part: vectors.random() * 1000 }) }
) {
  async function* lines() {
    for (let n = 0; n < count;) {
      let chunk = ''
      for (let i = 0; i < 200 && n < count; i++, n++)
        chunk +=
          JSON.stringify({ id: `v${n}`, metadata: metadata(n), embeddings: { image: vectors.next() } }) + '\n'
      yield Buffer.from(chunk)
    }
  }
  const startedAt = performance.now()
  const response = await fetch(`${url}/v1/collections/${collection}/records/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines(),
    duplex: 'half'
  })
  let [answers, rest] = [0, '']
  for await (const chunk of response.body) {
    const text = rest + Buffer.from(chunk).toString()
    answers += text.split('"created"').length - 1
    rest = text.slice(text.lastIndexOf('\n') + 1)
  }
  if (answers !== count) throw new Error(`${answers} of ${count} records were created.`)
  const pending = async () =>
    Number(/semblance_index_pending (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())[1])
  while ((await pending()) > 0) await sleep(100)
  return { seconds: (performance.now() - startedAt) / 1000 }
}
