import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { packMatches, packRecords } from '../../../src/collections/packed-matches.js'
import { DEFAULT_HNSW, type RecordWrite } from '../../../src/collections/record.js'
import type { Encoders } from '../../../src/encoder/encoders.js'
import { prepareRecords } from '../../../src/records/ingest.js'
import { JsonText } from '../../../src/json/json-text.js'

const record = (id: string, metadata: string | null) => ({
  id,
  metadata,
  text: null,
  modalities: [],
  image: null,
  createdAt: 1,
  updatedAt: 1,
  expiresAt: null
})

t.test('metadata and embeddings of matches lie in one piece of memory', async (t) => {
  const metadata = ['{"a":"é"}', null, '{"b":[1,2]}']
  const vectors = metadata.map((_, i) => ({ text: Float32Array.of(i, 0.5), image: Float32Array.of(-i) }))
  const found = metadata.map((text, i) => ({
    record: record(`r${i}`, text),
    modality: 'text' as const,
    score: i,
    embeddings: vectors[i]
  }))
  const { matches, memory } = packMatches(found)
  t.same(
    matches.map(({ embeddings }) => embeddings),
    vectors
  )
  t.same(
    matches.map(({ record: { metadata } }) => metadata && new JsonText(metadata).toString()),
    metadata
  )
  const parts = matches.flatMap(({ record, embeddings }) =>
    [record.metadata ?? [], ...Object.values(embeddings!)].flat()
  )
  t.equal(parts.length, 8)
  t.ok(parts.every(({ buffer }) => buffer === memory))
  const { records } = packRecords(found.map(({ record }) => record))
  t.same(
    records.map(({ metadata }) => metadata && new JsonText(metadata).parse()),
    [{ a: 'é' }, null, { b: [1, 2] }]
  )
})

t.test('metadata goes to the writer, and comes from the searcher, as text', async (t) => {
  const store = await openStore({ dataDir: t.testdir() })
  const { collections } = store
  t.teardown(() => store.close())
  const settings = {
    model: null,
    fingerprint: null,
    dimension: 2,
    hnsw: DEFAULT_HNSW,
    storage: 'none' as const
  }
  const { collection } = await collections.create('things', () => settings)
  const embeddings = { text: [1, 0] }
  const records = [
    { id: 'a', text: 'x', metadata: { n: 'é' }, embeddings },
    { id: 'b', text: 'y', embeddings }
  ]
  const encoders = { get: () => ({ encodeImages: () => [], encodeTexts: () => [] }) } as unknown as Encoders
  const prepared = await prepareRecords({ collection, encoders }, records, {})
  t.match(prepared, [
    { id: 'a', metadata: '{"n":"é"}' },
    { id: 'b', metadata: undefined }
  ])
  await collection.upsert(prepared as RecordWrite[])
  const listed = await collection.list({ limit: 10 })
  const { matches } = await collection.search(Float32Array.of(1, 0), { target: 'text', limit: 10 })
  for (const found of [listed, matches.map(({ record }) => record)]) {
    t.same(
      found.map(({ metadata }) => metadata && String(metadata)),
      ['{"n":"é"}', null]
    )
  }
  t.same((await collection.get('a'))?.metadata, { n: 'é' })
})
