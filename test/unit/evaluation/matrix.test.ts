import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Float16Array } from '@petamoriken/float16'
import t, { type Test } from 'tap'
import { DatasetError } from '../../../src/evaluation/datasets/dataset.js'
import { openEmbeddings } from '../../../src/evaluation/datasets/embeddings.js'
import { openMatrix } from '../../../src/evaluation/statistics/matrix.js'
import { readRowNumbers, writeNpy } from '../../../src/evaluation/embedding/npy.js'
import { datasetPath, folderOf } from '../../fixtures/datasets.js'

/** A file as numpy.save writes it, with what differs. */
function npy(
  values: ArrayBufferView,
  { type = '<f4', shape = '(2, 2)', order = 'False', version = 1 } = {}
): Buffer {
  const header = Buffer.from(`{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`)
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) length.writeUInt16LE(header.length)
  else length.writeUInt32LE(header.length)
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    header,
    Buffer.from(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength)
  ])
}

const unit = [0.6, 0.8, 1, 0]
const close = (t: Test, found: Float32Array, wanted: number[], within = 1e-7) =>
  t.ok(
    found.length === wanted.length && wanted.every((value, i) => Math.abs(found[i] - value) <= within),
    `${found} is ${wanted}`
  )

t.test('rows of the types that embeddings are saved in', async (t) => {
  const root = await folderOf(t, {
    'f4.npy': npy(Float32Array.from(unit)),
    'f2.npy': npy(new Uint16Array(new Float16Array(unit).buffer), { type: '<f2' }),
    'f8.npy': npy(Float64Array.from(unit), { type: '<f8' }),
    'v2.npy': npy(Float32Array.from(unit), { version: 2 }),
    'python2.npy': npy(Float32Array.from(unit), { shape: '(2L, 2L)' })
  })
  for (const name of ['f4', 'f2', 'f8', 'v2', 'python2']) {
    const matrix = openMatrix({ path: join(root, `${name}.npy`) })
    t.match(matrix, { rows: 2, dimension: 2 }, name)
    close(t, matrix.read(0, 2), unit, name === 'f2' ? 1e-3 : 1e-7)
    close(t, matrix.read(1, 2), [1, 0])
    close(t, matrix.read(1, 1), [])
    t.equal(matrix.wasNormalised, false)
    t.throws(() => matrix.read(1, 3), {
      name: 'RangeError',
      message: 'Rows 1 to 3 were requested, but there are 2.'
    })
    matrix.close()
    t.throws(() => matrix.read(0, 1), { code: 'EBADF' })
  }
})

t.test('every float16 is read as it is', async (t) => {
  const halves = new Float16Array(
    Uint16Array.from({ length: 2 * 0x3c00 }, (_, i) => (i % 2 === 0 ? 0x3c00 : i)).buffer
  )
  const root = await folderOf(t, {
    'all.npy': npy(new Uint16Array(halves.buffer), { type: '<f2', shape: `(${0x3c00}, 2)` })
  })
  const read = openMatrix({ path: join(root, 'all.npy') }).read(0, 0x3c00)
  t.same(
    [...read].filter(
      (value, i) => Math.abs(value - halves[i] / Math.hypot(halves[i & ~1], halves[i | 1])) > 1e-7
    ),
    []
  )
})

t.test('rows that are not of unit length are normalised, in memory without changing them', async (t) => {
  const values = Float32Array.from([3, 4, 0, 0.5])
  const matrix = openMatrix({ dimension: 2, values })
  close(t, matrix.read(1, 2), [0, 1])
  close(t, matrix.read(0, 2), [0.6, 0.8, 0, 1])
  t.ok(matrix.wasNormalised)
  t.same([...values], [3, 4, 0, 0.5])
  const units = Float32Array.from(unit)
  const same = openMatrix({ dimension: 2, values: units }).read(0, 2)
  t.equal(same.buffer, units.buffer, 'what is of unit length is not copied')
})

t.test('a folder of parts is one matrix, in natural order', async (t) => {
  const part = (...values: number[]) => npy(Float32Array.from(values), { shape: `(${values.length / 2}, 2)` })
  const root = await folderOf(t, {
    'a/emb_10.npy': part(0, -1),
    'a/emb_2.npy': part(0, 1, -1, 0),
    'a/emb_1.npy': part(1, 0),
    'a/emb_3.npy': part(),
    'a/notes.txt': '',
    'b/1.npy': part(1, 0),
    'b/2.npy': npy(Float32Array.from([1, 0, 0]), { shape: '(1, 3)' }),
    'c/.x': ''
  })
  const matrix = openMatrix({ path: join(root, 'a') })
  t.equal(matrix.rows, 4)
  close(t, matrix.read(0, 4), [1, 0, 0, 1, -1, 0, 0, -1])
  close(t, matrix.read(2, 4), [-1, 0, 0, -1])
  close(t, matrix.read(1, 2), [0, 1])
  matrix.close()
  t.throws(() => openMatrix({ path: join(root, 'b') }), {
    message: /2\.npy has rows of 3 values, but .*1\.npy has rows of 2\./
  })
  t.throws(() => openMatrix({ path: join(root, 'c') }), { message: /has no \.npy files/ })
})

