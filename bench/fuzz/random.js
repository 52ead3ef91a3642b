/**
 * Random numbers that a seed determines (sfc32, Chris Doty-Humphrey's small fast counter, in the public
 * domain): an input of the corpus is made again from its number.
 */
export function createRandom(...seeds) {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]
  for (const seed of seeds) {
    a = (a ^ seed) >>> 0
    for (let i = 0; i < 12; i++) next()
  }
  function next() {
    const sum = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = (b ^ (b >>> 9)) >>> 0
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0
    return sum
  }
  /** A whole number from `from` up to and without `to`. */
  const int = (from, to) => from + Math.floor((next() / 2 ** 32) * (to - from))
  return {
    int,
    pick: (list) => list[int(0, list.length)],
    chance: (probability) => next() / 2 ** 32 < probability,
    bytes: (length) => Buffer.from(Uint8Array.from({ length }, () => next() >>> 24))
  }
}
