import { readdir, readFile } from 'node:fs/promises'
import sharp from 'sharp'
import t from 'tap'
import { cosine } from '../../../src/encoder/embedding.js'
import type { Step } from '../../../src/telemetry/stages.js'
import { golden, solid } from '../../fixtures/images.js'
import { encoderOptions, miniEncoder, miniFolder } from '../../fixtures/mini.js'

const reference = JSON.parse(await readFile(`${miniFolder}/golden.json`, 'utf8')) as {
  texts: { text: string; embedding: number[] }[]
  images: { file: string; embedding: number[] }[]
}

t.test("embeddings of the golden texts and pictures are the reference implementation's", async (t) => {
  const encoder = await miniEncoder(t)
  t.equal(encoder.dimension, 256)
  for (const { text, embedding } of reference.texts) {
    const similarity = cosine(await encoder.encodeText(text), Float32Array.from(embedding))
    t.ok(similarity >= 0.9999, `'${text.slice(0, 30)}' has cosine ${similarity.toFixed(6)}`)
  }
  for (const { file, embedding } of reference.images) {
    const similarity = cosine(
      await encoder.encodeImage(await readFile(`${miniFolder}/${file}`)),
      Float32Array.from(embedding)
    )
    t.ok(similarity >= 0.999, `${file} has cosine ${similarity.toFixed(6)}`)
  }
})

t.test('a batch of texts of all lengths gives what each gives alone', async (t) => {
  const encoder = await miniEncoder(t, { towerWorkers: 2 })
  const texts = Array.from({ length: 60 }, (_, i) => `number ${i} ` + 'and a dog '.repeat(i % 23))
  const together = await Promise.all(encoder.encodeTexts(texts))
  for (const [i, text] of texts.entries()) {
    const similarity = cosine(together[i], await encoder.encodeText(text))
    t.ok(similarity > 0.9999, `text ${i}: ${similarity}`)
  }
  for (const embedding of together) t.ok(Math.abs(cosine(embedding, embedding) - 1) < 1e-5)
})

t.test('a batch of images gives what each gives alone, a broken one fails alone', async (t) => {
  const encoder = await miniEncoder(t, { towerWorkers: 2, imageWorkers: 2 })
  const files = await Promise.all(
    ['landscape.png', 'alpha.png', 'grey.png', 'portrait.jpg', 'odd.png'].map(golden)
  )
  const results = await Promise.allSettled(encoder.encodeImages([...files, Buffer.from('no image')]))
  t.match(results.pop(), { status: 'rejected', reason: { code: 'IMAGE_UNSUPPORTED' } })
  for (const [i, result] of results.entries()) {
    if (result.status !== 'fulfilled') return t.fail(String(result.reason))
    t.ok(cosine(result.value, await encoder.encodeImage(files[i])) > 0.9999)
  }
})

t.test('what was seen before comes from the cache', async (t) => {
  const encoder = await miniEncoder(t, { cacheBytes: 1 << 20 })
  const picture = await solid('#336699')
  const [first, again]: [Step[], Step[]] = [[], []]
  const embedding = await encoder.encodeImage(picture, { onStep: (step) => first.push(step) })
  t.same(await encoder.encodeImage(Buffer.from(picture), { onStep: (step) => again.push(step) }), embedding)
  t.same(
    first.map(({ stage }) => stage),
    ['queue', 'queue', 'decode', 'preprocess', 'queue', 'encode'],
    'what it went through'
  )
  t.ok(
    first.every(({ at, ms }, i) => ms >= 0 && (i === 0 || at + ms >= first[i - 1].at)),
    'one after the other'
  )
  t.match(first.at(-1), {
    attributes: { 'semblance.model': 'mini', 'semblance.tower': 'image', 'semblance.batch_size': 1 }
  })
  t.same(again, [], 'and then no more')
  t.equal(await encoder.encodeText('a dog'), await encoder.encodeText('a dog'), 'the very same vector')
  t.not(await encoder.encodeText('a cat'), await encoder.encodeText('a dog'))
})

t.test('search overtakes ingest', async (t) => {
  const encoder = await miniEncoder(t)
  const pictures = await Promise.all(Array.from({ length: 40 }, (_, i) => solid(`rgb(${i},0,0)`)))
  let done = 0
  const bulk = encoder.encodeImages(pictures, { lane: 'bulk' }).map((promise) => promise.then(() => done++))
  await encoder.encodeText('a dog', { lane: 'interactive' })
  t.ok(done < 20, `a text came back after ${done} of 40 pictures`)
  await encoder.encodeImage(await solid('#00ff00'), { lane: 'interactive' })
  t.ok(done < 40, `a picture came back after ${done} of 40 pictures`)
  await Promise.all(bulk)
})

