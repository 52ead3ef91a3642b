import { closeSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Float16Array } from '@petamoriken/float16'
import { DatasetError, type MatrixSource } from '../datasets/dataset.js'
import { openNpy, readFully, VALUE_BYTES, type NpyFile } from '../embedding/npy.js'

/** Rows of unit length that are read by blocks, so that they need not fit into memory. */
export interface Matrix {
  readonly rows: number
  readonly dimension: number
  /** Whether rows read so far were clearly not of unit length, and were normalised. */
  readonly wasNormalised: boolean
  /**
   * Rows from and before, row-major, each of unit length; valid until the next read. Throws a DatasetError
   * for rows that have no direction.
   */
  read(from: number, to: number): Float32Array
  close(): void
}

/** Some of the rows: all of them, or those of one file. */
interface Part {
  name: string
  rows: number
  dimension: number
  /** The rows as they lie in memory, or a copy of them in `target`. */
  read(from: number, to: number, target: () => Float32Array): Float32Array
  close(): void
}

/**
 * Opens rows in memory, a .npy file (float32, float16 or float64, C order), or a folder of such files, whose
 * rows follow each other in the files' natural order (`img_emb_2.npy` before `img_emb_10.npy`). Throws a
 * DatasetError where that can't be.
 */
export function openMatrix(source: MatrixSource): Matrix {
  const parts = 'path' in source ? openFiles(source.path) : [memoryPart(source)]
  const { name, dimension } = parts[0]
  const close = () => parts.forEach((part) => part.close())
  const odd = parts.find((part) => part.dimension !== dimension)
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  if (odd || rows === 0) {
    close()
    throw new DatasetError(
      odd
        ? `${odd.name} has rows of ${odd.dimension} values, but ${name} has rows of ${dimension}.`
        : `${name} has no rows.`
    )
  }
  let wasNormalised = false
  let buffer = new Float32Array(0)
  const read = (from: number, to: number) => {
    if (!(from >= 0 && from <= to && to <= rows))
      throw new RangeError(`Rows ${from} to ${to} were requested, but there are ${rows}.`)
    const target = () => {
      if (buffer.length < (to - from) * dimension) buffer = new Float32Array((to - from) * dimension)
      return buffer.subarray(0, (to - from) * dimension)
    }
    const values =
      parts.length === 1 ? parts[0].read(from, to, target) : readParts(parts, { from, to, target: target() })
    const norms = unevenNorms(values, { dimension, name: 'path' in source ? source.path : name, from })
    if (!norms) return values
    wasNormalised ||= norms.some((norm) => Math.abs(norm - 1) > CLEARLY)
    return divide(values, { norms, target: values.buffer === buffer.buffer ? values : target() })
  }
  return {
    rows,
    dimension,
    read,
    close,
    get wasNormalised() {
      return wasNormalised
    }
  }
}

/** Opens two matrices, or neither: where the second can't be opened the first is closed. */
export function openMatrices(...[first, second]: [MatrixSource, MatrixSource]): [Matrix, Matrix] {
  const opened = openMatrix(first)
  try {
    return [opened, openMatrix(second)]
  } catch (error) {
    opened.close()
    throw error
  }
}

function openFiles(path: string): Part[] {
  const order = new Intl.Collator('en', { numeric: true }).compare
  const paths = statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(path)
        .filter((name) => /^[^.].*\.npy$/i.test(name))
        .sort(order)
        .map((name) => join(path, name))
    : [path]
  if (paths.length === 0) throw new DatasetError(`${path} has no .npy files.`)
  const parts: Part[] = []
  try {
    for (const file of paths) parts.push(filePart(openNpy(file)))
  } catch (error) {
    parts.forEach((part) => part.close())
    throw error
  }
  return parts
}

function memoryPart({ dimension, values }: { dimension: number; values: Float32Array }): Part {
  if (values.length % dimension !== 0)
    throw new DatasetError(`${values.length} values do not make rows of ${dimension}.`)
  return {
    name: 'The matrix',
    rows: values.length / dimension,
    dimension,
    read: (from, to) => values.subarray(from * dimension, to * dimension),
    close: () => undefined
  }
}

function filePart(file: NpyFile): Part {
  const {
    path,
    fd,
    type,
    shape: [rows, dimension],
    offset
  } = file
  if (file.shape.length !== 2 || dimension === 0 || type[1] !== 'f') {
    closeSync(fd)
    throw new DatasetError(
      `${path} must be rows of float32, float16 or float64, not ${type} of shape (${file.shape.join(', ')}).`
    )
  }
  let bytes = new Uint8Array(0)
  const rowBytes = dimension * VALUE_BYTES[type]
  const read: Part['read'] = (from, to, target) => {
    const values = target()
    if (type === '<f4') {
      readFully(
        file,
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        offset + from * rowBytes
      )
      return values
    }
    const wanted = (to - from) * rowBytes
    if (bytes.length < wanted) bytes = new Uint8Array(wanted)
    readFully(file, bytes.subarray(0, wanted), offset + from * rowBytes)
    if (type === '<f8') values.set(new Float64Array(bytes.buffer, 0, values.length))
    else toFloat32(new Uint16Array(bytes.buffer, 0, values.length), values)
    return values
  }
  return { name: path, rows, dimension, read, close: () => closeSync(fd) }
}

function readParts(
  parts: Part[],
  { from, to, target }: { from: number; to: number; target: Float32Array }
): Float32Array {
  let start = 0
  for (const part of parts) {
    const [first, last] = [Math.max(from, start), Math.min(to, start + part.rows)]
    const here = () => target.subarray((first - from) * part.dimension, (last - from) * part.dimension)
    if (first < last) part.read(first - start, last - start, here)
    start += part.rows
  }
  return target
}

/** What each pattern of 16 bits stands for: made at once, it is many times faster than value by value. */
let halves: Float32Array | undefined

function toFloat32(bits: Uint16Array, values: Float32Array): void {
  halves ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 1 << 16 }, (_, i) => i).buffer))
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]]
}

/** How far the square of a norm may be from 1, as float32 rounds it. */
const ROUNDING = 1e-6
/** What is further off than this was not normalised; float16 rounds unit rows to within 1e-3. */
const CLEARLY = 1e-2

/** The norms of rows, if not all of them are 1. */
function unevenNorms(
  values: Float32Array,
  { dimension, name, from }: { dimension: number; name: string; from: number }
): Float64Array | undefined {
  const norms = new Float64Array(values.length / dimension)
  let isUnit = true
  for (let row = 0; row < norms.length; row++) {
    let sum = 0
    for (let i = row * dimension; i < (row + 1) * dimension; i++) sum += values[i] * values[i]
    if (!(sum > 0 && sum < Infinity))
      throw new DatasetError(
        `${name}: row ${from + row} ${sum === 0 ? 'is all zeros' : 'holds NaN or infinity'}, which is ` +
          'not a valid embedding.'
      )
    isUnit &&= Math.abs(sum - 1) <= ROUNDING
    norms[row] = Math.sqrt(sum)
  }
  return isUnit ? undefined : norms
}

function divide(
  values: Float32Array,
  { norms, target }: { norms: Float64Array; target: Float32Array }
): Float32Array {
  const dimension = values.length / norms.length
  for (const [row, norm] of norms.entries()) {
    for (let i = row * dimension; i < (row + 1) * dimension; i++) target[i] = values[i] / norm
  }
  return target
}
