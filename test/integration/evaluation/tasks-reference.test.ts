import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openDataset } from '../../../src/evaluation/datasets/open-dataset.js'
import type { Report, TaskName } from '../../../src/evaluation/report.js'
import { runEvaluation } from '../../../src/evaluation/run/run-evaluation.js'
import { miniEncoder } from '../../fixtures/mini.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
interface Measured {
  path: string
  images?: string
  /** What the blind runs must warn of. */
  leaks?: RegExp
}

/** What the reference says of a report, which it rejects with where a figure differs. */
async function compare(
  folder: string,
  report: Report,
  { path, embeddings }: { path: string; embeddings: string }
): Promise<string> {
  await writeFile(join(folder, 'report.json'), JSON.stringify(report))
  return (
    await promisify(execFile)('/usr/bin/python3', [
      at('../../fixtures/reference/evaluation/tasks.py'),
      join(folder, 'report.json'),
      path,
      embeddings
    ])
  ).stdout
}

const RUNS: { tasks: TaskName[]; sets: Measured[] }[] = [
  {
    tasks: ['zero-shot', 'word-order', 'blind', 'robustness'],
    sets: [{ path: 'small/classes' }, { path: 'small/coco', images: 'small/images' }]
  },
  {
    tasks: ['zero-shot', 'compositionality', 'word-order', 'blind', 'bias'],
    sets: [
      { path: 'scenes' },
      { path: 'leaking/choices.jsonl', images: '.', leaks: /a classifier of the captions alone/ },
      { path: 'leaking/classes', leaks: /the answer 'square' for every image/ }
    ]
  }
]

/** Copies the scenes into a folder a class, that of the colour which their caption begins with. */
async function scenesByColour(folder: string): Promise<string> {
  const path = join(folder, 'colours')
  for (const line of (await readFile(at('../../fixtures/datasets/scenes/examples.jsonl'), 'utf8'))
    .trim()
    .split('\n')) {
    const pair = JSON.parse(line) as Record<string, string>
    for (const i of [0, 1]) {
      const colour = pair[`caption_${i}`].split(' ')[1]
      await mkdir(join(path, colour), { recursive: true })
      await cp(
        at(`../../fixtures/datasets/scenes/images/${pair[`image_${i}`]}.png`),
        join(path, colour, `${pair[`image_${i}`]}.png`)
      )
    }
  }
  return path
}

t.test(
  'few-shot accuracies are those of the examples that the report names, as NumPy has them',
  async (t: Test) => {
    const folder = t.testdir()
    const path = await scenesByColour(folder)
    const report = await runEvaluation({
      datasets: [await openDataset(path)],
      encoders: [await miniEncoder(t)],
      tasks: ['few-shot'],
      options: { resamples: 200, seed: 3 },
      saveEmbeddings: join(folder, 'embeddings')
    })
    t.match(
      await compare(folder, report, { path, embeddings: join(folder, 'embeddings') }),
      /39 figures, 0 differ/
    )
    const { details, figures } = report.datasets[0].results[0].tasks[0]
    t.ok(
      figures['few_shot.linear_probe_alone@8'].value > figures['few_shot.linear_probe_alone@1'].value,
      'more examples are better'
    )
    figures['few_shot.nearest_mean@4'].low += 2e-6
    await t.rejects(
      compare(folder, report, { path, embeddings: join(folder, 'embeddings') }),
      'and it tells when an interval is off'
    )
    figures['few_shot.nearest_mean@4'].low -= 2e-6
    const draws = details!.draws as string[][][]
    draws[0] = draws[1]
    await t.rejects(
      compare(folder, report, { path, embeddings: join(folder, 'embeddings') }),
      'and it tells when others were the examples'
    )
  }
)

t.test('a classifier of what is written with images answers as NumPy has it', async (t: Test) => {
  const folder = t.testdir()
  const path = join(folder, 'written.csv')
  const scenes = (await readFile(at('../../fixtures/datasets/scenes/examples.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  const rows = scenes.flatMap((pair) =>
    [0, 1].map((i) => {
      const [, colour, , place, ...rest] = pair[`caption_${i}`].split(' ')
      return `${pair[`image_${i}`]}.png,${colour},"${place} ${rest.join(' ')}"`
    })
  )
  await writeFile(path, ['file_name,label,text', ...rows].join('\n'))
  const report = await runEvaluation({
    datasets: [await openDataset(path, { images: at('../../fixtures/datasets/scenes/images') })],
    encoders: [await miniEncoder(t)],
    tasks: ['blind'],
    options: { resamples: 20 },
    saveEmbeddings: join(folder, 'embeddings')
  })
  const { figures } = report.datasets[0].results[0].tasks[0]
  t.ok(figures['blind[text_only].top1'].value > 0 && figures['blind[text_only].top1'].value < 1)
  t.match(
    await compare(folder, report, { path, embeddings: join(folder, 'embeddings') }),
    /text_only.*equal[^]*6 figures, 0 differ/
  )
})

t.test(
  'each figure of the tasks is as NumPy has it, and the datasets that are made to leak are flagged',
  async (t: Test) => {
    const folder = t.testdir()
    const encoders = [await miniEncoder(t)]
    for (const { tasks, sets } of RUNS) {
      const datasets = await Promise.all(
        sets.map(({ path, images }) =>
          openDataset(
            at(`../../fixtures/datasets/${path}`),
            images === undefined ? {} : { images: at(`../../fixtures/datasets/${images}`) }
          )
        )
      )
      const report = await runEvaluation({
        datasets,
        encoders,
        tasks,
        options: { resamples: 20, templates: ['imagenet-7'] },
        saveEmbeddings: join(folder, 'embeddings')
      })
      for (const [i, { path, leaks }] of sets.entries()) {
        const alone = { ...report, datasets: [report.datasets[i]] }
        const saved = {
          path: at(`../../fixtures/datasets/${path}`),
          embeddings: join(folder, 'embeddings', report.datasets[i].name.replaceAll('/', '--'), 'mini')
        }
        t.match(await compare(folder, alone, saved), /, 0 differ/, path)
        const done = alone.datasets[0].results[0].tasks
        const warnings = done
          .flatMap(({ flags }) => flags)
          .filter(({ code }) => code === 'DATASET_LEAKS')
          .map(({ message }) => message)
        if (leaks) t.match(warnings, [leaks], `${path} leaks`)
        else t.same(warnings, [], `${path} does not leak`)
        const { figures } = done[0]
        figures[Object.keys(figures)[0]].value += 2e-6
        await t.rejects(compare(folder, alone, saved), `${path}: and it tells when a figure is off`)
      }
    }
  }
)