t.test('a full queue refuses a request, aborted work is not done', async (t) => {
  const encoder = await miniEncoder(t, { queueSize: 8 })
  const pictures = await Promise.all(Array.from({ length: 30 }, (_, i) => solid(`rgb(0,${i},0)`)))
  const controller = new AbortController()
  const admitted = Promise.allSettled(
    encoder.encodeImages(pictures, { lane: 'bulk', signal: controller.signal })
  )
  await t.rejects(encoder.encodeImage(pictures[0], { lane: 'bulk' }), { code: 'QUEUE_FULL', statusCode: 429 })
  controller.abort(new Error('gone'))
  const results = await admitted
  t.ok(results.filter(({ status }) => status === 'rejected').length > 15)
  t.equal(encoder.queued.image, 0)
  t.ok(await encoder.encodeImage(pictures[0]), 'the queue is free again')
})

t.test('too long a text fails alone', async (t) => {
  const encoder = await miniEncoder(t)
  const results = await Promise.allSettled(encoder.encodeTexts(['a', 'b'.repeat(9000), 'c']))
  t.match(results, [
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'TEXT_INVALID' } },
    { status: 'fulfilled' }
  ])
})

t.test('close finishes what was admitted', async (t) => {
  const encoder = await miniEncoder(t)
  const pending = Promise.all(encoder.encodeTexts(Array.from({ length: 100 }, (_, i) => `text ${i}`)))
  const image = encoder.encodeImage(await solid('#0000ff'))
  await encoder.close()
  t.equal((await pending).length, 100)
  t.ok(await image)
  await t.rejects(encoder.encodeText('late'), { code: 'CLOSED' })
})

t.test('a tower that does not load says so', async (t) => {
  const { createEncoder } = await import('../../../src/encoder/encoder.js')
  const { loadModelPackage } = await import('../../../src/encoder/model-package.js')
  const model = await loadModelPackage(miniFolder)
  const broken = { ...model, towers: { ...model.towers, text: `${miniFolder}/config.json` } }
  const before = process.env.TMPDIR
  process.env.TMPDIR = t.testdir()
  t.teardown(() => (before === undefined ? delete process.env.TMPDIR : (process.env.TMPDIR = before)))
  await t.rejects(
    createEncoder(broken, encoderOptions()),
    /Model 'mini' can't run on cpu: cpu: .*config\.json/
  )
  t.same(
    (await readdir(t.testdirName)).filter((name) => name.startsWith('semblance-profile-')),
    [],
    'and leaves no profile of the other behind'
  )
})

t.test('the express worker gives what the others give', async (t) => {
  const encoder = await miniEncoder(t, { towerWorkers: 2, expressWorker: true })
  const alone = await encoder.encodeText('a dog on a beach')
  const [together] = await Promise.all(
    encoder.encodeTexts(['a dog on a beach', 'a cat', 'two birds'], { lane: 'bulk' })
  )
  t.ok(cosine(alone, together) > 0.99999)
  const picture = await golden('landscape.png')
  const [bulk] = encoder.encodeImages([picture], { lane: 'bulk' })
  t.ok(cosine(await encoder.encodeImage(Buffer.concat([picture, Buffer.from('.')])), await bulk) > 0.99999)
})

t.test('what is asked for twice at once is encoded once, with its tokens for both', async (t) => {
  let inputs = 0
  const encoder = await miniEncoder(t, { onTowerRun: ({ batch }) => void (inputs += batch) })
  inputs = 0
  const usages = Array.from({ length: 4 }, () => ({ tokens: 0 }))
  const embeddings = await Promise.all(usages.map((usage) => encoder.encodeText('a dog', { usage })))
  t.equal(inputs, 1)
  t.ok(embeddings.every((embedding) => cosine(embedding, embeddings[0]) > 0.99999))
  // Start, "a", "dog" and end.
  t.same(usages, Array(4).fill({ tokens: 4 }))
})

t.test('a cached text has its tokens still', async (t) => {
  const encoder = await miniEncoder(t, { cacheBytes: 1 << 20 })
  const [first, again] = [{ tokens: 0 }, { tokens: 0 }]
  await encoder.encodeText('a dog', { usage: first })
  await encoder.encodeText('a dog', { usage: again })
  t.same([first, again], [{ tokens: 4 }, { tokens: 4 }])
})

t.test('a large JPEG that is shrunk while it is decoded keeps its embedding', async (t) => {
  const encoder = await miniEncoder(t)
  for (const [width, height, orientation] of [
    [2688, 2017, 1],
    [2203, 2019, 6]
  ]) {
    const picture = sharp(await golden('landscape.png')).resize(width, height, {
      fit: 'fill',
      kernel: 'cubic'
    })
    // A PNG of the same pixels is decoded whole.
    const jpeg = await picture.jpeg({ quality: 92 }).withMetadata({ orientation }).toBuffer()
    const whole = await sharp(jpeg).autoOrient().png({ compressionLevel: 1 }).toBuffer()
    const similarity = cosine(await encoder.encodeImage(jpeg), await encoder.encodeImage(whole))
    t.ok(
      similarity >= 0.999,
      `${width}x${height}, orientation ${orientation}: cosine ${similarity.toFixed(5)}`
    )
  }
})
