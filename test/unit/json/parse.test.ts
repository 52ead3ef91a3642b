import t from 'tap'
import { parseJson, parseJsonInTurns, Unusable } from '../../../src/json/parse.js'
import type { JsonLimits } from '../../../src/json/scan.js'

const LARGE = { plainBytes: 64 << 20 }
const parse = (text: string | Buffer, limits: Partial<JsonLimits> = {}) =>
  parseJson(Buffer.from(text as string), { name: 'The body', ...limits })

/** What parsing throws: code and message. */
function refusal(text: string | Buffer, limits?: Partial<JsonLimits>): string {
  try {
    parse(text, limits)
    return 'none'
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    return `${code} ${message}`
  }
}

t.test('what is within the limits is what JSON.parse gives', async (t) => {
  const texts = [
    '1',
    ' null ',
    '"a"',
    '[]',
    '{}',
    '{"a":[1,2.5,-3e2,"x",null,true,{"b":[[],{}]}],"":{"":0}}',
    '{"a":1,"a":2}',
    JSON.stringify({ text: 'ü"\\\n\u2028😀', list: ['"', '\\', '\\"', ']', '}', ',', ':'] }),
    JSON.stringify({ long: 'ü😀"\\x'.repeat(400_000), next: 1 }),
    `{"long": "${'\\ud83d\\ude00\\u00e9\\/'.repeat(100_000)}", "a": [${'"\\\\",'.repeat(1000)}1]}`,
    JSON.stringify({
      lists: [Array.from({ length: 9000 }, (_, i) => i / 7), Array.from({ length: 9000 }, (_, i) => -i)],
      after: [1, 'x', 2]
    }),
    JSON.stringify({
      metadata: { a: 'x'.repeat(5000) },
      filter: { metadata: { filter: [1, 2] } },
      records: [{ metadata: { metadata: 'y'.repeat(9000) } }]
    }),
    `\ufeff{"a":1}`
  ]
  for (const [i, text] of texts.entries()) {
    const right = JSON.parse(text.replace(/^\ufeff/, ''))
    t.strictSame(parse(text, LARGE), right, `text ${i}`)
    t.strictSame(await parseJsonInTurns(Buffer.from(text), { name: 'The body', ...LARGE }), right)
  }
})

t.test('a key that comes twice has its last value, long or not', async (t) => {
  const long = 'x'.repeat(50_000)
  t.strictSame(parse(`{"a":"${long}","a":1}`), { a: 1 })
  t.strictSame(parse(`{"a":1,"a":"${long}"}`), { a: long })
  t.strictSame(parse(`{"a":{"b":"${long}"},"a":"c"}`), { a: 'c' })
  t.strictSame(parse(`{"a":{"base64":"${'AAAA'.repeat(9000)}"},"a":{"url":"c"}}`), { a: { url: 'c' } })
})

t.test('what is not JSON is rejected, in long values too', async (t) => {
  const long = 'x'.repeat(50_000)
  for (const text of [
    '',
    '{',
    '{"a":}',
    '[1,]',
    `{"a":"${long}`,
    `{"a" "${long}"}`,
    `{"a":"${long}""b"}`,
    `["\\x${long}"]`,
    `["${long}\n"]`,
    `[[${'1,'.repeat(9000)}]]`,
    `{"metadata":{"a":[1}${' '.repeat(400)}]}`
  ]) {
    t.match(refusal(text), /^INVALID_REQUEST The body is not JSON: /, `text of ${text.length} characters`)
  }
  t.equal(refusal(Buffer.from([0x22, 0xff, 0x22])), 'INVALID_REQUEST The body is not valid UTF-8.')
})

t.test('depth is bounded without recursion, and the error says where', async (t) => {
  t.equal(
    refusal(`{"a":${'['.repeat(100_000)}`, LARGE),
    'INVALID_REQUEST The body is nested more than 64 levels deep (at a[0][0][0][0][0][0][0]).'
  )
  t.equal(
    refusal(`{"filter":${'{"$not":'.repeat(100_000)}`),
    'FILTER_INVALID The filter is nested more than 16 levels deep.'
  )
  t.equal(
    refusal('{"$and":['.repeat(60), { root: 'filter' }),
    'FILTER_INVALID The filter is nested more than 16 levels deep.'
  )
  t.ok(Array.isArray(parse(`${'['.repeat(64)}${']'.repeat(64)}`)))
})

