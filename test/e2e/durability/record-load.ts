import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Test } from 'tap'
import type { Api } from '../../fixtures/server.js'
import { Acknowledged, type State } from './acknowledged.js'
import { answerTo, DIMENSION, recordOf, sample, storedIn, vectorOf, type Load } from './load.js'
import { uniform } from '../../fixtures/random.js'

const BATCH = 200
const BULK_LINES = 1000
const IDS_PER_WRITER = 3000
const SAMPLE = 150

const base = '/v1/collections/mixed'

/** Upserts, patches, deletions and bulk loads at random, by several writers over ids of their own. */
export function recordLoad(writers: string[]): Load {
  const seen = new Acknowledged()
  let version = 1

  /** One change; resolves to whether the service is still there. */
  async function change({ api, url }: { api: Api; url: string }, name: string): Promise<boolean> {
    const ids = [
      ...new Set(Array.from({ length: BATCH }, () => `${name}-${Math.floor(uniform() * IDS_PER_WRITER)}`))
    ]
    const next = version++
    const kind = uniform()
    if (kind < 0.1) return bulk(url, name, next)
    const isPatch = kind >= 0.8 && !seen.mayBeGone(ids[0])
    const outcome = new Map<string, State>(
      isPatch ? [[ids[0], next]] : ids.map((id) => [id, kind < 0.6 ? next : null])
    )
    const confirm = seen.attempt(outcome)
    const answer = isPatch
      ? await answerTo(
          api('PATCH', `${base}/records/${ids[0]}`, {
            metadata: { version: next },
            embeddings: { image: vectorOf(ids[0], next) }
          })
        )
      : await answerTo(
          kind < 0.6
            ? api('POST', `${base}/records`, { records: ids.map((id) => recordOf(id, next)) })
            : api('POST', `${base}/records/delete`, { ids })
        )
    if (answer) confirm()
    return answer !== undefined
  }

  /** A stream of lines, of which each is acknowledged by a line of its own. */
  async function bulk(url: string, name: string, next: number): Promise<boolean> {
    const ids = Array.from({ length: BULK_LINES }, (_, n) => `${name}-${n}`)
    const confirm = seen.attempt(new Map(ids.map((id) => [id, next])))
    let answered = 0
    try {
      const response = await fetch(`${url}${base}/records/bulk`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: ids.map((id) => JSON.stringify(recordOf(id, next)) + '\n').join('')
      })
      for await (const line of createInterface({
        input: Readable.fromWeb(response.body as ReadableStream)
      })) {
        const { id, status } = JSON.parse(line) as { id: string; status: string }
        if (status !== 'created' && status !== 'updated') throw new Error(line)
        confirm([id])
        answered++
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    return answered === ids.length
  }

  return {
    prepare: async (api) => void (await api('PUT', base, { model: null, dimension: DIMENSION })),
    run: async (service) => {
      const write = async (name: string) => {
        while (await change(service, name));
      }
      await Promise.all(writers.map(write))
    },
    check: (t, api) => check(t, api, seen),
    acknowledged: () => seen.count
  }
}

async function check(t: Test, api: Api, seen: Acknowledged): Promise<void> {
  const { body: collection } = await api('GET', base)
  t.equal(collection.images, collection.records, 'no record is without its embedding')
  const stored = await storedIn(api, base)
  t.equal(stored.size, collection.records)
  const { wrong, ghosts } = seen.settle(stored)
  t.same(wrong, [], `of ${seen.size} ids none is lost or stale`)
  t.same(ghosts, [], 'nothing is there that was never sent')

  const records = sample(stored, SAMPLE)
  let [found, shared] = [0, 0]
  for (const [id, version] of records) {
    const query = { query: { embedding: vectorOf(id, version) }, limit: 10 }
    const [approximate, exact] = await Promise.all([
      api('POST', `${base}/search`, query),
      api('POST', `${base}/search`, { ...query, exact: true })
    ])
    const best = new Set(exact.body.matches.map((match: { id: string }) => match.id))
    if (exact.body.matches[0]?.id === id && exact.body.matches[0].score > 0.9999) found++
    shared +=
      approximate.body.matches.filter((match: { id: string }) => best.has(match.id)).length / best.size
  }
  t.equal(found, records.length, `each of ${records.length} records is found by its own embedding`)
  const recall = records.length === 0 ? 1 : shared / records.length
  t.ok(recall >= 0.97, `recall@10 against exact search is ${recall.toFixed(4)}`)
}
