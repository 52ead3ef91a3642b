// What the model of a running service can't tell apart, for docs/explanation/limits.md. It draws its own
// scenes; the service has to have the demo collection. With a folder of photos/ and captions.json (COCO
// format) word order is measured on real captions.
// node bench/limits.js --url http://localhost:8080 [--dataset <folder>]
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'

const { values } = parseArgs({
  options: { url: { type: 'string', default: 'http://localhost:8080' }, dataset: { type: 'string' } }
})

async function call(path, body) {
  const response = await fetch(`${values.url}/v1${path}`, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  return response
}

const chunks = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
const mean = (list) => list.reduce((a, b) => a + Number(b), 0) / list.length
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const percent = (share) => `${(100 * share).toFixed(1)} %`

/** Embeddings of texts, or of pictures as PNG or WebP bytes. */
async function embed(inputs) {
  const answers = []
  for (const input of chunks(
    inputs.map((value) =>
      typeof value === 'string' ? { text: value } : { image: { base64: value.toString('base64') } }
    ),
    64
  )) {
    const { data } = await (await call('/embeddings', { input })).json()
    answers.push(...data.map(({ embedding }) => embedding))
  }
  return answers
}

// The same numbers each time (Park and Miller's generator).
let seed = 1
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
const shuffled = (list) =>
  list
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)

const draw = (svg) =>
  sharp(
    Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="224" height="224"><rect width="224" height="224" ' +
        `fill="white"/>${svg}</svg>`
    )
  )
    .png()
    .toBuffer()
const SHAPES = {
  circle: (x, fill) => `<circle cx="${x}" cy="112" r="42" fill="${fill}"/>`,
  square: (x, fill) => `<rect x="${x - 40}" y="72" width="80" height="80" fill="${fill}"/>`,
  triangle: (x, fill) => `<polygon points="${x},68 ${x - 46},154 ${x + 46},154" fill="${fill}"/>`
}
const COLOURS = ['red', 'green', 'blue', 'yellow', 'black', 'purple']
const pairs = (list) => list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b]))

/** Two pictures and two captions each: whose caption, whose picture, and both. */
async function scores(cases) {
  const images = await embed(await Promise.all(cases.flatMap(({ pictures }) => pictures)))
  const texts = await embed(cases.flatMap(({ captions }) => captions))
  const results = cases.map((_, i) => {
    const [a, b, s, u] = [images[2 * i], images[2 * i + 1], texts[2 * i], texts[2 * i + 1]]
    const text = dot(a, s) > dot(a, u) && dot(b, u) > dot(b, s)
    const image = dot(a, s) > dot(b, s) && dot(b, u) > dot(a, u)
    return { text, image, group: text && image }
  })
  return Object.fromEntries(
    ['text', 'image', 'group'].map((name) => [name, percent(mean(results.map((result) => result[name])))])
  )
}

const single = pairs(COLOURS).flatMap(([c, d]) =>
  Object.keys(SHAPES).map((shape) => ({
    pictures: [draw(SHAPES[shape](112, c)), draw(SHAPES[shape](112, d))],
    captions: [`a ${c} ${shape}`, `a ${d} ${shape}`]
  }))
)
const bound = pairs(COLOURS).flatMap(([c, d]) =>
  pairs(Object.keys(SHAPES)).map(([shape, other]) => ({
    pictures: [
      draw(SHAPES[shape](62, c) + SHAPES[other](162, d)),
      draw(SHAPES[shape](62, d) + SHAPES[other](162, c))
    ],
    captions: [`a ${c} ${shape} and a ${d} ${other}`, `a ${d} ${shape} and a ${c} ${other}`]
  }))
)
const sides = pairs(Object.keys(SHAPES)).flatMap(([shape, other]) =>
  COLOURS.map((c) => ({
    pictures: [
      draw(SHAPES[shape](62, c) + SHAPES[other](162, c)),
      draw(SHAPES[other](62, c) + SHAPES[shape](162, c))
    ],
    captions: [`a ${shape} to the left of a ${other}`, `a ${other} to the left of a ${shape}`]
  }))
)
console.log(
  "Two pictures and two captions; text: each picture's caption, image: each caption's picture, group: " +
    'both. Chance is 25, 25 and 16.7 %.'
)
console.table({
  'one shape, two colours': { cases: single.length, ...(await scores(single)) },
  'two shapes, colours swapped': { cases: bound.length, ...(await scores(bound)) },
  'two shapes, sides swapped': { cases: sides.length, ...(await scores(sides)) }
})

