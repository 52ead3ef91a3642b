import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import type { Encoder } from '../../../src/encoder/encoder.js'
import { createEmbedder, type EmbedProgress } from '../../../src/evaluation/embedding/create-embedder.js'
import type { DatasetImage } from '../../../src/evaluation/datasets/dataset.js'
import type { Rows } from '../../../src/evaluation/embedding/embedder.js'
import { createImageFiles } from '../../../src/evaluation/embedding/image-files.js'
import { openKeptEmbeddings } from '../../../src/evaluation/embedding/kept-embeddings.js'
import { pngBomb } from '../../fixtures/images.js'
import { miniEncoder } from '../../fixtures/mini.js'

const COLOURS = ['red', 'green', 'blue', 'white', 'black', 'yellow']

/** Files of one colour each. */
async function pictures(folder: string, colours = COLOURS): Promise<DatasetImage[]> {
  return Promise.all(
    colours.map(async (colour, i) => {
      const path = join(folder, `${i}-${colour}.png`)
      await sharp({ create: { width: 40, height: 30, channels: 3, background: colour } })
        .png()
        .toFile(path)
      return { id: `${i}-${colour}`, path }
    })
  )
}

const rowAt = ({ values, dimension }: Rows, i: number) => [
  ...values.subarray(i * dimension, (i + 1) * dimension)
]
const lookups = ({ cacheLookups: { hit, miss } }: Encoder) => hit + miss
const kept = (folder: string, { model: { fingerprint }, dimension }: Encoder) =>
  openKeptEmbeddings({ cache: { folder, maxBytes: 1e9 }, fingerprint, dimension, onWarning: t.fail })

t.test(
  'rows are those of the encoder, in their order, on shared memory; a second time nothing is encoded',
  async (t: Test) => {
    const encoder = await miniEncoder(t, { cacheBytes: 1 << 20 })
    const folder = t.testdir()
    const images = [...(await pictures(folder)), { id: 'again', path: join(folder, '0-red.png') }]
    const texts = ['a red picture', 'blue', 'a red picture', 'a longer text about something green', '']
    const expected = {
      image: [...(await encoder.encodeImage(await readFile(images[2].path)))],
      grey: [...(await encoder.encodeImage(await sharp(images[0].path).greyscale().png().toBuffer()))],
      text: [...(await encoder.encodeText(texts[3]))]
    }
    const run = async () => {
      const told: EmbedProgress[] = []
      const embedder = createEmbedder(encoder, {
        kept: kept(join(folder, 'cache'), encoder),
        onProgress: (progress) => told.push(progress)
      })
      const before = lookups(encoder)
      const rows = {
        images: await embedder.images(images),
        grey: await embedder.images(images.slice(0, 2), { kind: 'grey' }),
        texts: await embedder.texts(texts)
      }
      embedder.close()
      return { rows, told, encoded: lookups(encoder) - before, model: embedder.model }
    }
    const first = await run()
    t.match(first.model, { name: 'mini', dimension: encoder.dimension, zeroShot: { activation: 'softmax' } })
    t.ok(first.rows.images.values.buffer instanceof SharedArrayBuffer)
    t.same(rowAt(first.rows.images, 2), expected.image)
    t.same(rowAt(first.rows.images, 6), rowAt(first.rows.images, 0))
    t.same(rowAt(first.rows.grey, 0), expected.grey)
    t.same(rowAt(first.rows.texts, 3), expected.text)
    t.same(rowAt(first.rows.texts, 2), rowAt(first.rows.texts, 0))
    t.same(
      first.told
        .filter(({ done, total }) => done === total)
        .map(({ total, what, corruption }) => [total, what, corruption?.kind]),
      [
        [7, 'images', undefined],
        [2, 'images', 'grey'],
        [5, 'texts', undefined]
      ]
    )
    const second = await run()
    t.equal(second.encoded, 0)
    for (const list of ['images', 'grey', 'texts'] as const)
      t.same(second.rows[list].values, first.rows[list].values)
  }
)

t.test('images that cannot be embedded are named, each with its reason', async (t) => {
  const encoder = await miniEncoder(t)
  const folder = t.testdir({ 'no.jpg': 'not a picture', 'empty.png': '' })
  const [whole] = await pictures(folder, ['red'])
  await writeFile(join(folder, 'bomb.png'), pngBomb(9000, 9000))
  await writeFile(
    join(folder, 'heavy.png'),
    Buffer.concat([await readFile(whole.path), Buffer.alloc(100_000)])
  )
  const broken = ['no.jpg', 'empty.png', 'bomb.png', 'heavy.png', 'gone.png'].map((id) => ({
    id,
    path: join(folder, id)
  }))
  const embedder = createEmbedder(encoder, { files: createImageFiles({ maxBytes: 50_000, maxPixels: 64e6 }) })
  const found = await embedder.broken([broken[0], whole, ...broken.slice(1)])
  t.same([...found.keys()].map(({ id }) => id).sort(), broken.map(({ id }) => id).sort())
  const reasons = Object.fromEntries([...found].map(([{ id }, reason]) => [id, reason]))
  t.match(reasons, {
    'no.jpg': /of no known type/,
    'empty.png': /empty/,
    'bomb.png': /more pixels than allowed/,
    'heavy.png': /0\.1 MiB; at most/,
    'gone.png': /ENOENT/
  })
  await t.rejects(
    embedder.images([whole, broken[0]]),
    /The image 'no\.jpg' can't be embedded: .*no known type/
  )
  await t.rejects(embedder.images([broken[2]], { kind: 'grey' }), /'bomb\.png'.*more pixels/)
  t.equal((await embedder.images([whole])).values.length, encoder.dimension)
  embedder.close()
})

t.test('a signal ends it at once; what was embedded by then stays', async (t) => {
  const encoder = await miniEncoder(t, { cacheBytes: 1 << 20 })
  const folder = t.testdir()
  const images = await pictures(
    folder,
    Array.from({ length: 150 }, (_, i) => `rgb(${i}, ${255 - i}, 7)`)
  )
  const controller = new AbortController()
  const stopping = createEmbedder(encoder, {
    kept: kept(join(folder, 'cache'), encoder),
    signal: controller.signal,
    onProgress: ({ done }) => void (done === 40 && controller.abort(new Error('enough')))
  })
  await t.rejects(stopping.images(images), /enough/)
  stopping.close()
  await t.rejects(stopping.texts(['a']), /enough/)
  const before = lookups(encoder)
  const going = createEmbedder(encoder, { kept: kept(join(folder, 'cache'), encoder) })
  await going.images(images)
  going.close()
  t.ok(lookups(encoder) - before <= 110, `${lookups(encoder) - before} of 150 were left to encode`)
})
