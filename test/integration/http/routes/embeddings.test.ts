import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import t from 'tap'
import { cosine } from '../../../../src/encoder/embedding.js'
import { form, golden } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

t.test('embeddings', async (t) => {
  const { api, url } = await testServer(t)
  const portrait = await golden('portrait.jpg')
  const image = { base64: portrait.toString('base64') }
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none is asked for', maxRetries: 0 })
  const embed = async (body: object) => api('POST', '/v1/embeddings', body)

  t.test("OpenAI's client gets floats, however it asks for them", async (t) => {
    const input = ['a dog', 'a photo of a cat']
    // The client asks for base64 by itself and decodes it.
    const plain = await openai.embeddings.create({ model: 'mini', input })
    const floats = await openai.embeddings.create({ model: 'mini', input, encoding_format: 'float' })
    t.match(plain, {
      object: 'list',
      model: 'mini',
      data: [{ object: 'embedding', index: 0 }, { index: 1 }],
      usage: { prompt_tokens: 11, total_tokens: 11 }
    })
    t.equal(plain.data[0].embedding.length, 256)
    for (const i of [0, 1])
      t.ok(
        Math.max(
          ...plain.data[i].embedding.map((value, d) => Math.abs(value - floats.data[i].embedding[d]))
        ) < 1e-6
      )
    const single = await openai.embeddings.create({ model: 'mini', input: 'a dog', encoding_format: 'float' })
    t.same(single.data[0].embedding, floats.data[0].embedding)
    await t.rejects(openai.embeddings.create({ model: 'text-embedding-3-small', input: 'a' }), {
      status: 404,
      code: 'MODEL_NOT_FOUND'
    })
  })

  t.test('one image has one embedding by every way in', async (t) => {
    const { body } = await embed({ input: [{ image }, { text: 'a dog' }] })
    const embedding = Float32Array.from(body.data[0].embedding)
    await api('PUT', '/v1/collections/things')
    await api(
      'POST',
      '/v1/collections/things/records',
      form([
        ['image', portrait],
        ['id', 'form']
      ])
    )
    await api('POST', '/v1/collections/things/records', { records: [{ id: 'json', image }] })
    const { body: found } = await api('POST', '/v1/collections/things/search', {
      query: { embedding: body.data[0].embedding },
      with: ['embeddings']
    })
    t.equal(found.matches.length, 2)
    for (const match of found.matches)
      t.ok(cosine(embedding, Float32Array.from(match.embeddings.image)) > 0.999999, match.id)
    const raw = (await openai.post('/embeddings', {
      body: { model: 'mini', input: { image }, encoding_format: 'base64' }
    })) as { data: { embedding: string }[] }
    const bytes = Buffer.from(raw.data[0].embedding, 'base64')
    t.ok(
      cosine(
        embedding,
        new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
      ) > 0.999999,
      "OpenAI's client"
    )
    const curl = await promisify(execFile)('curl', [
      '-s',
      `${url}/v1/embeddings`,
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify({ input: { image } })
    ])
    t.same(JSON.parse(curl.stdout).data[0].embedding, body.data[0].embedding, 'curl')
  })

  t.test('similarity is a matrix of cosines, texts by images', async (t) => {
    const texts = ['a dog', 'a street', 'noise']
    const grey = { base64: (await golden('grey.png')).toString('base64') }
    const { status, body } = await api('POST', '/v1/similarity', { texts, images: [image, grey] })
    t.equal(status, 200)
    const { body: embedded } = await embed({ input: [...texts, { image }, { image: grey }] })
    const vectors = embedded.data.map(({ embedding }: { embedding: number[] }) =>
      Float32Array.from(embedding)
    )
    texts.forEach((text, row) =>
      [0, 1].forEach((column) =>
        t.ok(
          Math.abs(body.similarity[row][column] - cosine(vectors[row], vectors[3 + column])) < 1e-5,
          `${text}, ${column}`
        )
      )
    )
  })

  t.test('what cannot be embedded is rejected', async (t) => {
    for (const body of [
      {},
      { input: '' },
      { input: [] },
      { input: [[1, 2]] },
      { input: 5 },
      { input: 'a', encoding_format: 'hex' },
      { input: {} }
    ])
      t.match(await embed(body), { status: 400 }, JSON.stringify(body))
    t.match(await embed({ input: 'a', dimensions: 64 }), {
      status: 422,
      body: { error: { code: 'EMBEDDING_INVALID' } }
    })
    t.match(await embed({ input: 'a', dimensions: 256, user: 'me' }), { status: 200 })
    t.match(await embed({ input: 'a'.repeat(9000) }), {
      status: 422,
      body: { error: { code: 'TEXT_INVALID' } }
    })
    t.match(await embed({ input: { image: { base64: 'aGVsbG8=' } } }), { status: 415 })
    t.match(await api('POST', '/v1/similarity', { texts: [], images: [image] }), { status: 400 })
  })
})
