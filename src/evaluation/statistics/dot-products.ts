import { InferenceSession, Tensor } from 'onnxruntime-node'
import { usableCores } from '../../threading/cores.js'

/** A graph of one Gemm, by scripts/dot-products.py. */
const GRAPH =
  'CAgSADqPAQovCgdxdWVyaWVzCgdnYWxsZXJ5EgZzY29yZXMiBEdlbW0qDQoGdHJhbnNCGAGgAQISBnNjb3Jlc1obCgdxdWVyaWVz' +
  'EhAKDggBEgoKAxIBbQoDEgFkWhsKB2dhbGxlcnkSEAoOCAESCgoDEgFuCgMSAWRiGgoGc2NvcmVzEhAKDggBEgoKAxIBbQoDEgFu' +
  'QgQKABAN'

/**
 * The dot products of each of the queries with each of the gallery, [m, n], in float32, valid until the next
 * call; all are row-major.
 */
export type DotProducts = (queries: Float32Array, gallery: Float32Array) => Promise<Float32Array>

/**
 * ONNX Runtime as the matrix multiplication that it is anyway: some ten times as fast as a loop in
 * JavaScript. It runs in the thread that calls it, on all cores.
 */
export async function openDotProducts(
  dimension: number
): Promise<{ dotProducts: DotProducts; close(): Promise<void> }> {
  const session = await InferenceSession.create(Buffer.from(GRAPH, 'base64'), {
    intraOpNumThreads: usableCores(),
    logSeverityLevel: 3
  })
  // ONNX Runtime takes no shared memory.
  const tensor = (rows: Float32Array) =>
    new Tensor('float32', rows.buffer instanceof SharedArrayBuffer ? rows.slice() : rows, [
      rows.length / dimension,
      dimension
    ])
  // One for all calls: each a new one of 8 MiB would be memory that waits for garbage to be collected.
  let buffer = new Float32Array(0)
  return {
    dotProducts: async (queries, gallery) => {
      const [m, n] = [queries.length / dimension, gallery.length / dimension]
      if (buffer.length < m * n) buffer = new Float32Array(m * n)
      const scores = buffer.subarray(0, m * n)
      await session.run(
        { queries: tensor(queries), gallery: tensor(gallery) },
        { scores: new Tensor('float32', scores, [m, n]) }
      )
      return scores
    },
    close: () => session.release()
  }
}
