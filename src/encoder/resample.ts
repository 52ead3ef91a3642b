import type { ResampleFilter } from './preprocessing.js'

/** 8-bit RGB, interleaved, row by row: `data.length` is width * height * 3. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

export interface ResampleOptions {
  filter: ResampleFilter
  /** The size of the whole resized picture, in pixels. */
  width: number
  height: number
  /** The part of it that is wanted. */
  window: { left: number; top: number; width: number; height: number }
}

/**
 * Resizes as Pillow does, to the bit, and computes only a window of the result.
 *
 * Two passes with 8 bits between them, kernels widened by the scale (antialias), coefficients in fixed point with 22
 * fractional bits: Pillow's `Resample.c`. libvips differs where it shrinks by boxes first or enlarges, by enough to
 * move an embedding (cosine 0.93 for 223x224 to 224x225).
 */
export function resample(pixels: Pixels, { filter, width, height, window }: ResampleOptions): Pixels {
  if (filter === 'nearest') return resampleNearest(pixels, { filter, width, height, window })
  const columns = taps(filter, { from: pixels.width, to: width, start: window.left, count: window.width })
  const rows = taps(filter, { from: pixels.height, to: height, start: window.top, count: window.height })
  const firstRow = rows.starts[0]
  const last = window.height - 1
  const band = { from: firstRow, to: rows.starts[last] + rows.counts[last] }
  const narrowed = resampleRows(pixels, columns, band)
  return { data: resampleColumns(narrowed, rows, window.width * 3), width: window.width, height: window.height }
}

const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)

const KERNELS: Record<Exclude<ResampleFilter, 'nearest'>, { support: number; at: (x: number) => number }> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) }
}

/** Keys' cubic convolution kernel with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5
  const t = Math.abs(x)
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** For each output position its first input position, how many there are, and their weights (`stride` apart). */
interface Taps {
  starts: Int32Array
  counts: Int32Array
  weights: Int32Array
  stride: number
}

function taps(filter: Exclude<ResampleFilter, 'nearest'>, axis: { from: number; to: number; start: number; count: number }): Taps {
  const kernel = KERNELS[filter]
  const scale = axis.from / axis.to
  const widening = Math.max(scale, 1)
  const support = kernel.support * widening
  const stride = Math.ceil(support) * 2 + 1
  const { count } = axis
  const result = { starts: new Int32Array(count), counts: new Int32Array(count), weights: new Int32Array(count * stride), stride }
  for (let i = 0; i < count; i++) {
    const centre = (axis.start + i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(axis.from, Math.trunc(centre + support + 0.5))
    const values = Array.from({ length: end - first }, (_, j) => kernel.at((first + j - centre + 0.5) / widening))
    const sum = values.reduce((total, value) => total + value, 0)
    values.forEach((value, j) => (result.weights[i * stride + j] = toFixedPoint(value / sum)))
    result.starts[i] = first
    result.counts[i] = end - first
  }
  return result
}

function toFixedPoint(weight: number): number {
  return Math.trunc(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5))
}

function toByte(sum: number): number {
  const value = sum >> PRECISION_BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function resampleRows({ data, width }: Pixels, columns: Taps, band: { from: number; to: number }): Uint8Array {
  const { starts, counts, weights, stride } = columns
  const result = new Uint8Array((band.to - band.from) * starts.length * 3)
  let out = 0
  for (let y = band.from; y < band.to; y++) {
    for (let x = 0; x < starts.length; x++) {
      let [red, green, blue] = [HALF, HALF, HALF]
      let p = (y * width + starts[x]) * 3
      const end = x * stride + counts[x]
      for (let tap = x * stride; tap < end; tap++, p += 3) {
        const weight = weights[tap]
        red = (red + Math.imul(weight, data[p])) | 0
        green = (green + Math.imul(weight, data[p + 1])) | 0
        blue = (blue + Math.imul(weight, data[p + 2])) | 0
      }
      result[out++] = toByte(red)
      result[out++] = toByte(green)
      result[out++] = toByte(blue)
    }
  }
  return result
}

function resampleColumns(data: Uint8Array, rows: Taps, rowLength: number): Uint8Array {
  const { starts, counts, weights, stride } = rows
  const result = new Uint8Array(starts.length * rowLength)
  const sums = new Int32Array(rowLength)
  for (let y = 0; y < starts.length; y++) {
    sums.fill(HALF)
    for (let tap = 0; tap < counts[y]; tap++) {
      const weight = weights[y * stride + tap]
      let p = (starts[y] - starts[0] + tap) * rowLength
      for (let x = 0; x < rowLength; x++) sums[x] += Math.imul(weight, data[p++])
    }
    for (let x = 0; x < rowLength; x++) result[y * rowLength + x] = toByte(sums[x])
  }
  return result
}

function resampleNearest({ data, width, height }: Pixels, target: ResampleOptions): Pixels {
  const { window } = target
  const columns = nearest({ from: width, to: target.width, start: window.left, count: window.width })
  const rows = nearest({ from: height, to: target.height, start: window.top, count: window.height })
  const result = new Uint8Array(window.width * window.height * 3)
  let out = 0
  for (const y of rows) {
    for (const x of columns) {
      const p = (y * width + x) * 3
      result[out++] = data[p]
      result[out++] = data[p + 1]
      result[out++] = data[p + 2]
    }
  }
  return { data: result, width: window.width, height: window.height }
}

/** Input positions by adding up the scale, as Pillow's `Geometry.c` does: a product rounds otherwise now and then. */
function nearest(axis: { from: number; to: number; start: number; count: number }): number[] {
  const scale = axis.from / axis.to
  const positions: number[] = []
  let position = scale * 0.5
  for (let i = 0; i < axis.start + axis.count; i++, position += scale) if (i >= axis.start) positions.push(Math.min(axis.from - 1, Math.trunc(position)))
  return positions
}
