import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openDataset } from '../../../src/evaluation/datasets/open-dataset.js'
import type { Report } from '../../../src/evaluation/report.js'
import { runEvaluation } from '../../../src/evaluation/run/run-evaluation.js'
import { miniEncoder } from '../../fixtures/mini.js'

const scenes = fileURLToPath(new URL('../../fixtures/datasets/scenes', import.meta.url))
const script = (task: string) =>
  fileURLToPath(new URL(`../../fixtures/reference/evaluation/${task}.py`, import.meta.url))

/**
 * Captions of 20 scenes, every second with two of them; three images are there twice, and so are some
 * captions.
 */
async function captionsOfScenes(folder: string): Promise<string> {
  await mkdir(join(folder, 'images'))
  const examples = (await readFile(join(scenes, 'examples.jsonl'), 'utf8'))
    .split('\n')
    .slice(0, 10)
    .map((line) => JSON.parse(line))
  const drawn = examples.flatMap(({ image_0, image_1, caption_0, caption_1 }) => [
    [`${image_0}.png`, caption_0],
    [`${image_1}.png`, caption_1]
  ])
  for (const [file] of drawn) await cp(join(scenes, 'images', file), join(folder, 'images', file))
  for (const [i, [file]] of drawn.slice(0, 3).entries())
    await cp(join(scenes, 'images', file), join(folder, 'images', `copy-${i}.png`))
  const files = [...drawn.map(([file]) => file), 'copy-0.png', 'copy-1.png', 'copy-2.png']
  const annotations = [
    ...drawn.map(([, caption], i) => ({ image_id: i, caption })),
    ...drawn.flatMap(([, caption], i) =>
      i % 2 ? [{ image_id: i, caption: `a drawing of ${caption}` }] : []
    ),
    { image_id: drawn.length, caption: drawn[0][1] },
    { image_id: drawn.length + 1, caption: 'two shapes' },
    { image_id: drawn.length + 2, caption: 'two shapes' }
  ]
  const path = join(folder, 'captions.json')
  await writeFile(
    path,
    JSON.stringify({
      images: files.map((file_name, id) => ({ id, file_name })),
      annotations: annotations.map((annotation, id) => ({ id, ...annotation }))
    })
  )
  return path
}

t.test('retrieval and fusion as NumPy has them, with duplicates merged and kept', async (t: Test) => {
  const folder = t.testdir()
  const path = await captionsOfScenes(folder)
  const encoders = [await miniEncoder(t)]
  const compare = async (task: string, report: Report, duplicates: string) => {
    await writeFile(join(folder, 'report.json'), JSON.stringify(report))
    return (
      await promisify(execFile)('/usr/bin/python3', [
        script(task),
        join(folder, 'report.json'),
        path,
        join(folder, 'embeddings'),
        '--duplicates',
        duplicates
      ])
    ).stdout
  }
  for (const duplicates of ['merge', 'keep'] as const) {
    const report = await runEvaluation({
      datasets: [await openDataset(path)],
      encoders,
      tasks: ['retrieval', 'fusion'],
      options: { resamples: 50, duplicates },
      cache: { folder: join(folder, 'cache'), maxBytes: 1e9 },
      saveEmbeddings: join(folder, 'embeddings')
    })
    t.match(report.datasets[0].counts, { images: 23, captions: 33, duplicateImages: 3, duplicateCaptions: 2 })
    for (const task of ['retrieval', 'fusion'])
      t.match(await compare(task, report, duplicates), /equal/, `${task}, ${duplicates}`)
    const [{ figures }, fusion] = report.datasets[0].results[0].tasks
    t.same(
      [figures['text_to_image.map'].items, figures['image_to_text.map'].items],
      duplicates === 'merge' ? [31, 20] : [33, 23]
    )
    figures['image_to_text.map'].value += 2e-6
    await t.rejects(compare('retrieval', report, duplicates), 'and it tells when a figure is off')
    t.match(
      fusion.method[0],
      duplicates === 'merge' ? /^20 records .* one record \(3 more of them\)/ : /^23 records /
    )
    fusion.figures['fusion[rrf].mrr'].value += 2e-6
    await t.rejects(compare('fusion', report, duplicates))
  }
})
