// How a value becomes the bytes of a body: JSON, a form, lines, or bytes as they are, whole or damaged.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { jsonOf, pictureNumber } from './tokens.js'

const BOUNDARY = '----semblance-fuzz-7d1f0c'
const BOM = Buffer.from('\ufeff')

/** What may be done to the bytes of a body, and to the type that they are sent under. */
const DAMAGES = {
  none: (body) => body,
  bom: ({ type, bytes }) => ({ type, bytes: Buffer.concat([BOM, bytes]) }),
  'cut short': ({ type, bytes }) => ({ type, bytes: bytes.subarray(0, bytes.length >> 1) }),
  'not utf-8': ({ type, bytes }) => ({
    type,
    bytes: Buffer.concat([
      bytes.subarray(0, bytes.length >> 1),
      Buffer.from([0xe9, 0xff]),
      bytes.subarray(bytes.length >> 1)
    ])
  }),
  'utf-16': ({ type, bytes }) => ({ type, bytes: Buffer.from(bytes.toString('utf8'), 'utf16le') }),
  gzip: ({ type, bytes }) => ({ type, bytes: gzipSync(bytes), encoding: 'gzip' }),
  'trailing comma': ({ type, bytes }) => ({ type, bytes: Buffer.concat([bytes, Buffer.from(',')]) }),
  nothing: ({ type }) => ({ type, bytes: Buffer.alloc(0) }),
  'charset latin1': ({ type, bytes }) => ({ type: `${type}; charset=iso-8859-1`, bytes }),
  'type in capitals': ({ type, bytes }) => ({ type: type.replace('application', 'APPLICATION'), bytes }),
  'another type': ({ bytes }) => ({ type: 'text/plain', bytes }),
  'a form without boundary': ({ bytes }) => ({ type: 'multipart/form-data', bytes }),
  'no type': ({ bytes }) => ({ bytes }),
  'odd type': ({ bytes }) => ({ type: ';;=', bytes })
}
const damages = fc.oneof(
  { weight: 12, arbitrary: fc.constant('none') },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(DAMAGES)) }
)

const json = (value, pictures) => Buffer.from(jsonOf(value, pictures) ?? '')

/** How a form may say its parts. */
const formStyle = fc.record({
  partType: fc.constantFrom(
    ...Array(6).fill(undefined),
    'application/json',
    'application/json',
    'text/plain; charset=utf-8',
    'text/plain; charset=iso-8859-1',
    'application/octet-stream'
  ),
  lists: fc.constantFrom('repeated', 'repeated', 'json'),
  oddity: fc.constantFrom(
    ...Array(24).fill(undefined),
    'empty file',
    'many fields',
    'no name',
    'long name',
    'no end',
    'file elsewhere',
    'filename with a path',
    'bom'
  )
})

function formParts(value, { style: { partType, lists }, pictures }) {
  const part = (name, item) => {
    const number = typeof item === 'string' ? pictureNumber(item) : undefined
    if (number !== undefined) return { name, filename: 'picture', bytes: pictures.get(number).bytes }
    const text =
      typeof item === 'string' && !item.startsWith('#raw:')
        ? Buffer.from(partType === 'application/json' ? JSON.stringify(item) : item)
        : json(item, pictures)
    return { name, type: partType, bytes: text }
  }
  return Object.entries(value).flatMap(([name, item]) =>
    Array.isArray(item) && (lists === 'repeated' || name === 'image')
      ? item.map((each) => part(name, each))
      : [part(name, item)]
  )
}

const ODDITIES = {
  'empty file': (parts) => [
    ...parts,
    { name: 'image', filename: '', type: 'application/octet-stream', bytes: Buffer.alloc(0) }
  ],
  'many fields': (parts) => [
    ...parts,
    ...Array.from({ length: 1100 }, (_, i) => ({ name: i % 2 ? 'metadata' : 'x', bytes: Buffer.from('{}') }))
  ],
  'no name': (parts) => [...parts, { bytes: Buffer.from('x') }],
  'long name': (parts) => [...parts, { name: 'n'.repeat(5000), bytes: Buffer.from('x') }],
  'file elsewhere': (parts) => [...parts, { name: 'other', filename: 'a', bytes: Buffer.from('x') }],
  'filename with a path': (parts) =>
    parts.map((part) => (part.filename === undefined ? part : { ...part, filename: '../../ünï\u202e.png' })),
  bom: (parts) =>
    parts.map((part) =>
      part.filename === undefined ? { ...part, bytes: Buffer.concat([BOM, part.bytes]) } : part
    )
}

function form(value, { style, pictures }) {
  const parts = (ODDITIES[style.oddity] ?? ((same) => same))(
    formParts(Object(value) === value ? value : { text: value }, { style, pictures })
  )
  const chunks = parts.map(({ name, filename, type, bytes }) => {
    const attributes = [
      name !== undefined && `name="${encodeURI(name).replaceAll('"', '%22')}"`,
      filename !== undefined && `filename="${filename}"`
    ].filter(Boolean)
    const head = [
      `content-disposition: ${['form-data', ...attributes].join('; ')}`,
      ...(type ? [`content-type: ${type}`] : [])
    ]
    return Buffer.concat([
      Buffer.from(`--${BOUNDARY}\r\n${head.join('\r\n')}\r\n\r\n`),
      bytes,
      Buffer.from('\r\n')
    ])
  })
  return Buffer.concat([...chunks, Buffer.from(style.oddity === 'no end' ? '' : `--${BOUNDARY}--\r\n`)])
}

const ENCODERS = {
  'multipart/form-data': (value, options) => ({
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    bytes: form(value, options)
  }),
  'application/json': (value, { pictures }) => ({ type: 'application/json', bytes: json(value, pictures) }),
  'application/x-ndjson': (values, { style: { ends, bad, junk }, pictures }) => {
    const lines = values.map((line) => jsonOf(line, pictures))
    return {
      type: 'application/x-ndjson',
      bytes: Buffer.from([...lines, ...Array(bad).fill(junk)].join(ends))
    }
  }
}
const STYLES = {
  'multipart/form-data': formStyle,
  'application/x-ndjson': fc.record({
    ends: fc.constantFrom('\n', '\r\n', '\n\n'),
    bad: fc.constantFrom(0, 0, 0, 0, 1, 3, 2000, 20_000),
    junk: fc.constantFrom('{}', '', '[', 'null', '{"id":5}', '"x"', '\0', '{"text":null,"id":"r1"}')
  })
}

/** The body of a type that says a value. */
export function encodeBody(type, value, options) {
  return ENCODERS[type] ? ENCODERS[type](value, options) : { type, bytes: Buffer.from(String(value)) }
}

/** Bodies of a type. Each has its `value`, for the pictures in it, and `bytesOf(pictures)`. */
export function bodiesOf(type, values) {
  const bytes = fc.constantFrom('', 'SQLite format 3\0', 'x'.repeat(5000))
  return fc
    .record({
      value: ENCODERS[type] ? values : bytes,
      style: STYLES[type] ?? fc.constant({}),
      damage: damages
    })
    .map(({ value, style, damage }) => ({
      value,
      bytesOf: (pictures) => DAMAGES[damage](encodeBody(type, value, { style, pictures }))
    }))
}
