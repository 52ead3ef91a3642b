/**
 * Checks the packages beside it with onnxruntime-node and @huggingface/tokenizers alone: that the tokenizers
 * give the goldens' ids and every graph the goldens' embeddings. By hand: node test/towers/check.mjs
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Tokenizer } from '@huggingface/tokenizers'
import ort from 'onnxruntime-node'
import sharp from 'sharp'

const root = dirname(fileURLToPath(import.meta.url))
const json = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))
const PUNCTUATION = /[!-/:-@[-`{-~]/g
const collapse = (text) => text.split(/\s+/).filter(Boolean).join(' ')

/** What the reference does to a text before the tokenizer, by package. */
const clean = {
  siglip2: (text) => text.toLowerCase(),
  'immich-clip': collapse,
  'immich-mclip': collapse,
  'immich-siglip2': (text) => collapse(text.replaceAll('_', ' ').replace(PUNCTUATION, '').toLowerCase())
}
/** The length that every text is padded to, and with which token. */
const padding = {
  siglip: [64, 1],
  siglip2: [64, 0],
  'immich-clip': [77],
  'immich-siglip2': [64, 0],
  'immich-mclip': [77, 1]
}
/** The least cosine of a variant; the quantized ones' are told only. */
const least = { '': 0.99999, fp16: 0.999 }

const tell = (line) => process.stdout.write(`${line}\n`)
const failures = []
const must = (holds, what) => holds || failures.push(what)

function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) [dot, aa, bb] = [dot + a[i] * b[i], aa + a[i] ** 2, bb + b[i] ** 2]
  return dot / Math.sqrt(aa * bb)
}

/** The float16 nearest to a number, as its bits. */
function toHalf(value) {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]
  const [sign, exponent, fraction] = [(bits >>> 16) & 0x8000, ((bits >>> 23) & 0xff) - 112, bits & 0x7fffff]
  if (exponent <= 0)
    return exponent < -10 ? sign : sign | Math.round((fraction | 0x800000) / 2 ** (14 - exponent))
  return sign + Math.min(0x7c00, (exponent << 10) + Math.round(fraction / 8192))
}

function fromHalf(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >>> 10) & 31, bits & 1023]
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction / 2 ** 24)
}

function tensor(type, values, dims) {
  const data = {
    float16: () => Uint16Array.from(values, toHalf),
    float32: () => Float32Array.from(values),
    int32: () => Int32Array.from(values),
    int64: () => BigInt64Array.from(values, BigInt)
  }
  return new ort.Tensor(type, data[type](), dims)
}

/** The rows of a session's embedding, whatever it is called. */
async function embed(session, feeds) {
  const name = session.outputNames.find((output) => output !== 'last_hidden_state')
  const { data, dims, type } = (await session.run(feeds, [name]))[name]
  const numbers = Array.from(data, (value) =>
    type === 'float16' && data instanceof Uint16Array ? fromHalf(value) : Number(value)
  )
  return Array.from({ length: dims[0] }, (_, row) => numbers.slice(row * dims[1], (row + 1) * dims[1]))
}

async function pictures(folder, { images, pixel_mean: mean, pixel_std: std }) {
  const { data, info } = await sharp(join(root, folder, 'golden-pixels.png'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const size = info.width
  return images.map((_, at) => {
    const values = new Array(3 * size * size)
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < size * size; i++)
        values[c * size * size + i] = (data[(at * size * size + i) * 3 + c] / 255 - mean[c]) / std[c]
    return values
  })
}

/** Feeds for `rows` of token ids, padded to one length. */
function textFeeds(session, rows, [length, token]) {
  const longest = length ?? Math.max(...rows.map((ids) => ids.length))
  const fill = (ids, value) => [...ids, ...new Array(longest - ids.length).fill(value)]
  const feeds = {}
  for (const { name, type } of session.inputMetadata) {
    const values = rows.flatMap((ids) =>
      name === 'attention_mask'
        ? fill(
            ids.map(() => 1),
            0
          )
        : fill(ids, token)
    )
    feeds[name] = tensor(type, values, [rows.length, longest])
  }
  return feeds
}

/** The least cosine of a tower's embeddings with the goldens, where the items are fed in batches. */
async function compare(session, batches, feedsOf) {
  let worst = 1
  for (const items of batches) {
    const rows = await embed(session, feedsOf(items.map(({ input }) => input)))
    rows.forEach((row, at) => (worst = Math.min(worst, cosine(row, items[at].embedding))))
  }
  return worst
}

function checkTokenizer(folder, golden) {
  const at = existsSync(join(root, folder, 'textual')) ? join(folder, 'textual') : folder
  const tokenizer = new Tokenizer(json(at, 'tokenizer.json'), json(at, 'tokenizer_config.json'))
  for (const { text, input_ids: ids } of golden.texts) {
    const found = tokenizer.encode((clean[folder] ?? String)(text)).ids
    const cut = found.length > ids.length ? [...found.slice(0, ids.length - 1), found.at(-1)] : found
    must(
      cut.join() === ids.join(),
      `${folder}: tokens of ${JSON.stringify(text.slice(0, 40))}: ${found} instead of ${ids}`
    )
  }
  return tokenizer.token_to_id(tokenizer.config.pad_token)
}

async function checkPackage(folder) {
  const golden = json(folder, 'golden.json')
  const padId = checkTokenizer(folder, golden)
  const prepared = await pictures(folder, golden)
  const graphs = readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.onnx'))
    .sort()
  for (const path of graphs) {
    const session = await ort.InferenceSession.create(join(root, folder, path), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1
    })
    const isText = /text/.test(path)
    const [{ name, type, shape }] = session.inputMetadata
    const [length, token = padId] = padding[folder] ?? []
    const inputs = isText
      ? golden.texts.map((entry) => ({ input: entry.input_ids, embedding: entry.embedding }))
      : golden.images.map((entry, i) => ({ input: prepared[i], embedding: entry.embedding }))
    const size = Math.sqrt(prepared[0].length / 3)
    const feeds = (items) =>
      isText
        ? textFeeds(session, items, [length, token])
        : { [name]: tensor(type, items.flat(), [items.length, 3, size, size]) }
    const alone = await compare(
      session,
      inputs.map((input) => [input]),
      feeds
    )
    const together = shape[0] === 1 ? alone : await compare(session, [inputs], feeds)
    const variant = /_(fp16|quantized|int8|q4)\.onnx$/.exec(path)?.[1] ?? ''
    must(
      Math.min(alone, together) >= (least[variant] ?? 0),
      `${folder}/${path}: cosines ${alone}, ${together}`
    )
    const io = session.inputMetadata.map((input) => `${input.name} ${input.type} [${input.shape}]`).join(', ')
    tell(
      `${folder.padEnd(15)} ${path.padEnd(34)} alone ${alone.toFixed(7)}, in a batch ` +
        `${together.toFixed(7)}  ${io} -> ${session.outputNames}`
    )
    must(shape.length === (isText ? 2 : 4), `${folder}/${path}: axes`)
    await session.release()
  }
}

const folders = readdirSync(root).filter((name) => existsSync(join(root, name, 'golden.json')))
for (const folder of folders) await checkPackage(folder)
for (const failure of failures) tell(failure)
tell(`${folders.length} packages, ${failures.length} failures`)
process.exitCode = failures.length ? 1 : 0
