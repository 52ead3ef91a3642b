import hnswlib from 'hnswlib-node'
import t from 'tap'
import { HnswGraph } from '../../../src/collections/hnsw-graph.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'

const { hnsw } = settings('any')

t.test('edges of hnswlib-node that the graph rounds', async (t) => {
  t.test('its ef is 10 by default: the graph sets it at every search', async (t) => {
    const raw = new hnswlib.HierarchicalNSW('ip', DIMENSION)
    raw.initIndex(10)
    t.equal(raw.getEf(), 10)
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    for (let label = 0; label < 400; label++) graph.add(label, randomVector())
    t.equal(new Set(graph.search(randomVector(), { k: 200, ef: 1 })).size, 200, 'ef is raised to k')
  })

  t.test('k above the count throws there: here it gives what there is', async (t) => {
    const raw = new hnswlib.HierarchicalNSW('ip', DIMENSION)
    raw.initIndex(2)
    raw.addPoint(Array.from(randomVector()), 0)
    t.throws(() => raw.searchKnn(Array.from(randomVector()), 3))
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    t.same(graph.search(randomVector(), { k: 5, ef: 10 }), [])
    graph.add(7, randomVector())
    t.same(graph.search(randomVector(), { k: 5, ef: 10 }), [7])
  })

  t.test('a full index throws there: here it grows', async (t) => {
    const raw = new hnswlib.HierarchicalNSW('ip', DIMENSION)
    raw.initIndex(1)
    raw.addPoint(Array.from(randomVector()), 0)
    t.throws(() => raw.addPoint(Array.from(randomVector()), 1))
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    for (let label = 0; label < 2500; label++) graph.add(label, randomVector())
    t.equal(graph.count, 2500)
  })

  t.test('NaN goes in silently there: here it throws', async (t) => {
    const raw = new hnswlib.HierarchicalNSW('ip', DIMENSION)
    raw.initIndex(1)
    t.doesNotThrow(() => raw.addPoint(new Array(DIMENSION).fill(NaN), 0))
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    t.throws(() => graph.add(0, new Float32Array(DIMENSION).fill(NaN)), /finite/)
    t.throws(() => graph.add(0, randomVector(DIMENSION + 1)), /dimensions/)
    t.equal(graph.count, 0)
  })

  t.test('typed arrays are rejected there: here they are what is taken', async (t) => {
    const raw = new hnswlib.HierarchicalNSW('ip', DIMENSION)
    raw.initIndex(1)
    t.throws(() => raw.addPoint(randomVector() as unknown as number[], 0))
  })

  t.test('deleted labels are found no more', async (t) => {
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    for (let label = 0; label < 100; label++) graph.add(label, randomVector())
    for (let label = 0; label < 90; label++) graph.markDeleted(label)
    const found = graph.search(randomVector(), { k: 20, ef: 200 })
    t.ok(found.every((label) => label >= 90))
    t.equal(graph.count, 100)
  })
})

t.test('edges of hnswlib-node around files', async (t) => {
  const folder = t.testdir()
  const raw = () => new hnswlib.HierarchicalNSW('ip', DIMENSION)
  const written = raw()
  written.initIndex(10)
  written.setEf(77)
  for (let label = 1; label <= 5; label++) written.addPoint(Array.from(randomVector()), label)
  written.writeIndexSync(`${folder}/graph`)

  t.test('ef is 10 again after loading: every search sets it', async (t) => {
    const loaded = raw()
    loaded.readIndexSync(`${folder}/graph`)
    t.equal(loaded.getEf(), 10)
    t.equal(HnswGraph.load(`${folder}/graph`, DIMENSION).search(randomVector(), { k: 5, ef: 50 }).length, 5)
  })

  t.test('a file of another dimension is taken silently: a header beside it tells', async (t) => {
    const other = new hnswlib.HierarchicalNSW('ip', DIMENSION / 2)
    t.doesNotThrow(() => other.readIndexSync(`${folder}/graph`))
  })

  t.test('a write to a missing folder says nothing: here it throws', async (t) => {
    await written.writeIndex(`${folder}/nowhere/graph`)
    const graph = HnswGraph.empty(DIMENSION, hnsw)
    graph.add(1, randomVector())
    await t.rejects(graph.save(`${folder}/nowhere/graph`))
    await graph.save(`${folder}/mine`)
    t.same(HnswGraph.load(`${folder}/mine`, DIMENSION).labels(), [1])
  })
})