t.test('files that hold no rows, each with its reason', async (t) => {
  const values = Float32Array.from(unit)
  const wrong: Record<string, [Buffer, RegExp]> = {
    fortran: [
      npy(values, { order: 'True' }),
      /is in Fortran order; .*numpy\.save\(path, numpy\.ascontiguousarray\(rows\)\)/
    ],
    big: [
      npy(values, { type: '>f4' }),
      /must hold float32, float16 or float64 values \(little-endian\), not >f4/
    ],
    integers: [
      npy(new Int32Array(4), { type: '<i4' }),
      /must be rows of float32, float16 or float64, not <i4 of shape \(2, 2\)/
    ],
    objects: [npy(values, { type: '|O' }), /not \|O/],
    flat: [npy(values, { shape: '(4,)' }), /not <f4 of shape \(4\)/],
    deep: [npy(values, { shape: '(1, 2, 2)' }), /of shape \(1, 2, 2\)/],
    none: [npy(values, { shape: '(0, 2)' }), /has no rows/],
    cut: [npy(values).subarray(0, -1), /is truncated: it has \d+ of the \d+ bytes that its header states/],
    header: [npy(values).subarray(0, 20), /is truncated within its header/],
    text: [Buffer.from('not an array at all'), /is not a \.npy file as numpy\.save writes it/],
    zip: [Buffer.from('PK\x03\x04'), /is not a \.npy file/],
    'empty-file': [Buffer.alloc(0), /is not a \.npy file/]
  }
  const root = await folderOf(
    t,
    Object.fromEntries(Object.entries(wrong).map(([name, [bytes]]) => [`${name}.npy`, bytes]))
  )
  for (const [name, [, message]] of Object.entries(wrong)) {
    t.throws(() => openMatrix({ path: join(root, `${name}.npy`) }), { message }, name)
    t.throws(() => openMatrix({ path: join(root, `${name}.npy`) }), new DatasetError())
  }
  t.throws(() => openMatrix({ path: join(root, 'nowhere.npy') }), {
    message: /nowhere\.npy can't be opened: ENOENT/
  })
  t.throws(() => openMatrix({ dimension: 3, values }), { message: '4 values do not make rows of 3.' })
})

t.test('rows without a direction are named', async (t) => {
  const bad = (...values: number[]) => openMatrix({ dimension: 2, values: Float32Array.from(values) })
  t.throws(() => bad(1, 0, NaN, 1).read(0, 2), { message: /row 1 holds NaN or infinity/ })
  t.throws(() => bad(1, 0, 1, 0, 1, Infinity).read(1, 3), { message: /row 2 holds NaN or infinity/ })
  t.throws(() => bad(0, 0).read(0, 1), { message: /row 0 is all zeros/ })
})

t.test('what is written is what NumPy wrote', async (t) => {
  const path = datasetPath('small/embeddings/images.npy')
  const matrix = openMatrix({ path })
  const values = matrix.read(0, matrix.rows)
  const root = await folderOf(t, {})
  await writeNpy(join(root, 'images.npy'), { dimension: matrix.dimension, values })
  const [ours, numpys] = await Promise.all([join(root, 'images.npy'), path].map((file) => readFile(file)))
  t.ok(ours.equals(numpys))
  await writeNpy(join(root, 'part.npy'), {
    dimension: 2,
    values: Float32Array.from([9, ...unit]).subarray(1)
  })
  close(t, openMatrix({ path: join(root, 'part.npy') }).read(0, 2), unit)
})

t.test('pairs whose parts do not fit', async (t) => {
  const rows = (count: number, dimension = 2) =>
    npy(
      Float32Array.from({ length: count * dimension }, () => 1),
      { shape: `(${count}, ${dimension})` }
    )
  const numbers = (...values: number[]) =>
    npy(BigInt64Array.from(values.map(BigInt)), { type: '<i8', shape: `(${values.length},)` })
  const root = await folderOf(t, {
    'equal/images.npy': rows(3),
    'equal/captions.npy': rows(3),
    'counts/images.npy': rows(3),
    'counts/texts.npy': rows(4),
    'dimensions/images.npy': rows(3),
    'dimensions/texts.npy': rows(3, 4),
    'short/images.npy': rows(3),
    'short/texts.npy': rows(4),
    'short/image_of.npy': numbers(0, 1, 2),
    'beyond/images.npy': rows(3),
    'beyond/texts.npy': rows(2),
    'beyond/image_of.npy': numbers(0, 3),
    'below/images.npy': rows(3),
    'below/texts.npy': rows(2),
    'below/image_of.npy': npy(Int32Array.from([0, -1]), { type: '<i4', shape: '(2,)' }),
    'floats/images.npy': rows(3),
    'floats/texts.npy': rows(2),
    'floats/image_of.npy': npy(Float32Array.from([0, 1]), { shape: '(2,)' })
  })
  const open = (name: string) => openEmbeddings(join(root, name), { name })
  t.match(open('equal'), { captions: { path: join(root, 'equal/captions.npy') } })
  t.throws(() => open('counts'), {
    message: /3 images and 4 texts in .*: image_of\.npy must say which image/
  })
  t.throws(() => open('dimensions'), {
    message: /images\.npy has rows of 2 values, but .*texts\.npy has rows of 4/
  })
  t.throws(() => open('short'), { message: /image_of\.npy has 3 values, but there are 4 texts/ })
  t.throws(() => open('beyond'), { message: /image_of\.npy: value 1 must be an image from 0 to 2, not 3/ })
  t.throws(() => open('below'), { message: /value 1 must be .*, not -1/ })
  t.throws(() => open('floats'), { message: /must be a list of whole numbers, int32 or int64, not <f4/ })
  t.same(readRowNumbers(join(root, 'short/image_of.npy'), 3), Uint32Array.from([0, 1, 2]))
})
