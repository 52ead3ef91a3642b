// The service of a run: what it is set up with, and what of its answers later requests refer to.
import sharp from 'sharp'
import { makeInput } from './inputs.js'
import { KEYS } from './keys.js'
import { makeSeeds } from './seeds.js'
import { COLLECTIONS, MOST_PICTURES } from './shapes.js'

/** Settings of a service that a run is sent to. */
export const ENVIRONMENT = {
  DEMO: 'false',
  API_KEYS: Object.entries(KEYS)
    .map(([scope, key]) => `${scope}:${key}`)
    .join(','),
  REFUSALS_PER_MINUTE: '0',
  EMBEDDING_CACHE_MIB: '8',
  THUMBNAIL_CACHE_MIB: '8'
}

const COLOURS = ['red', 'green', 'blue', 'yellow', 'black', 'white', 'orange', 'purple']

/** Calls the service with the key of all scopes. */
export function caller(url) {
  return async (method, path, body) => {
    const isPlain = typeof body === 'object' && !(body instanceof FormData)
    const type = isPlain ? 'application/json' : typeof body === 'string' ? 'application/x-ndjson' : undefined
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${KEYS.admin}`, ...(type && { 'content-type': type }) },
        body: isPlain ? JSON.stringify(body) : body
      })
      const text = await response.text()
      return {
        status: response.status,
        text,
        body: response.headers.get('content-type')?.startsWith('application/json')
          ? JSON.parse(text)
          : undefined
      }
    } catch (error) {
      return { error }
    }
  }
}

/** Fills the collections of a run, and resolves to its world. */
export async function openWorld({ url, seed, heavyPerMille = 0 }) {
  const call = caller(url)
  const seeds = await makeSeeds(seed)
  const pools = { job: [], evaluation: [], cursor: [] }
  const renew = async () => {
    await call('PUT', '/v1/collections/plain', { model: null, dimension: 4 })
    for (const name of COLLECTIONS.scratch.slice(1)) await call('PUT', `/v1/collections/${name}`, {})
  }
  for (const name of [COLLECTIONS.known, COLLECTIONS.main]) await fill(call, name)
  await renew()
  return {
    call,
    renew,
    picture: async (number) =>
      number < MOST_PICTURES
        ? makeInput(seeds, { seed, number, heavyPerMille })
        : { kind: 'valid', bytes: seeds[number % seeds.length].bytes },
    resolve: (text) =>
      text.replace(
        /^#(job|evaluation|cursor):(\d+)$/,
        (_, kind, n) => pools[kind][n % pools[kind].length] ?? 'none'
      ),
    learn: (operation, body) => {
      const found = {
        reindexCollection: ['job', body?.id],
        startEvaluation: ['evaluation', body?.id],
        listRecords: ['cursor', body?.next_cursor]
      }[operation]
      if (found?.[1]) pools[found[0]][pools[found[0]].length % 10] = found[1]
      if (operation === 'startEvaluation' && body?.job_id) pools.job.push(body.job_id)
    },
    knownAnswers: () => knownAnswers(call)
  }
}

async function fill(call, name) {
  const { status, text } = await call('PUT', `/v1/collections/${name}`, {})
  if (status !== 201) throw new Error(text)
  const records = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const colour = COLOURS[n % COLOURS.length]
      const image = await sharp({ create: { width: 32 + n, height: 32, channels: 3, background: colour } })
        .png()
        .toBuffer()
      return {
        id: `r${n}`,
        text: `a ${colour} thing, number ${n}`,
        image: { base64: image.toString('base64') },
        metadata: {
          colour,
          size: n,
          tags: ['a'],
          at: `2024-02-${String(1 + (n % 28)).padStart(2, '0')}T00:00:00Z`,
          nested: { deep: n / 7 }
        }
      }
    })
  )
  const { status: stored, body } = await call('POST', `/v1/collections/${name}/records`, { records })
  if (stored !== 200 || body.results.some(({ status: each }) => each === 'failed'))
    throw new Error(JSON.stringify(body))
}

/** What the collection that no one writes to answers. */
async function knownAnswers(call) {
  const searches = [{ text: 'something red' }, { record: 'r3', modality: 'image' }].flatMap((query) =>
    ['image', 'text'].map((target) => ({ query, target, limit: 40, exact: true }))
  )
  const answers = []
  for (const search of searches)
    answers.push(
      (await call('POST', `/v1/collections/${COLLECTIONS.known}/search`, search)).body?.matches?.map(
        ({ id, score }) => `${id} ${score.toFixed(5)}`
      )
    )
  return answers
}
