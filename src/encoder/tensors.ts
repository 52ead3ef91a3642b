import { Float16Array, type Float16ArrayConstructor } from '@petamoriken/float16'
import type { Preprocessing } from './preprocessing.js'
import type { Port, Values } from './session.js'

/**
 * The tower's `pixel_values` of 8-bit interleaved crops, in the type that it asks for: `[n, 3, height,
 * width]` of value / 255 less the mean, over the deviation of its channel; or, where it takes uint8, the
 * crops themselves as `[n, height, width, 3]`. Rows behind the crops are left at 0. Throws for another type.
 */
export function pixelValues(
  crops: Uint8Array[],
  { type }: Port,
  { rows, preprocessing }: { rows: number; preprocessing: Preprocessing }
): Values {
  const { width, height } = preprocessing.crop
  const length = 3 * width * height
  if (type === 'uint8') {
    const data = new Uint8Array(rows * length)
    crops.forEach((crop, i) => data.set(crop, i * length))
    return { type, data, shape: [rows, height, width, 3] }
  }
  if (type !== 'float32' && type !== 'float16')
    throw new Error(`The image tower has an input of type ${type}; float32, float16 and uint8 are supported.`)
  const data = type === 'float32' ? new Float32Array(rows * length) : new Uint16Array(rows * length)
  const tables = valueTables(preprocessing).map((table) =>
    type === 'float32' ? table : toFloat16Bits(table)
  )
  crops.forEach((crop, i) => spread(crop, tables, data.subarray(i * length, (i + 1) * length)))
  return { type, data, shape: [rows, 3, height, width] }
}

/** By channel, what each 8-bit value becomes. */
function valueTables({ mean, std }: Preprocessing): Float32Array[] {
  return [0, 1, 2].map((channel) =>
    Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean[channel]) / std[channel])
  )
}

/** Interleaved values to one plane a channel. */
function spread(
  crop: Uint8Array,
  tables: (Float32Array | Uint16Array)[],
  target: Float32Array | Uint16Array
): void {
  const plane = crop.length / 3
  for (let channel = 0; channel < 3; channel++) {
    const [table, start] = [tables[channel], channel * plane]
    for (let i = 0, p = channel; i < plane; i++, p += 3) target[start + i] = table[crop[p]]
  }
}

/**
 * Whole numbers of shape `[rows, length]` in the type that an input asks for. Throws for another type than
 * int64 and int32.
 */
export function integers(values: Int32Array, { name, type }: Port, shape: number[]): Values {
  if (type === 'int64') return { type, data: BigInt64Array.from(values, BigInt), shape }
  if (type === 'int32') return { type, data: values, shape }
  throw new Error(`The text tower's input ${name} has type ${type}; int64 and int32 are supported.`)
}

/**
 * A copy of an output's numbers as float32: they lie in memory that is not ours. Throws for another type than
 * float32 and float16.
 */
export function toFloat32({ type, data }: { type: string; data: ArrayBufferView }): Float32Array {
  const { buffer, byteOffset, byteLength } = data
  if (type === 'float32') return new Float32Array(buffer, byteOffset, byteLength / 4).slice()
  if (type === 'float16')
    return Float32Array.from(
      new Float16Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
    )
  throw new Error(`The tower has an output of type ${type}; float32 and float16 are supported.`)
}

function toFloat16Bits(values: Float32Array): Uint16Array {
  return new Uint16Array((Float16Array as Float16ArrayConstructor).from(values).buffer)
}
