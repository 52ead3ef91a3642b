import kernel from './resample-kernel.js'
import type { Pixels } from './resample.js'

/**
 * For each output position its first input position, how many there are, and their weights in fixed point
 * (`stride` apart).
 */
export interface Taps {
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
export function narrow({ data, width }: Pixels, columns: Taps, rows: Taps): Uint8Array {
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
