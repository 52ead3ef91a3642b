import t from 'tap'
import { findInexact, isExact } from '../../../src/validation/exact-numbers.js'

t.test('numbers beyond 2^53 - 1 are not exact, whatever their spelling', async (t) => {
  for (const text of [
    '9007199254740991',
    '-9007199254740991',
    '0',
    '1.5',
    '-0',
    '9007199254740990.0',
    '1e15',
    '5e-324'
  ]) {
    t.equal(isExact(JSON.parse(text)), true, text)
  }
  for (const text of [
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '9007199254740993.0',
    '9.007199254740993e15',
    '1e20',
    '1e400'
  ]) {
    t.equal(isExact(JSON.parse(text)), false, text)
  }
})

t.test('the first number that is not exact is found with its place', async (t) => {
  t.equal(findInexact({ a: 1, b: ['x', { c: [1, 2 ** 53] }], d: 1e300 }, 'metadata'), 'metadata.b[1].c[1]')
  t.equal(findInexact({ a: 1, b: [null, true, 'x', { c: 2 }] }, 'metadata'), undefined)
  t.equal(findInexact(null, 'metadata'), undefined)
  t.equal(findInexact(2 ** 60, 'metadata'), 'metadata')
  let deep: unknown = 2 ** 53
  for (let level = 0; level < 200_000; level++) deep = [deep]
  t.match(findInexact(deep, 'm'), /^m\[0\]\[0\]/, 'no nesting is too deep')
})
