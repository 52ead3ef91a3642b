import t from 'tap'
import { environmentSchema, readConfig, readModelsConfig } from '../../src/config.js'

t.test('defaults serve this machine only', async (t) => {
  const config = readConfig({})
  t.match(config, {
    HOST: '127.0.0.1',
    PORT: 8080,
    MODEL: 'mini',
    DEMO: true,
    ALLOWED_HOSTS: [],
    DATA_DIR: './data'
  })
})

t.test('values are read by their types; empty ones count as unset', async (t) => {
  const config = readConfig({
    PORT: '9000',
    DEMO: 'false',
    ALLOWED_HOSTS: 'a.example,b.example',
    LOG_LEVEL: ''
  })
  t.match(config, { PORT: 9000, DEMO: false, ALLOWED_HOSTS: ['a.example', 'b.example'], LOG_LEVEL: 'info' })
})

t.test('every mistake is reported at once', async (t) => {
  const mistakes = { PORT: 'eighty', LOG_LEVEL: 'loud', QUEUE_SIZE: '0' }
  t.throws(() => readConfig(mistakes), /PORT.*LOG_LEVEL|LOG_LEVEL.*PORT/s)
  t.throws(() => readConfig(mistakes), /QUEUE_SIZE/)
})

t.test('a host that others reach needs a word that it is meant', async (t) => {
  t.throws(() => readConfig({ HOST: '0.0.0.0' }), /ALLOW_ANONYMOUS/)
  t.equal(readConfig({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }).HOST, '0.0.0.0')
  t.equal(readConfig({ HOST: '0.0.0.0', API_KEYS_FILE: '/keys.json' }).HOST, '0.0.0.0')
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    t.equal(readConfig({ HOST: host }).HOST, host)
})

t.test('every setting says what it is', async (t) => {
  for (const [name, schema] of Object.entries(environmentSchema.properties))
    t.ok((schema as { description?: string }).description, name)
})

t.test('the models commands read what they need, and not what serving checks', async (t) => {
  t.match(readModelsConfig({ HOST: '0.0.0.0', PORT: 'eighty', MODEL_VARIANT: '' }), {
    MODEL_VARIANT: 'fp32',
    HF_ENDPOINT: 'https://huggingface.co',
    HF_TOKEN: ''
  })
  t.equal(readModelsConfig({ MODELS_DIR: '/models' }).MODELS_DIR, '/models')
  t.throws(() => readModelsConfig({ MODEL_VARIANT: 'fp8' }), /MODEL_VARIANT/)
})
