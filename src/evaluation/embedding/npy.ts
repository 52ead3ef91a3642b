import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { npyHeader } from '../../collections/exports/npy.js'
import { DatasetError } from '../datasets/dataset.js'

/**
 * A file of an array as NumPy saves it, open for reading. Format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export interface NpyFile {
  path: string
  fd: number
  /** As '<f4'. */
  type: string
  shape: number[]
  /** Where the values begin. */
  offset: number
}

/** Bytes of a value, by NumPy's names of types. */
export const VALUE_BYTES: Record<string, number> = {
  '<f2': 2,
  '<f4': 4,
  '<f8': 8,
  '<i4': 4,
  '<u4': 4,
  '<i8': 8,
  '<u8': 8
}
/** Most bytes of a header; those of arrays without fields have some 120. */
const MAX_HEADER_BYTES = 1 << 16

/**
 * Opens a .npy file in C order; throws a DatasetError where it is none, has another type or order, or ends
 * too early.
 */
export function openNpy(path: string): NpyFile {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new DatasetError(`${path} can't be opened: ${(error as Error).message}`)
  }
  try {
    const header = readHeader(path, fd)
    const { type, shape, offset } = header
    const wanted = offset + shape.reduce((product, size) => product * size, 1) * VALUE_BYTES[type]
    const { size } = fstatSync(fd)
    if (size < wanted)
      throw new DatasetError(
        `${path} is truncated: it has ${size} of the ${wanted} bytes that its header states.`
      )
    return { path, fd, ...header }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readHeader(path: string, fd: number): Pick<NpyFile, 'type' | 'shape' | 'offset'> {
  const start = Buffer.alloc(12)
  const read = readSync(fd, start, 0, start.length, 0)
  const version = start[6]
  if (read < start.length || start.toString('latin1', 0, 6) !== '\x93NUMPY' || version < 1 || version > 3)
    throw new DatasetError(`${path} is not a .npy file as numpy.save writes it.`)
  const [length, before] = version === 1 ? [start.readUInt16LE(8), 10] : [start.readUInt32LE(8), 12]
  if (length > MAX_HEADER_BYTES)
    throw new DatasetError(
      `${path} has a header of ${length} bytes, which is not valid for an array of numbers.`
    )
  const bytes = Buffer.alloc(length)
  if (readSync(fd, bytes, 0, length, before) < length)
    throw new DatasetError(`${path} is truncated within its header.`)
  const text = bytes.toString('latin1')
  const type = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const shape = /'shape'\s*:\s*\(([\dL,\s]*)\)/
    .exec(text)?.[1]
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map((size) => Number.parseInt(size, 10))
  if (shape === undefined || !(type! in VALUE_BYTES))
    throw new DatasetError(
      `${path} must hold float32, float16 or float64 values (little-endian), not ${type ?? 'fields'}; ` +
        `write them with numpy.save(path, rows.astype('float32')).`
    )
  if (!/'fortran_order'\s*:\s*False/.test(text))
    throw new DatasetError(
      `${path} is in Fortran order; write it row by row with numpy.save(path, numpy.ascontiguousarray(rows)).`
    )
  return { type: type!, shape, offset: before + length }
}

/** Fills bytes with what lies at an offset of a file. */
export function readFully({ path, fd }: NpyFile, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = readSync(fd, bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done)
    if (read === 0) throw new DatasetError(`${path} became shorter while it was read.`)
    done += read
  }
}

/** A list of row numbers: int32 or int64 of one dimension, each below `limit`. */
export function readRowNumbers(path: string, limit: number): Uint32Array {
  const file = openNpy(path)
  try {
    const { type, shape, offset } = file
    if (shape.length !== 1 || type[1] === 'f')
      throw new DatasetError(
        `${path} must be a list of whole numbers, int32 or int64, not ${type} of shape (${shape.join(', ')}).`
      )
    const bytes = new Uint8Array(shape[0] * VALUE_BYTES[type])
    readFully(file, bytes, offset)
    const values = { '<i4': Int32Array, '<u4': Uint32Array, '<i8': BigInt64Array, '<u8': BigUint64Array }[
      type
    ]!
    return Uint32Array.from(new values(bytes.buffer) as Int32Array, (value, i) => {
      if (!(value >= 0 && value < limit))
        throw new DatasetError(`${path}: value ${i} must be an image from 0 to ${limit - 1}, not ${value}.`)
      return Number(value)
    })
  } finally {
    closeSync(file.fd)
  }
}

/** Values that are written at a time. */
const PART = 1 << 24

/** Writes rows as float32 in NumPy's format. */
export async function writeNpy(
  path: string,
  { dimension, values }: { dimension: number; values: Float32Array }
): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.write(npyHeader(values.length / dimension, dimension))
    for (let start = 0; start < values.length; start += PART) {
      const { buffer, byteOffset, byteLength } = values.subarray(start, start + PART)
      await file.writeFile(new Uint8Array(buffer, byteOffset, byteLength))
    }
  } finally {
    await file.close()
  }
}