const records = (await (await call('/collections/emoji/export?embeddings=true')).text())
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const decode = (embedding) =>
  typeof embedding === 'string'
    ? [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)]
    : embedding
const emoji = records
  .filter(({ embeddings }) => embeddings.image && embeddings.text)
  .map(({ id, text, metadata, embeddings }) => ({
    id,
    text,
    metadata,
    image: decode(embeddings.image),
    words: decode(embeddings.text)
  }))
const picture = async (id) =>
  Buffer.from(await (await call(`/collections/emoji/records/${encodeURIComponent(id)}/image`)).arrayBuffer())
const NOUNS = [
  'dog',
  'cat',
  'horse',
  'pig',
  'cow',
  'fish',
  'frog',
  'turtle',
  'bee',
  'banana',
  'pizza',
  'hamburger',
  'carrot',
  'strawberry',
  'pear',
  'bicycle',
  'airplane',
  'umbrella',
  'guitar',
  'scissors',
  'key',
  'hammer',
  'balloon',
  'rose'
]
const nouns = NOUNS.flatMap((noun) => emoji.find(({ text }) => text === noun) ?? [])

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six']
const counts = await Promise.all(
  nouns.slice(0, 20).flatMap((noun) =>
    NUMBERS.map(async (_, i) => {
      const tile = await sharp(await picture(noun.id))
        .resize(70, 70)
        .png()
        .toBuffer()
      const copies = Array.from({ length: i + 1 }, (_, at) => ({
        input: tile,
        left: 4 + (at % 3) * 73,
        top: 40 + Math.floor(at / 3) * 76
      }))
      return {
        noun: noun.text,
        count: i,
        bytes: await sharp({ create: { width: 224, height: 224, channels: 3, background: 'white' } })
          .composite(copies)
          .png()
          .toBuffer()
      }
    })
  )
)
const PLURALS = { fish: 'fish', scissors: 'scissors', strawberry: 'strawberries' }
const plural = (noun, count) => (count === 0 ? noun : (PLURALS[noun] ?? `${noun}s`))
const countEmbeddings = await embed(counts.map(({ bytes }) => bytes))
const guesses = await Promise.all(
  counts.map(async ({ noun, count }, i) => {
    const texts = await embed(NUMBERS.map((number, n) => `a picture of ${number} ${plural(noun, n)}`))
    const similarities = texts.map((text) => dot(text, countEmbeddings[i]))
    return { count, guess: similarities.indexOf(Math.max(...similarities)) }
  })
)
const timesGuessed = (n) => guesses.filter(({ guess }) => guess === n).length
console.log(
  `Counting one to six of ${counts.length / 6} things: ` +
    `${percent(mean(guesses.map(({ count, guess }) => count === guess)))} right (chance 16.7 %), off by ` +
    `${mean(guesses.map(({ count, guess }) => Math.abs(count - guess))).toFixed(2)} in the mean; guessed ` +
    NUMBERS.map((number, n) => `${number} ${timesGuessed(n)}`).join(', ')
)

/** In how many of the searches the noun's own picture is among the ten best. */
async function found(template) {
  const texts = await embed(nouns.map(({ text }) => template.replace('{}', text)))
  return mean(
    nouns.map(
      (noun, i) => emoji.filter(({ image }) => dot(image, texts[i]) > dot(noun.image, texts[i])).length < 10
    )
  )
}
console.log(
  `Negation, ${nouns.length} nouns among ${emoji.length} pictures: the noun's picture is among the ten ` +
    `best for "a picture of a {}" ${percent(await found('a picture of a {}'))}, for "a picture without a ` +
    `{}" ${percent(await found('a picture without a {}'))}, for "no {}" ${percent(await found('no {}'))}`
)
const dogs = await embed([
  'a picture of a dog',
  'a picture without a dog',
  'a picture of a cat',
  'a picture of a bicycle'
])
console.log(
  `cosines to "a picture of a dog": without a dog ${dot(dogs[0], dogs[1]).toFixed(3)}, of a cat ` +
    `${dot(dogs[0], dogs[2]).toFixed(3)}, of a bicycle ${dot(dogs[0], dogs[3]).toFixed(3)}`
)

const labelled = await Promise.all(
  nouns.map(async ({ id, text }, i) => {
    const other = nouns[(i + 7) % nouns.length].text
    const word = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="224" height="64"><rect width="224" height="64" ' +
        'fill="white"/><text x="112" y="48" font-size="44" font-family="sans-serif" ' +
        `text-anchor="middle">${other}</text></svg>`
    )
    const plain = await sharp(await picture(id))
      .resize(224, 224)
      .flatten({ background: 'white' })
      .png()
      .toBuffer()
    return {
      text,
      other,
      plain,
      written: await sharp(plain)
        .composite([{ input: word, left: 0, top: 80 }])
        .png()
        .toBuffer()
    }
  })
)
const labels = await embed(nouns.map(({ text }) => `a picture of a ${text}`))
const best = (image) =>
  nouns[
    labels.map((label) => dot(label, image)).reduce((top, value, i, all) => (value > all[top] ? i : top), 0)
  ].text
