import { monitorEventLoopDelay } from 'node:perf_hooks'
import t from 'tap'
import { jsonParts } from '../../../src/json/json-parts.js'

async function written(value: Parameters<typeof jsonParts>[0]): Promise<string[]> {
  const parts = []
  for await (const part of jsonParts(value)) parts.push(part)
  return parts
}

t.test('what is written in parts is what would be written at once', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 500_001 }, (_, i) => i % 251))
  const value = {
    ids: ['a', 'ü"\u2028', '\ud800'],
    none: [],
    values: { 'a"b': [1, null, true, ['x', 2], NaN] },
    empty: {},
    k: 3,
    name: 'x',
    nothing: null
  }
  t.equal((await written(value)).join(''), JSON.stringify(value))
  t.equal(
    (await written({ bytes, few: Buffer.from('ab'), none: Buffer.alloc(0) })).join(''),
    JSON.stringify({ bytes: bytes.toString('base64'), few: 'YWI=', none: '' })
  )
})

t.test('a large answer is written in many short parts, and others have their turn between', async (t) => {
  const n = 100_000
  const values = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((field) => [
      field,
      Array.from({ length: n }, (_, i) => [field, `${i}`.padEnd(60, '"')])
    ])
  )
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const parts = await written({ values, bytes: Buffer.alloc(8_000_000, 7) })
  delay.disable()
  clearInterval(timer)
  t.ok(parts.length > 100, `${parts.length} parts`)
  t.ok(Math.max(...parts.map(({ length }) => length)) < 600_000)
  t.ok(turns > parts.length / 10, `${turns} turns of others`)
  t.comment(`longest delay: ${(delay.max / 1e6).toFixed(1)} ms`)
})
