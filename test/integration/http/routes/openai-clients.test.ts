import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { OpenAIEmbeddings } from '@langchain/openai'
import { embed, embedMany } from 'ai'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { testServer } from '../../../fixtures/server.js'

t.test("the clients that are written for OpenAI's API", async (t) => {
  const { api, url } = await testServer(t)
  const baseURL = `${url}/v1`
  const openai = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 })
  const texts = ['a red apple', 'a dog that sleeps']
  const { body } = await api('POST', '/v1/embeddings', { input: texts })
  const expected: number[][] = body.data.map(({ embedding }: { embedding: number[] }) => embedding)
  const same = (t: Test, embeddings: number[][]) => {
    t.equal(embeddings.length, texts.length)
    for (const [i, embedding] of embeddings.entries())
      t.ok(Math.max(...expected[i].map((value, d) => Math.abs(value - embedding[d]))) < 1e-6)
  }

  t.test('openai lists and retrieves models', async (t) => {
    const models = []
    for await (const model of openai.models.list()) models.push(model)
    t.match(models, [{ id: 'mini', object: 'model', owned_by: 'semblance' }])
    t.ok(Number.isInteger(models[0].created))
    t.same(await openai.models.retrieve('mini'), models[0])
    await t.rejects(openai.models.retrieve('other/model'), { status: 404, code: 'MODEL_NOT_FOUND' })
    t.match((await api('GET', '/v1/models')).body, {
      object: 'list',
      models: [{ name: 'mini', dimension: 256 }]
    })
  })

  t.test('openai, with what is not set as null', async (t) => {
    const unset = { encoding_format: null, dimensions: null, user: null } as object
    same(
      t,
      (await openai.embeddings.create({ model: 'mini', input: texts, ...unset })).data.map(
        ({ embedding }) => embedding
      )
    )
    t.match(await api('POST', '/v1/embeddings', { input: texts, model: null, ...unset }), {
      status: 200,
      body: { model: 'mini' }
    })
    t.match(await api('POST', '/v1/embeddings', { input: texts, dimensions: 256 }), { status: 200 })
    await t.rejects(openai.embeddings.create({ model: 'mini', input: texts, dimensions: 64 }), {
      code: 'EMBEDDING_INVALID',
      message:
        /dimensions must be 256, not 64: embeddings of the model 'mini' .*Leave dimensions out, or send 256/
    })
  })

  t.test('token ids get one error, with the setting that fixes it', async (t) => {
    for (const input of [
      [1, 2, 3],
      [[1, 2], [3]]
    ]) {
      await t.rejects(openai.embeddings.create({ model: 'mini', input }), {
        status: 400,
        message: /holds token ids.*send texts\..*check_embedding_ctx_length=False/
      })
    }
    t.match(
      (await api('POST', '/v1/embeddings', { input: [true] })).body.error.message,
      "The field 'input[0]' must be a string or an object, not true."
    )
  })

  t.test('@langchain/openai', async (t) => {
    const embeddings = new OpenAIEmbeddings({
      model: 'mini',
      apiKey: 'none',
      maxRetries: 0,
      configuration: { baseURL }
    })
    same(t, await embeddings.embedDocuments(texts))
    same(t, [await embeddings.embedQuery(texts[0]), expected[1]])
  })

  t.test('@ai-sdk/openai-compatible', async (t) => {
    const model = createOpenAICompatible({ name: 'semblance', baseURL }).embeddingModel('mini')
    same(t, (await embedMany({ model, values: texts, maxRetries: 0 })).embeddings)
    same(t, [(await embed({ model, value: texts[0], maxRetries: 0 })).embedding, expected[1]])
  })
})