for (const [name, key] of [
  ['plain', 'plain'],
  ['with another label written across', 'written']
]) {
  const said = (await embed(labelled.map((one) => one[key]))).map(best)
  console.log(
    `${labelled.length} pictures, as many labels, ${name}: right ` +
      `${percent(mean(said.map((label, i) => label === labelled[i].text)))}, the written one ` +
      `${percent(mean(said.map((label, i) => label === labelled[i].other)))}`
  )
}

function gap(name, images, texts) {
  const some = Array.from({ length: 4000 }, () => [
    Math.floor(random() * images.length),
    Math.floor(random() * texts.length)
  ])
  const centroid = (list) => list[0].map((_, d) => mean(list.map((vector) => vector[d])))
  const [ci, ct] = [centroid(images), centroid(texts)]
  console.log(
    `${name}: mean cosines of a picture and its text ` +
      `${mean(images.map((image, i) => dot(image, texts[i]))).toFixed(3)}, a picture and another text ` +
      `${mean(some.filter(([a, b]) => a !== b).map(([a, b]) => dot(images[a], texts[b]))).toFixed(3)}, ` +
      'two texts ' +
      `${mean(some.filter(([a, b]) => a !== b).map(([a, b]) => dot(texts[a], texts[b]))).toFixed(3)}, ` +
      'two pictures ' +
      `${mean(some.filter(([a, b]) => a !== b).map(([a, b]) => dot(images[a], images[b]))).toFixed(3)}; ` +
      `the centres are ${Math.hypot(...ci.map((value, d) => value - ct[d])).toFixed(3)} apart`
  )
  const nearest = (queries, others) =>
    mean(
      queries.map((query, i) =>
        Math.max(
          ...others.filter((_, at) => others !== queries || at !== i).map((other) => dot(query, other))
        )
      )
    )
  console.log(
    `${name}: mean cosine of a text's nearest text ${nearest(texts, texts).toFixed(3)}, of its nearest ` +
      `picture ${nearest(texts, images).toFixed(3)}`
  )
}
gap(
  'emoji',
  emoji.map(({ image }) => image),
  emoji.map(({ words }) => words)
)

if (values.dataset) {
  const { images, annotations } = JSON.parse(await readFile(join(values.dataset, 'captions.json'), 'utf8'))
  const photos = await embed(
    await Promise.all(images.map(({ file_name: file }) => readFile(join(values.dataset, 'photos', file))))
  )
  const captions = await embed(annotations.map(({ caption }) => caption))
  const scrambled = await embed(
    annotations.map(({ caption }) =>
      shuffled(
        caption
          .toLowerCase()
          .replaceAll(/[^a-z' ]/g, '')
          .split(/\s+/)
          .filter(Boolean)
      ).join(' ')
    )
  )
  const plainer = await embed(
    annotations.map(({ caption }) =>
      caption
        .toLowerCase()
        .replaceAll(/[^a-z' ]/g, '')
        .trim()
    )
  )
  const of = new Map(images.map(({ id }, i) => [id, i]))
  const recall = (texts) =>
    mean(
      annotations.map(
        ({ image_id: id }, i) =>
          photos.filter((photo) => dot(photo, texts[i]) > dot(photos[of.get(id)], texts[i])).length < 10
      )
    )
  const prefersOrder = annotations.map(({ image_id: id }, i) => {
    const photo = photos[of.get(id)]
    return dot(photo, plainer[i]) > dot(photo, scrambled[i])
  })
  console.log(
    `${annotations.length} captions of ${images.length} photos: cosine of a caption and its words in ` +
      `any order ${mean(plainer.map((caption, i) => dot(caption, scrambled[i]))).toFixed(3)}; the photo ` +
      `prefers the right order ${percent(mean(prefersOrder))} (chance 50 %); ` +
      `recall@10 ${recall(plainer).toFixed(3)} in order, ${recall(scrambled).toFixed(3)} in any order`
  )
  const first = images.map(({ id }) => annotations.findIndex((annotation) => annotation.image_id === id))
  gap(
    'photos',
    photos,
    first.map((at) => captions[at])
  )
}
