import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { LoadedDataset } from '../../../src/evaluation/datasets/dataset.js'
import { createImageFiles, imageDigests } from '../../../src/evaluation/embedding/image-files.js'
import { fusionTask } from '../../../src/evaluation/tasks/fusion.js'
import { retrievalTask } from '../../../src/evaluation/tasks/retrieval.js'
import { few, handMade } from '../../fixtures/hand-made.js'

t.test('a file whose digest is known is not read again, by whichever task', async (t) => {
  const folder = t.testdir()
  const names = ['a', 'b', 'c']
  const paths = names.map((name) => join(folder, name))
  for (const [i, path] of paths.entries()) await writeFile(path, i < 2 ? 'the same' : 'another')
  const files = createImageFiles()
  t.equal(files.digest(paths[0]), undefined)
  await files.read(paths[0])
  await files.digestOf(paths[1])
  t.equal(files.digest(paths[1]), files.digest(paths[0]), 'of the same bytes')
  await files.digestOf(paths[2])
  for (const path of paths) await rm(path)
  const images = names.map((id, i) => ({ id, path: paths[i] }))
  const [first, second, third, none] = await imageDigests([...images, { id: 'none', path: '' }], { files })
  t.ok(first === second && third !== first && none === 'id none')
  const dataset: LoadedDataset = {
    name: 'files',
    format: 'coco',
    kind: 'captions',
    faults: [],
    items: images.map((image, i) => ({ id: image.id, image, captions: [`${i} one`, `${i} two`] }))
  }
  const context = { embedder: handMade({ image: () => [1, 0], text: () => [1, 0] }), options: few, files }
  t.match(await retrievalTask.prepare(dataset, context), { duplicates: { images: 1 } })
  t.match(await fusionTask.prepare(dataset, context), { ids: ['a', 'c'], merged: 1 })
  await t.rejects(imageDigests(images, {}), { code: 'ENOENT' })
  await t.rejects(imageDigests(images, { files, signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})
