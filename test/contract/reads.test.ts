import t from 'tap'
import { parseFilter } from '../../src/collections/filter.js'
import { selected } from '../../src/collections/selection.js'
import type { Store } from '../../src/collections/stores/store.js'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d], 0)
const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-5

/** Twenty records `r00` to `r19` that hold `n`, a list `tags` and, every other one, a text embedding. */
async function filled({ collections }: Store) {
  const { collection } = await collections.create('things', () => settings('things'))
  const vectors = Array.from({ length: 20 }, () => randomVector())
  await collection.upsert(
    vectors.map((vector, n) => ({
      id: `r${String(n).padStart(2, '0')}`,
      metadata: JSON.stringify({
        n,
        tags: [n % 2 === 0 ? 'even' : 'odd', 'all'],
        ...(n < 5 && { first: true })
      }),
      embeddings: { image: vector, ...(n % 2 === 0 && { text: vector }) }
    }))
  )
  return { collection, vectors }
}

testStores(
  t,
  'lists are in the order of ids, page by page, with a filter or without',
  async (t, { store }) => {
    const { collection } = await filled(store)
    await collection.upsert([
      { id: 'é', embeddings: { image: randomVector() } },
      { id: 'Z', embeddings: { image: randomVector() } }
    ])
    const ids = async (page: Parameters<typeof collection.list>[0]) =>
      (await collection.list(page)).map(({ id }) => id)
    t.same(await ids({ limit: 3 }), ['Z', 'r00', 'r01'], 'by their bytes')
    t.same(await ids({ limit: 3, after: 'r17' }), ['r18', 'r19', 'é'])
    t.same(await ids({ limit: 3, after: 'é' }), [])
    t.same(await ids({ limit: 2, after: 'r03', filter: parseFilter({ tags: 'even' }) }), ['r04', 'r06'])
    const [{ metadata }] = await collection.list({ limit: 1, after: 'Z' })
    t.same(metadata!.parse(), { n: 0, tags: ['even', 'all'], first: true })
  }
)

testStores(
  t,
  'a filter selects the same records for a list, a selection and a search',
  async (t, { store }) => {
    const { collection, vectors } = await filled(store)
    const filters: [Record<string, unknown>, number[]][] = [
      [{ n: 7 }, [7]],
      [{ n: { $in: [1, 2, 99] } }, [1, 2]],
      [{ n: { $gte: 17 } }, [17, 18, 19]],
      [{ tags: 'odd', n: { $lt: 4 } }, [1, 3]],
      [{ first: { $exists: true }, n: { $ne: 2 } }, [0, 1, 3, 4]],
      [{ $or: [{ n: 0 }, { $not: { n: { $lt: 19 } } }] }, [0, 19]],
      [{ n: '7' }, []]
    ]
    const wrong: unknown[] = []
    for (const [sent, numbers] of filters) {
      const filter = parseFilter(sent)
      const expected = numbers.map((n) => `r${String(n).padStart(2, '0')}`)
      const listed = (await collection.list({ limit: 99, filter })).map(({ id }) => id)
      const selection = [...selected(await collection.select(filter), 99)].flatMap(({ ids }) => ids)
      const { matches, explanation } = await collection.search(vectors[0], {
        target: 'image',
        limit: 99,
        filter
      })
      const found = matches.map(({ record }) => record.id)
      for (const ids of [listed, selection.sort(), found.sort()])
        if (JSON.stringify(ids) !== JSON.stringify(expected)) wrong.push({ sent, ids })
      if (explanation.passed !== numbers.length || explanation.total !== 20) wrong.push({ sent, explanation })
    }
    t.same(wrong, [])
  }
)

testStores(t, 'a search has the cosines, pages, thresholds and records left out', async (t, { store }) => {
  const { collection, vectors } = await filled(store)
  const query = randomVector()
  const expected = vectors
    .map((vector, n) => ({ id: `r${String(n).padStart(2, '0')}`, score: dot(query, vector) }))
    .sort((a, b) => b.score - a.score)
  const search = async (options: object) =>
    (await collection.search(query, { target: 'image', limit: 20, ...options })).matches
  const all = await search({})
  t.same(
    all.map(({ record }) => record.id),
    expected.map(({ id }) => id)
  )
  t.ok(all.every(({ score }, i) => isNear(score, expected[i].score)))
  const ids = async (options: object) => (await search(options)).map(({ record }) => record.id)
  t.same(
    await ids({ offset: 5, limit: 5 }),
    expected.slice(5, 10).map(({ id }) => id)
  )
  const middle = (expected[9].score + expected[10].score) / 2
  t.equal((await ids({ scoreThreshold: middle })).length, 10)
  t.same(
    await ids({ limit: 2, without: [expected[0].id, expected[1].id] }),
    expected.slice(2, 4).map(({ id }) => id)
  )
  t.equal((await ids({ target: 'text' })).length, 10)
  t.equal((await ids({ target: 'record' })).length, 20)
  const [{ embeddings }] = await search({ limit: 1, withEmbeddings: true })
  t.ok(isNear(dot(embeddings!.image!, query), expected[0].score))
})

testStores(
  t,
  'facets, scores, neighbors and embeddings are of the records there are',
  async (t, { store }) => {
    const { collection, vectors } = await filled(store)
    const { fields } = await collection.facets({ limit: 1, filter: parseFilter({ n: { $lt: 11 } }) })
    t.match(
      fields.find(({ field }) => field === 'tags'),
      { type: 'string', records: 11, distinct: 3, values: [{ value: 'all', records: 11 }] }
    )
    t.match(
      fields.find(({ field }) => field === 'n'),
      { type: 'number', records: 11, min: 0, max: 10 }
    )
    const query = randomVector()
    const scores = await collection.scores({ target: 'text', query, ids: ['r02', 'r03', 'nobody'] })
    t.ok(isNear(scores[0], dot(query, vectors[2])))
    t.same([...scores.subarray(1)], [NaN, NaN], 'one has no text, one is not there')
    const matrix = await collection.matrix({ target: 'image', sample: 99, neighbors: 1, fields: ['n'] })
    t.match(matrix, { k: 1, records: 20, ids: { length: 20 } })
    const numbers = matrix.values.n as number[]
    const wrong = numbers.filter((n, row) => {
      const best = Math.max(
        ...vectors.flatMap((vector, other) => (other === n ? [] : [dot(vector, vectors[n])]))
      )
      return !isNear(matrix.similarities[row], best)
    })
    t.same(wrong, [])
    const kept = await collection.embeddings('r02')
    t.same(Object.keys(kept).sort(), ['image', 'text'])
    t.ok(isNear(dot(kept.image!, vectors[2]), 1))
    t.same(await collection.embeddings('nobody'), {})
  }
)
