// The two passes of src/encoder/resample.ts in SIMD (AssemblyScript; `npm run wasm` compiles it). All
// arguments are addresses and counts; the caller lays the memory out. Reads go one byte past the last pixel.

const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)

/**
 * Narrows rows of 8-bit RGB: `out[y][x] = sum over taps of weight * in[y][start + tap]`, rounded and clamped.
 * `starts`, `counts`: i32 an output column; `weights`: i32, `stride` an output column.
 */
export function narrowRows(
  input: usize, width: i32, height: i32,
  starts: usize, counts: usize, weights: usize, stride: i32,
  columns: i32, output: usize
): void {
  let out = output
  for (let y = 0; y < height; y++) {
    const row = input + <usize>(y * width * 3)
    for (let x = 0; x < columns; x++) {
      let pixel = row + <usize>(load<i32>(starts + (<usize>x << 2)) * 3)
      let weight = weights + (<usize>(x * stride) << 2)
      const end = weight + (<usize>load<i32>(counts + (<usize>x << 2)) << 2)
      let sum = i32x4.splat(HALF)
      while (weight < end) {
        const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pixel)))
        sum = i32x4.add(sum, i32x4.mul(bytes, v128.load32_splat(weight)))
        pixel += 3
        weight += 4
      }
      const value = toBytes(sum)
      store<u16>(out, <u16>i32x4.extract_lane(value, 0))
      store<u8>(out + 2, i8x16.extract_lane_u(value, 2))
      out += 3
    }
  }
}

/** Narrows columns of rows of bytes likewise: 16 bytes of a row at a time, what is left of it one by one. */
export function narrowColumns(
  input: usize, rowLength: i32,
  starts: usize, counts: usize, weights: usize, stride: i32,
  rows: i32, output: usize
): void {
  const first = load<i32>(starts)
  for (let y = 0; y < rows; y++) {
    const taps = load<i32>(counts + (<usize>y << 2))
    const top = input + <usize>((load<i32>(starts + (<usize>y << 2)) - first) * rowLength)
    const row = weights + (<usize>(y * stride) << 2)
    const out = output + <usize>(y * rowLength)
    let x = 0
    for (; x + 16 <= rowLength; x += 16) {
      let a = i32x4.splat(HALF)
      let b = a
      let c = a
      let d = a
      for (let tap = 0, from = top + <usize>x; tap < taps; tap++, from += <usize>rowLength) {
        const weight = v128.load32_splat(row + (<usize>tap << 2))
        const bytes = v128.load(from)
        const low = i16x8.extend_low_i8x16_u(bytes)
        const high = i16x8.extend_high_i8x16_u(bytes)
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight))
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight))
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight))
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight))
      }
      const low = i16x8.narrow_i32x4_s(i32x4.shr_s(a, PRECISION_BITS), i32x4.shr_s(b, PRECISION_BITS))
      const high = i16x8.narrow_i32x4_s(i32x4.shr_s(c, PRECISION_BITS), i32x4.shr_s(d, PRECISION_BITS))
      v128.store(out + <usize>x, i8x16.narrow_i16x8_u(low, high))
    }
    for (; x < rowLength; x++) {
      let sum = HALF
      for (let tap = 0, from = top + <usize>x; tap < taps; tap++, from += <usize>rowLength)
        sum += load<i32>(row + (<usize>tap << 2)) * <i32>load<u8>(from)
      store<u8>(out + <usize>x, <u8>max(0, min(255, sum >> PRECISION_BITS)))
    }
  }
}

/** Four sums in fixed point to bytes in the lowest four lanes. */
function toBytes(sum: v128): v128 {
  const words = i16x8.narrow_i32x4_s(i32x4.shr_s(sum, PRECISION_BITS), i32x4.splat(0))
  return i8x16.narrow_i16x8_u(words, words)
}
