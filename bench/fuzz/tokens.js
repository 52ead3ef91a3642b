// Values too large or too odd to be generated and shrunk as they are. A token is a short string in a value;
// `expand` puts what it stands for in its place, once the value is text.

const nested = (open, close, inner) => (depth) => open.repeat(depth) + inner + close.repeat(depth)
const repeated = (count, item) => Array.from({ length: count }, (_, i) => item(i)).join(',')

/** What a token of each kind stands for, as JSON text. */
const KINDS = {
  number: (digits) => digits,
  'deep-object': (depth) => nested('{"a":', '}', '1')(Number(depth)),
  'deep-list': (depth) => nested('[', ']', '')(Number(depth)),
  'deep-and': (depth) => nested('{"$and":[', ']}', '{"a":1}')(Number(depth)),
  'deep-not': (depth) => nested('{"$not":', '}', '{"a":1}')(Number(depth)),
  keys: (count) => `{${repeated(Number(count), (i) => `"k${i}":${i}`)}}`,
  'negated-ranges': (count) =>
    `{"$and":[${repeated(Number(count), (i) => `{"$not":{"size":{"$gt":${i}}}}`)}]}`,
  list: (count) => `[${repeated(Number(count), () => '0')}]`,
  texts: (count) => `[${repeated(Number(count), (i) => `"text ${i % 7}"`)}]`,
  long: (count) => `"${'a red apple '.repeat(Math.ceil(Number(count) / 12)).slice(0, Number(count))}"`,
  emoji: (count) => `"${'😀'.repeat(Number(count))}"`,
  vector: (dimension) => `[${repeated(Number(dimension), (i) => String(Math.sin(i + 1)))}]`,
  proto: () => '{"__proto__":{"polluted":true}}',
  constructor: () => '{"constructor":{"prototype":{"polluted":true}}}',
  twice: () => '{"colour":"red","colour":"blue"}',
  nan: () => 'NaN'
}

const RAW = /"#raw:([a-z-]+):([^"]*)"/g

/** A token that becomes JSON text of a kind. */
export const raw = (kind, argument) => `#raw:${kind}:${argument}`

/** A token that becomes the base64 of a picture of the corpus, and in forms its bytes. */
export const picture = (number) => `#picture:${number}`

/** The number of the picture that a string stands for; undefined for other strings. */
export const pictureNumber = (text) => /^(?:data:image\/png;base64,)?#picture:(\d+)$/.exec(text)?.[1]

/** JSON text of a value, its tokens expanded. `pictures` maps numbers to bytes. */
export function jsonOf(value, pictures) {
  return JSON.stringify(value)
    .replace(RAW, (_, kind, argument) => KINDS[kind](argument))
    .replace(/#picture:(\d+)/g, (_, number) => pictures.get(number).bytes.toString('base64'))
}

/** The numbers of all pictures that a value mentions. */
export const picturesIn = (value) =>
  [...new Set((JSON.stringify(value) ?? '').match(/#picture:\d+/g) ?? [])].map((token) =>
    token.slice('#picture:'.length)
  )
