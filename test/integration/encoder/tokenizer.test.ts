import { readFile } from 'node:fs/promises'
import t from 'tap'
import { loadModelPackage } from '../../../src/encoder/model-package.js'
import { loadTokenizer, requireShort } from '../../../src/encoder/tokenizer.js'
import { miniFolder } from '../../fixtures/mini.js'

const EOT = 8191
const golden = JSON.parse(await readFile(`${miniFolder}/golden.json`, 'utf8')) as {
  texts: { text: string; input_ids: number[] }[]
}
const model = await loadModelPackage(miniFolder)
const { tokenize } = await loadTokenizer(model, model.text.maxTokens)

t.test("token ids are the reference tokenizer's", async (t) => {
  t.ok(golden.texts.length >= 8)
  for (const { text, input_ids: ids } of golden.texts) t.same([...tokenize(text)], ids, text.slice(0, 40))
})

t.test('a long text is cut to what the tower takes and keeps its end token', async (t) => {
  const ids = tokenize('dog '.repeat(500))
  t.equal(ids.length, 77)
  t.equal(ids[76], EOT)
  t.not(ids[75], EOT)
})

t.test('far too long a text is rejected before it is tokenized', async (t) => {
  t.throws(() => requireShort('a'.repeat(8001)), { code: 'TEXT_INVALID', statusCode: 422 })
  t.doesNotThrow(() => requireShort('a'.repeat(8000)))
  t.equal(tokenize('a '.repeat(4000)).length, 77)
})
