import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { cosine } from '../../../src/encoder/embedding.js'
import { createEncoder } from '../../../src/encoder/encoder.js'
import { executionOf } from '../../../src/encoder/execution-profile.js'
import { loadModelPackage } from '../../../src/encoder/model-package.js'
import { encoderOptions, miniFolder } from '../../fixtures/mini.js'
import { client } from '../../fixtures/server.js'
import { startProcess, whenReady } from '../../fixtures/service.js'

/** Mesa's loader finds the software Vulkan of Debian's chromium by these: a GPU provider without a GPU. */
const SWIFTSHADER = { XDG_RUNTIME_DIR: '/tmp', VK_DRIVER_FILES: '/usr/lib/chromium/vk_swiftshader_icd.json' }

const service = (t: Test, env: Record<string, string>) =>
  startProcess(t, { DATA_DIR: t.testdir(), DEMO: 'false', DECODE_WORKERS: '1', ...env })

t.test('what runs is read from the profile: the provider of the products', async (t) => {
  t.same(
    executionOf({
      CPUExecutionProvider: { nodes: 290, products: 0 },
      WebGpuExecutionProvider: { nodes: 120, products: 34 }
    }),
    { provider: 'webgpu', nodes: { webgpu: 120, cpu: 290 } }
  )
  t.match(
    executionOf({
      CPUExecutionProvider: { nodes: 3, products: 0 },
      TensorrtExecutionProvider: { nodes: 1, products: 1 }
    }),
    { provider: 'tensorrt' },
    'a whole graph in one node'
  )
  t.match(
    executionOf({
      CPUExecutionProvider: { nodes: 9, products: 5 },
      CUDAExecutionProvider: { nodes: 30, products: 1 }
    }),
    { provider: 'cpu' }
  )
  t.throws(() => executionOf({}), /no nodes/)
  t.throws(() => executionOf({ VitisAIExecutionProvider: { nodes: 1, products: 1 } }), /VitisAI/)
})

t.test('on the CPU as asked', async (t) => {
  const { url, output } = await service(t, {})
  await whenReady(url)
  const { body } = await client(url)('GET', '/health/ready')
  t.match(body.models, [
    {
      name: 'mini',
      execution: {
        requested: ['cpu'],
        preferred: true,
        image: { provider: 'cpu' },
        text: { provider: 'cpu' }
      }
    }
  ])
  t.ok(body.models[0].execution.image.nodes.cpu > 50)
  t.match(output(), /"level":30.*model 'mini' runs on cpu/)
  t.match(
    (await client(url)('GET', '/metrics')).body,
    /semblance_execution_provider_fallback\{model="mini"\} 0/
  )
})

// One that can't be loaded throws, one that this build lacks is passed over in silence: both are to be seen.
for (const { provider, reason } of [
  { provider: 'cuda', reason: /Failed to load shared library/ },
  { provider: 'coreml', reason: /(the image tower ran on cpu, the text tower ran on cpu|backend not found)/ }
]) {
  t.test(`${provider} where there is none: the CPU, loudly`, async (t) => {
    const { url, output } = await service(t, { EXECUTION_PROVIDERS: `${provider},cpu` })
    await whenReady(url)
    const api = client(url)
    t.match((await api('GET', '/health/ready')).body.models, [
      {
        execution: {
          requested: [provider, 'cpu'],
          preferred: false,
          image: { provider: 'cpu' },
          text: { provider: 'cpu' }
        }
      }
    ])
    t.match((await api('GET', '/v1/models')).body.models, [{ passed_over: [{ provider, reason }] }])
    t.match(
      output(),
      new RegExp(
        `"level":50.*does NOT run on ${provider}, the preferred execution provider: image tower on ` +
          'cpu, text tower on cpu'
      )
    )
    const metrics = (await api('GET', '/metrics')).body
    t.match(
      metrics,
      new RegExp(
        `semblance_encoder_info\\{model="mini",fingerprint="\\w{64}",requested="${provider},cpu",` +
          'image="cpu",text="cpu"\\} 1'
      )
    )
    t.match(metrics, /semblance_execution_provider_fallback\{model="mini"\} 1/)
  })

  t.test(`${provider} where there is none, strictly or alone: no start`, async (t) => {
    for (const env of [
      { EXECUTION_PROVIDERS: `${provider},cpu`, EXECUTION_PROVIDER_STRICT: 'true' },
      { EXECUTION_PROVIDERS: provider }
    ]) {
      const { ended, output } = await service(t, env as Record<string, string>)
      t.equal(await ended, 1)
      t.match(
        output(),
        new RegExp(
          `Semblance can't start: Model 'mini' can't run on ${provider}.*: ${provider}: .*${reason.source}`
        )
      )
    }
  })
}

t.test('a GPU provider takes the work, and gives the same embeddings', async (t) => {
  const { url, output } = await service(t, {
    ...SWIFTSHADER,
    EXECUTION_PROVIDERS: 'webgpu,cpu',
    EXECUTION_PROVIDER_STRICT: 'true'
  })
  await whenReady(url)
  const api = client(url)
  const [{ execution }] = (await api('GET', '/health/ready')).body.models
  t.match(
    execution,
    {
      requested: ['webgpu', 'cpu'],
      preferred: true,
      image: { provider: 'webgpu' },
      text: { provider: 'webgpu' }
    },
    output().slice(-2000)
  )
  t.ok(execution.image.nodes.webgpu > 50)
  const golden = JSON.parse(await readFile(`${miniFolder}/golden.json`, 'utf8'))
  const input = [golden.texts[0], golden.texts[1]].map(({ text }) => ({ text }))
  const image = {
    image: { base64: (await readFile(`${miniFolder}/${golden.images[0].file}`)).toString('base64') }
  }
  const { body } = await api('POST', '/v1/embeddings', { input: [...input, image] })
  const expected = [golden.texts[0], golden.texts[1], golden.images[0]]
  for (const [i, { embedding }] of expected.entries()) {
    const same = cosine(Float32Array.from(embedding), Float32Array.from(body.data[i].embedding))
    t.ok(same >= 0.999, `cosine ${same}`)
  }
  t.match(
    (await api('GET', '/metrics')).body,
    /semblance_tower_run_duration_seconds_count\{model="mini",tower="image",provider="webgpu"\} 1/
  )
})

t.test('the first provider that can is taken, with workers to suit it', async (t) => {
  const encoder = await createEncoder(
    await loadModelPackage(miniFolder),
    encoderOptions({ executionProviders: ['tensorrt', 'coreml', 'cpu'], towerWorkers: 0 })
  )
  t.teardown(() => encoder.close())
  t.match(encoder.execution, {
    requested: ['tensorrt', 'coreml', 'cpu'],
    towers: { image: { provider: 'cpu' } },
    passedOver: [{ provider: 'tensorrt' }, { provider: 'coreml' }]
  })
})