t.test('values, keys, bytes and numbers are bounded', async (t) => {
  const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join()}}`
  t.match(
    refusal(`{"input":[${'"a",'.repeat(1_000_000)}"a"]}`, LARGE),
    /^INVALID_REQUEST The body has more than 100000 values \(at input\[\d+\]\)/
  )
  t.match(
    refusal(`{"a":${keys(30_000)}}`),
    /^INVALID_REQUEST The body has more than 20000 keys \(at a\.k\d+\)/
  )
  t.match(
    refusal(`{"text":"${'x'.repeat(2 << 20)}"}`),
    /^BODY_TOO_LARGE The body has more than 1048576 bytes apart from images and lists of numbers/
  )
  t.match(
    refusal(`{${' '.repeat(3 << 20)}}`, LARGE),
    /^INVALID_REQUEST The body has more than 1048576 consecutive bytes of white space or digits/
  )
  t.match(
    refusal(`[[${'1,'.repeat(1 << 20)}1]]`, LARGE),
    /^INVALID_REQUEST The body has a list with more than 1048576 bytes of numbers \(at \[0\]/
  )
  t.match(
    refusal(`[${`[${'1,'.repeat(400_000)}1],`.repeat(22)}1]`, LARGE),
    /^INVALID_REQUEST The body has more than 8388608 numbers/
  )
  t.match(refusal(`{"filter":${keys(60_000)}}`, LARGE), /^FILTER_INVALID The filter is larger than 64 KiB/)
  t.equal(refusal(`{"image":{"base64":"${'A'.repeat(4 << 20)}"}}`), 'none', 'images are beside the bound')
})

t.test('a metadata that cannot be used leaves what it came with usable', async (t) => {
  const many = `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":${i}`).join()}}`
  const nested = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`
  const text =
    `{"records":[{"id":"a","metadata":${many}},{"id":"b","metadata":${nested},"text":"x"},` +
    `{"id":"c","metadata":{"a":1}}]}`
  t.strictSame(parse(text), {
    records: [
      { id: 'a', metadata: new Unusable('The metadata is larger than 64 KiB.') },
      { id: 'b', metadata: new Unusable('The metadata is nested more than 32 levels deep.'), text: 'x' },
      { id: 'c', metadata: { a: 1 } }
    ]
  })
})

t.test('a metadata by itself that cannot be used is told', async (t) => {
  t.strictSame(
    parse('['.repeat(90_000), { root: 'metadata' }),
    new Unusable('The metadata is nested more than 32 levels deep.')
  )
  t.strictSame(parse('{"a":{"b":"c"}}', { root: 'metadata' }), { a: { b: 'c' } })
})

t.test('keys that would reach prototypes are rejected, however they are written', async (t) => {
  for (const key of [
    '__proto__',
    '\\u005f_proto__',
    '\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f'
  ]) {
    t.equal(
      refusal(`{"metadata":{"${key}":{"a":1}}}`),
      "INVALID_REQUEST The body has the key '__proto__' (at metadata.__proto__), which is not allowed; " +
        'rename it.'
    )
  }
  t.match(refusal('{"constructor":{"prototype":{}}}'), /has the key 'prototype'/)
  t.strictSame(parse('{"prototype":1,"constructor":2}'), { prototype: 1, constructor: 2 })
})

t.test('long images are decoded on the way', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 300_001 }, (_, i) => (i * 7) % 256))
  const base64 = bytes.toString('base64')
  const lines = base64.replace(/.{76}/g, '$&\\r\\n')
  for (const [name, text] of Object.entries({
    base64,
    lines,
    escaped: base64.replaceAll('/', '\\/'),
    unpadded: base64.replace(/=+$/, ''),
    dataUrl: `data:image/png;base64,${base64}`
  })) {
    const { image } = parse(`{"image":{"base64":"${text}"}}`) as { image: { base64: Uint8Array } }
    t.ok(image.base64 instanceof Uint8Array && Buffer.compare(image.base64, bytes) === 0, name)
  }
  for (const bad of [
    `${base64.slice(0, 1000)}*${base64.slice(1001)}`,
    `${base64}ü`,
    `${base64.slice(0, 50_000)}==${base64.slice(0, 50_000)}`
  ]) {
    t.strictSame(parse(`{"images":[{"base64":"${bad}"},{"base64":"AAAA"}]}`), {
      images: [{ base64: new Unusable('it is not base64') }, { base64: 'AAAA' }]
    })
  }
})

t.test('parsing a large body yields to the event loop', async (t) => {
  const body = Buffer.from(
    JSON.stringify({
      records: Array.from({ length: 64 }, (_, i) => ({
        id: `${i}`,
        image: { base64: 'AAAA'.repeat(60_000) }
      }))
    })
  )
  let turns = 0
  const count = () => {
    turns++
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  await parseJsonInTurns(body, { name: 'The body' })
  clearImmediate(next)
  t.ok(turns >= 3, `${turns} turns of others`)
})
