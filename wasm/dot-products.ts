// The scores of src/collections/resident-vectors.ts in SIMD (AssemblyScript; `npm run wasm` compiles it). All
// arguments are addresses and counts; vectors are padded with zeros to whole steps of four floats.

/**
 * The dot products of one query with `count` vectors of `bytes` bytes each: `scores[i]` (f32) is that with
 * the vector at `addresses[i]` (u32). Four sums at a time: the additions of one would wait for each other.
 */
export function dotProducts(query: usize, bytes: usize, addresses: usize, count: i32, scores: usize): void {
  const end = query + bytes
  const whole = query + (bytes & ~63)
  for (let i = 0; i < count; i++) {
    let vector = <usize>load<u32>(addresses + (<usize>i << 2))
    let a = f32x4.splat(0)
    let b = a
    let c = a
    let d = a
    let at = query
    for (; at < whole; at += 64, vector += 64) {
      a = f32x4.add(a, f32x4.mul(v128.load(at), v128.load(vector)))
      b = f32x4.add(b, f32x4.mul(v128.load(at, 16), v128.load(vector, 16)))
      c = f32x4.add(c, f32x4.mul(v128.load(at, 32), v128.load(vector, 32)))
      d = f32x4.add(d, f32x4.mul(v128.load(at, 48), v128.load(vector, 48)))
    }
    for (; at < end; at += 16, vector += 16) a = f32x4.add(a, f32x4.mul(v128.load(at), v128.load(vector)))
    const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d))
    const score =
      f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) +
      (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
    store<f32>(scores + (<usize>i << 2), score)
  }
}
