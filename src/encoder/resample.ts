import type { ResampleFilter } from './preprocessing.js'
import kernel from './resample-kernel.js'

/**
 * For each output position its first input position, how many there are, and their weights in fixed point
 * (`stride` apart).
 */
interface Taps {
  starts: Int32Array
  counts: Int32Array
  weights: Int32Array
  stride: number
}

interface Kernel {
  memory: WebAssembly.Memory
  /** Input, width, height, starts, counts, weights, stride, columns, output. */
  narrowRows(...args: number[]): void
  /** Input, row length in bytes, starts, counts, weights, stride, rows, output. */
  narrowColumns(...args: number[]): void
}

/** Input is copied into the kernel's memory in bands of so many bytes, or of one row. */
const BAND_BYTES = 2 ** 18
/** Memory only grows; a kernel that a huge picture has swollen is not kept. */
const KEPT_BYTES = 2 ** 25
const PAGE_BYTES = 2 ** 16
/** The kernel reads pixels as four bytes. */
const PADDING = 16

const compiled = new WebAssembly.Module(Buffer.from(kernel, 'base64'))
let instance: Kernel | undefined

/**
 * Weighted sums over the columns, then over the rows of a picture, rounded to 8 bits in between: the two
 * passes of a resize. Gives 8-bit RGB with a column, and a row, for each of the taps.
 */
function narrow({ data, width }: Pixels, columns: Taps, rows: Taps): Uint8Array {
  const used = (instance ??= new WebAssembly.Instance(compiled).exports as Kernel)
  const { band, columnTaps, rowTaps, narrowed, out } = layOut(used, { width, columns, rows })
  const last = rows.starts.length - 1
  const [top, bottom] = [rows.starts[0], rows.starts[last] + rows.counts[last]]
  const rowLength = columns.starts.length * 3
  for (let y = top; y < bottom; y += band.rows) {
    const height = Math.min(band.rows, bottom - y)
    new Uint8Array(used.memory.buffer, band.at).set(data.subarray(y * width * 3, (y + height) * width * 3))
    used.narrowRows(
      band.at,
      width,
      height,
      ...columnTaps,
      columns.stride,
      columns.starts.length,
      narrowed + (y - top) * rowLength
    )
  }
  used.narrowColumns(narrowed, rowLength, ...rowTaps, rows.stride, rows.starts.length, out)
  const result = new Uint8Array(used.memory.buffer, out, rows.starts.length * rowLength).slice()
  if (used.memory.buffer.byteLength > KEPT_BYTES) instance = undefined
  return result
}

/** Finds a place for everything in the kernel's memory, and copies the taps there. */
function layOut({ memory }: Kernel, { width, columns, rows }: { width: number; columns: Taps; rows: Taps }) {
  const last = rows.starts.length - 1
  const height = rows.starts[last] + rows.counts[last] - rows.starts[0]
  const rowLength = columns.starts.length * 3
  let end = 0
  const reserve = (bytes: number) => {
    const at = end
    end += Math.ceil(bytes / PADDING) * PADDING
    return at
  }
  const bandRows = Math.min(height, Math.max(1, Math.floor(BAND_BYTES / (width * 3))))
  const band = { at: reserve(bandRows * width * 3 + PADDING), rows: bandRows }
  const reserveTaps = ({ starts, counts, weights }: Taps) =>
    [starts, counts, weights].map((values) => ({ at: reserve(values.byteLength), values }))
  const taps = [reserveTaps(columns), reserveTaps(rows)]
  const narrowed = reserve(height * rowLength)
  const out = reserve(rows.starts.length * rowLength)
  const missing = end - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
  for (const { at, values } of taps.flat()) new Int32Array(memory.buffer, at, values.length).set(values)
  const [columnTaps, rowTaps] = taps.map((part) => part.map(({ at }) => at))
  return { band, columnTaps, rowTaps, narrowed, out }
}

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
 * Two passes with 8 bits between them, kernels widened by the scale (antialias), coefficients in fixed point
 * with 22 fractional bits: Pillow's `Resample.c`. libvips differs where it shrinks by boxes first or
 * enlarges, by enough to move an embedding (cosine 0.93 for 223x224 to 224x225).
 */
export function resample(pixels: Pixels, { filter, width, height, window }: ResampleOptions): Pixels {
  if (filter === 'nearest') return resampleNearest(pixels, { filter, width, height, window })
  const columns = taps(filter, { from: pixels.width, to: width, start: window.left, count: window.width })
  const rows = taps(filter, { from: pixels.height, to: height, start: window.top, count: window.height })
  return { data: narrow(pixels, columns, rows), width: window.width, height: window.height }
}

const PRECISION_BITS = 22

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

function taps(
  filter: Exclude<ResampleFilter, 'nearest'>,
  axis: { from: number; to: number; start: number; count: number }
): Taps {
  const kernel = KERNELS[filter]
  const scale = axis.from / axis.to
  const widening = Math.max(scale, 1)
  const support = kernel.support * widening
  const stride = Math.ceil(support) * 2 + 1
  const { count } = axis
  const result = {
    starts: new Int32Array(count),
    counts: new Int32Array(count),
    weights: new Int32Array(count * stride),
    stride
  }
  for (let i = 0; i < count; i++) {
    const centre = (axis.start + i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(axis.from, Math.trunc(centre + support + 0.5))
    const values = Array.from({ length: end - first }, (_, j) =>
      kernel.at((first + j - centre + 0.5) / widening)
    )
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

/**
 * Input positions by adding up the scale, as Pillow's `Geometry.c` does: a product rounds otherwise now and
 * then.
 */
function nearest(axis: { from: number; to: number; start: number; count: number }): number[] {
  const scale = axis.from / axis.to
  const positions: number[] = []
  let position = scale * 0.5
  for (let i = 0; i < axis.start + axis.count; i++, position += scale)
    if (i >= axis.start) positions.push(Math.min(axis.from - 1, Math.trunc(position)))
  return positions
}
