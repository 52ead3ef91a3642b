import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

const base = '/v1/collections/pictures'
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

t.test('kept images, and thumbnails of them that are made on demand', async (t) => {
  const dataDir = t.testdir()
  const { url, api } = await testServer(t, {
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip',
    DATA_DIR: dataDir,
    MAX_IMAGE_MEGAPIXELS: '1'
  })
  t.equal((await api('PUT', base, {})).status, 201)
  const wide = await sharp({ create: { width: 900, height: 300, channels: 3, background: 'green' } })
    .jpeg()
    .toBuffer()
  const upright = await sharp({ create: { width: 640, height: 320, channels: 3, background: 'blue' } })
    .jpeg()
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const small = await solid('red', { width: 40, height: 20 })
  const truncated = (
    await sharp({
      create: {
        width: 400,
        height: 400,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 60 }
      }
    })
      .png()
      .toBuffer()
  ).subarray(0, 20_000)
  const large = await solid('red', { width: 2000, height: 1000 })
  const vector = {
    image: [1, ...Array.from({ length: (await api('GET', base)).body.dimension - 1 }, () => 0)]
  }
  const record = (id: string, bytes: Buffer, brought = false) => ({
    id,
    image: { base64: bytes.toString('base64') },
    ...(brought && { embeddings: vector })
  })
  const { body } = await api('POST', `${base}/records`, {
    // Images that bring their embedding are kept unseen.
    records: [
      record('wide', wide),
      record('upright', upright),
      record('small', small),
      record('truncated', truncated, true),
      record('large', large, true),
      { id: 'text', text: 'no picture' }
    ]
  })
  t.same(
    body.results.map(({ status }: { status: string }) => status),
    Array(6).fill('created')
  )
  const get = (id: string, query = '?size=thumbnail', headers: Record<string, string> = {}) =>
    fetch(`${url}${base}/records/${id}/image${query}`, { headers })
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

  t.test('the image as it was sent', async (t) => {
    const response = await get('wide', '')
    t.match(Object.fromEntries(response.headers), {
      'content-type': 'image/jpeg',
      etag: `"${sha256(wide)}"`,
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff'
    })
    t.ok((await bytesOf(response)).equals(wide))
  })

  t.test('a thumbnail is a WebP of 320 pixels at most, upright, never enlarged', async (t) => {
    for (const [id, width, height] of [
      ['wide', 320, 107],
      ['upright', 160, 320],
      ['small', 40, 20]
    ] as const) {
      const response = await get(id)
      t.match(Object.fromEntries(response.headers), {
        'content-type': 'image/webp',
        'cache-control': 'private, no-cache',
        'content-security-policy': /sandbox/
      })
      const bytes = await bytesOf(response)
      t.equal(Number(response.headers.get('content-length')), bytes.length)
      t.match(await sharp(bytes).metadata(), { format: 'webp', width, height }, id)
    }
    const again = await Promise.all(Array.from({ length: 8 }, async () => bytesOf(await get('wide'))))
    t.equal(new Set(again.map(sha256)).size, 1, 'the same whenever it is asked for')
  })

  t.test('a thumbnail is known by an ETag of its own', async (t) => {
    const etag = (await get('wide')).headers.get('etag')!
    t.not(etag, (await get('wide', '')).headers.get('etag'))
    const known = await get('wide', '?size=thumbnail', { 'if-none-match': `"other", W/${etag}` })
    t.equal(known.status, 304)
    t.equal(await known.text(), '')
    t.equal((await get('wide', '', { 'if-none-match': etag })).status, 200, 'which the image itself is not')
  })

  t.test('what is no picture to make one of is answered as anywhere', async (t) => {
    const image = (id: string, query = '?size=thumbnail') => api('GET', `${base}/records/${id}/image${query}`)
    t.match(await image('truncated'), { status: 422, body: { error: { code: 'IMAGE_INVALID' } } })
    t.match(await image('large'), { status: 413, body: { error: { code: 'IMAGE_TOO_LARGE' } } })
    t.match(await image('text'), { status: 404, body: { error: { code: 'IMAGE_NOT_KEPT' } } })
    t.match(await image('nobody'), { status: 404, body: { error: { code: 'RECORD_NOT_FOUND' } } })
    t.match(await image('wide', '?size=huge'), { status: 400, body: { error: { code: 'INVALID_REQUEST' } } })
    await rm(join(dataDir, 'images', sha256(truncated)))
    t.match(
      await image('truncated'),
      { status: 404, body: { error: { code: 'IMAGE_NOT_KEPT' } } },
      'its file is gone'
    )
  })

  t.test('where thumbnails are kept they are the thumbnails, to the byte', async (t) => {
    await api('PUT', '/v1/collections/small', { storage: 'thumbnail' })
    await api('POST', '/v1/collections/small/records', { records: [record('wide', wide)] })
    const [kept, made] = await Promise.all(
      ['', '?size=thumbnail'].map(async (query) =>
        bytesOf(await fetch(`${url}/v1/collections/small/records/wide/image${query}`))
      )
    )
    t.match(await sharp(kept).metadata(), { format: 'webp', width: 320 })
    t.ok(kept.equals(made))
  })

  t.test('what is transparent stays so, whatever carries it', async (t) => {
    const half = sharp({
      create: { width: 640, height: 320, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } }
    })
    const hole = {
      input: { create: { width: 320, height: 320, channels: 4 as const, background: '#000' } },
      left: 0,
      top: 0,
      blend: 'dest-out' as const
    }
    const png = await half.clone().composite([hole]).png().toBuffer()
    const webp = await half.clone().resize(100, 50).webp().toBuffer()
    const files = {
      png,
      webp,
      deep: await half.clone().toColourspace('rgb16').png().toBuffer(),
      turned: await half.clone().png().withMetadata({ orientation: 6 }).toBuffer(),
      gif: await half.clone().composite([hole]).gif().toBuffer()
    }
    const { body } = await api('POST', `${base}/records`, {
      records: Object.entries(files).map(([id, bytes]) => record(`clear-${id}`, bytes))
    })
    t.same(
      body.results.map(({ status }: { status: string }) => status),
      Array(5).fill('created')
    )
    const thumbnail = async (id: string) => {
      const { data, info } = await sharp(await bytesOf(await get(`clear-${id}`)))
        .raw()
        .toBuffer({ resolveWithObject: true })
      return {
        size: [info.width, info.height, info.channels],
        at: (x: number, y: number) => [
          ...data.subarray(4 * (y * info.width + x), 4 * (y * info.width + x) + 4)
        ]
      }
    }
    const shown = await thumbnail('png')
    t.same(shown.size, [320, 160, 4])
    t.equal(shown.at(10, 80)[3], 0, 'the hole')
    for (const id of ['png', 'deep']) {
      const [r, g, b, alpha] = (await thumbnail(id)).at(300, 80)
      t.ok(
        r > 245 && g < 10 && b < 10 && Math.abs(alpha - 128) <= 1,
        `${id} is half of red: ${r} ${g} ${b} ${alpha}`
      )
    }
    t.same((await thumbnail('turned')).size, [160, 320, 4])
    t.equal((await thumbnail('gif')).at(10, 80)[3], 0)
    t.ok((await bytesOf(await get('clear-webp'))).equals(webp), 'a small WebP is given back')
    await api('POST', '/v1/collections/small/records', { records: [record('clear', png)] })
    const kept = await bytesOf(await fetch(`${url}/v1/collections/small/records/clear/image`))
    t.equal((await sharp(kept).metadata()).hasAlpha, true, 'and where thumbnails are kept')
  })

  t.test('a WebP that says more than its pixels is made again', async (t) => {
    const told = await sharp({ create: { width: 50, height: 50, channels: 3, background: 'green' } })
      .webp()
      .withExif({ IFD0: { Copyright: 'somebody' } })
      .toBuffer()
    await api('POST', `${base}/records`, { records: [record('told', told)] })
    const { exif, width } = await sharp(await bytesOf(await get('told'))).metadata()
    t.same([exif, width], [undefined, 50])
  })
})
