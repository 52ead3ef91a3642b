// How long another search waits beside one with a costly filter: 330 negated ranges, over single values and
// over lists of five.
// node bench/filter-cost.js [--records 1852,100000] [--searches 20]
//   The service must be built (npm run build).
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { bulkLoad, createCollection } from './records.js'
import { startService } from './service.js'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1852,100000' },
    searches: { type: 'string', default: '20' }
  }
})
const DIMENSION = 16
const CONDITIONS = 330

const service = await startService()
const vectors = clusteredVectors(DIMENSION)
const other = JSON.stringify({ query: { embedding: [...vectors.next()] }, limit: 10 })

/** A search whose filter no other one had: rows that were found are kept. */
const costly = (field, round) =>
  JSON.stringify({
    query: { embedding: [...vectors.next()] },
    filter: {
      $and: Array.from({ length: CONDITIONS }, (_, i) => ({
        [field]: { $not: { $gt: i + 1000 + round / 100 } }
      }))
    }
  })

async function search(name, body) {
  const startedAt = performance.now()
  const response = await fetch(`${service.url}/v1/collections/${name}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body
  })
  await response.arrayBuffer()
  return { status: response.status, ms: performance.now() - startedAt }
}

/** Searches without pause for as long as others do; the longest that one of them took, in milliseconds. */
async function longestBeside(name, work) {
  let [isOver, longest] = [false, 0]
  const done = work().finally(() => (isOver = true))
  while (!isOver) longest = Math.max(longest, (await search(name, other)).ms)
  return { longest, ...(await done) }
}

console.log(
  '| records | field | search with the filter, ms | longest of the others beside it, ms | alone, ms | ' +
    'answered |\n| ---: | --- | ---: | ---: | ---: | --- |'
)
for (const records of values.records.split(',').map(Number)) {
  const name = `n${records}`
  await createCollection(service.url, name, DIMENSION)
  const metadata = (n) => ({
    value: n % 1000,
    list: Array.from({ length: 5 }, (_, i) => (n * 7 + i * 200) % 1000)
  })
  await bulkLoad(service, name, { count: records, vectors, metadata })
  for (const field of ['value', 'list']) {
    let alone = 0
    for (let i = 0; i < 50; i++) alone = Math.max(alone, (await search(name, other)).ms)
    const { longest, ms, status } = await longestBeside(name, async () => {
      let [ms, status] = [0, 0]
      for (let round = 0; round < Number(values.searches); round++) {
        const answer = await search(name, costly(field, round))
        ;[ms, status] = [Math.max(ms, answer.ms), answer.status]
      }
      return { ms, status }
    })
    console.log(
      `| ${records} | ${field} | ${ms.toFixed(0)} | ${longest.toFixed(0)} | ${alone.toFixed(0)} | ${status} |`
    )
  }
}
await service.stop()
