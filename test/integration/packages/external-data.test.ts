import { cp, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createEncoder } from '../../../src/encoder/encoder.js'
import { cosine } from '../../../src/encoder/embedding.js'
import { loadModelPackage } from '../../../src/encoder/model-package.js'
import { externalDataOf, externalFiles } from '../../../src/packages/external-data.js'
import { readExternalLocations } from '../../../src/packages/onnx-file.js'
import { encoderOptions } from '../../fixtures/mini.js'
import { externalTensor, field, moveWeightsOut, numberField, onnxFile } from '../../fixtures/onnx.js'

const immich = fileURLToPath(new URL('../../fixtures/towers/immich-siglip2', import.meta.url))

async function written(t: { testdir(): string }, content: Buffer): Promise<string> {
  const file = join(t.testdir(), 'model.onnx')
  await writeFile(file, content)
  return file
}

t.test('locations are found wherever a graph may have tensors', async (t) => {
  const tensor = (location: string) => externalTensor(location)
  const attribute = (...content: Buffer[]) => field(5, content)
  const inner = (location: string) => [field(1, [attribute(field(5, tensor(location)))])]
  const graph = field(7, [
    field(5, tensor('initializer')),
    field(15, [field(1, tensor('sparse values')), field(2, tensor('sparse indices'))]),
    field(1, [attribute(field(5, tensor('constant'))), attribute(field(10, tensor('list')))]),
    field(1, [
      attribute(
        field(6, inner('then')),
        field(11, [...inner('graphs'), field(1, [attribute(field(6, inner('deep')))])])
      )
    ]),
    field(1, [
      attribute(
        field(22, [field(1, tensor('sparse attribute'))]),
        field(23, [field(2, tensor('sparse list'))])
      )
    ])
  ])
  const model = Buffer.concat([
    numberField(1, 8),
    field(2, 'exporter'),
    graph,
    field(25, [
      field(7, [attribute(field(5, tensor('function')))]),
      field(11, [field(5, tensor('default'))])
    ]),
    field(20, [field(1, [field(5, tensor('training'))])])
  ])
  t.same(await readExternalLocations(await written(t, model)), [
    'constant',
    'deep',
    'default',
    'function',
    'graphs',
    'initializer',
    'list',
    'sparse attribute',
    'sparse indices',
    'sparse list',
    'sparse values',
    'then',
    'training'
  ])
})

t.test('weights inside are skipped, and what is not marked as external is none', async (t) => {
  const inside = field(5, [field(8, 'inside'), field(9, Buffer.alloc(300_000, 0x6a))])
  const unmarked = field(5, [field(13, [field(1, 'location'), field(2, 'unused')])])
  const model = field(7, [inside, unmarked, inside, field(5, externalTensor('last'))])
  t.same(await readExternalLocations(await written(t, model)), ['last'])
  const nowhere = await written(t, field(7, [field(5, [numberField(14, 1)])]))
  await t.rejects(readExternalLocations(nowhere), /data in another file, but does not name the file/)
})

t.test('a graph of several gigabytes is not read whole', async (t) => {
  const file = join(t.testdir(), 'model.onnx')
  const bytes = 3 * 2 ** 30
  // A field of 3 GiB in a sparse file, with the graph behind it.
  const length: number[] = []
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 128))
    length.push((rest % 128) + (rest >= 128 ? 128 : 0))
  await writeFile(file, Buffer.from([6 * 8 + 2, ...length]))
  const start = 1 + length.length
  await truncate(file, start + bytes)
  const handle = await open(file, 'a')
  await handle.write(field(7, [field(5, externalTensor('far'))]))
  await handle.close()
  const before = process.memoryUsage().arrayBuffers
  t.same(await readExternalLocations(file), ['far'])
  t.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24)
})

t.test('what is no ONNX file, or only a part of one, is named', async (t) => {
  const whole = onnxFile(Buffer.alloc(1000, 1), ['a'])
  for (const bad of [
    whole.subarray(0, -1),
    whole.subarray(0, 5),
    Buffer.from('<!doctype html><title>Not found</title>'),
    Buffer.alloc(20, 0xff)
  ]) {
    await t.rejects(readExternalLocations(await written(t, bad)), /model\.onnx is not a complete ONNX file: /)
  }
  t.same(await readExternalLocations(await written(t, Buffer.alloc(0))), [])
})

t.test('a location is a path inside the package, relative to its graph', async (t) => {
  const file = (location: string) => written(t, onnxFile(Buffer.alloc(0), [location]))
  t.same(await externalDataOf(await file('tower.weight'), 'textual/model.onnx'), ['textual/tower.weight'])
  t.same(await externalDataOf(await file('../shared/./w'), 'textual/model.onnx'), ['shared/w'])
  for (const bad of ['/etc/passwd', '../../w', '..', 'a/../../../w', 'C:\\w', 'c:w', 'a\\b', '', 'w\u0000']) {
    await t.rejects(
      externalDataOf(await file(bad), 'textual/model.onnx'),
      /names .* not a path inside the package/,
      JSON.stringify(bad)
    )
  }
  const folder = t.testdir({ outside: 'x', package: { 'model.onnx': onnxFile(Buffer.alloc(0), ['link']) } })
  await symlink('../outside', join(folder, 'package/link'))
  await t.rejects(
    externalFiles(join(folder, 'package'), 'model.onnx'),
    /link, which holds weights of model\.onnx, is a link that leads out of the model package/
  )
  await rm(join(folder, 'package/link'))
  await t.rejects(
    externalFiles(join(folder, 'package'), 'model.onnx'),
    /lacks link, which holds weights of model\.onnx/
  )
  await writeFile(join(folder, 'package/link'), 'x')
  t.same(await externalFiles(join(folder, 'package'), 'model.onnx'), [join(folder, 'package/link')])
})

t.test(
  'a model whose weights lie in files of their own: loaded, fingerprinted, and missing files named',
  async (t) => {
    const folder = join(t.testdir(), 'model')
    await cp(immich, folder, { recursive: true })
    const inside = await loadModelPackage(folder)
    const names = await moveWeightsOut(join(folder, 'textual/model.onnx'))
    t.ok(names.length > 3)
    const outside = await loadModelPackage(folder)
    t.same(outside.files.filter((file) => /weights\.\d+$/.test(file)).length, names.length)
    const texts = await Promise.all(
      [immich, folder].map(async (of) => {
        const encoder = await createEncoder(await loadModelPackage(of), encoderOptions())
        return encoder.encodeText('a red fruit').finally(() => encoder.close())
      })
    )
    t.ok(cosine(texts[0], texts[1]) > 0.999999, 'the same model')
    t.not(outside.fingerprint, inside.fingerprint, 'other files')
    const changed = join(folder, 'textual', names[0])
    const weights = await readFile(changed)
    weights[5] ^= 1
    await writeFile(changed, weights)
    t.not(
      (await loadModelPackage(folder)).fingerprint,
      outside.fingerprint,
      'a changed byte is another model'
    )
    await rm(changed)
    await t.rejects(
      loadModelPackage(folder),
      /lacks textual\/weights\.0, which holds weights of textual\/model\.onnx/
    )
  }
)

t.test('the fingerprint of a package without such files is what it was', async (t) => {
  const { fingerprint } = await loadModelPackage(immich)
  t.equal(fingerprint, 'c0a980c404a84d44325213c368bcee46c30e7074c97b0c0c8e697a4af104471c')
})
