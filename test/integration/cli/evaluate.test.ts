import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Report } from '../../../src/evaluation/report.js'
import { callCommand } from '../../fixtures/call-command.js'
import { inSequence } from '../../fixtures/pattern.js'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const small = (name: string) => join(repository, 'test/fixtures/datasets/small', name)

/** What the command reads of the environment: the tiny towers, and a data folder of its own. */
const environment = (dataDir: string) => ({
  MODELS_DIR: join(repository, 'test/fixtures/towers'),
  MODEL: 'clip',
  DATA_DIR: dataDir,
  ENCODER_WORKERS: '1',
  DECODE_WORKERS: '1',
  IMAGE_BATCH_SIZE: '4',
  TEXT_BATCH_SIZE: '8'
})

t.test('a table, JSON, a page and a card of a dataset; again from what is kept', async (t: Test) => {
  const folder = t.testdir()
  const env = environment(folder)
  const paths = {
    json: join(folder, 'report.json'),
    html: join(folder, 'report.html'),
    card: join(folder, 'card')
  }
  const args = [
    'evaluate',
    small('coco/captions.json'),
    small('classes'),
    '--resamples',
    '50',
    '--tasks',
    'retrieval,zero-shot',
    '--templates',
    'simple'
  ]
  const first = await callCommand(
    [...args, '--json', paths.json, '--html', paths.html, '--card', paths.card],
    env
  )
  t.match(first, {
    code: 0,
    stdout: /^Evaluation of clip[^]*coco\/captions[^]*recall@1/,
    stderr: inSequence(
      /\d+ embeddings of clip were computed and cached\.[^]*/,
      /The cached embeddings take [\d.]+ kB in .*evaluation-cache\./
    )
  })
  const report: Report = JSON.parse(await readFile(paths.json, 'utf8'))
  t.match(report, {
    version: 1,
    models: [{ name: 'clip' }],
    datasets: [{ kind: 'captions' }, { kind: 'classes' }],
    command:
      'semblance evaluate captions.json classes --tasks retrieval,zero-shot --model clip --templates ' +
      'simple --resamples 50'
  })
  t.match(await readFile(paths.html, 'utf8'), /^<!doctype html>/i)
  t.ok((await stat(paths.card)).isDirectory())
  const second = await callCommand([...args, '--json'], env)
  t.equal(second.code, 0)
  t.notMatch(second.stderr, /were computed/)
  t.same(JSON.parse(second.stdout).datasets, report.datasets)
})

t.test('two models are compared; two variants of one, too', async (t: Test) => {
  const env = environment(t.testdir())
  const args = [
    'evaluate',
    small('coco/captions.json'),
    '--resamples',
    '50',
    '--tasks',
    'retrieval',
    '--json',
    '--no-cache',
    '--quiet'
  ]
  const { code, stdout, stderr } = await callCommand([...args, '--against', 'clip:int8'], env)
  t.same([code, stderr], [0, ''])
  t.match(JSON.parse(stdout), {
    models: [{ name: 'clip' }, { name: 'clip:int8' }],
    datasets: [{ comparisons: [{ task: 'retrieval', p: Number }] }]
  })
  await t.rejects(stat(join(env.DATA_DIR, 'evaluation-cache')), { code: 'ENOENT' }, 'nothing was kept')
})

t.test('embeddings that were made before need no model', async (t: Test) => {
  const env = { ...environment(t.testdir()), MODEL: 'there-is-none' }
  const { code, stdout, stderr } = await callCommand(
    ['evaluate', small('embeddings'), '--resamples', '50', '--json'],
    env
  )
  t.same([code, stderr], [0, ''])
  t.match(JSON.parse(stdout), {
    models: [],
    datasets: [{ kind: 'embeddings', results: [{ tasks: [{ task: 'retrieval' }] }] }]
  })
})

t.test('what cannot be is said before anything is encoded', async (t: Test) => {
  const env = environment(t.testdir())
  const refused: [string[], RegExp][] = [
    [['nowhere'], /nowhere/],
    [[], /name a dataset, or a collection/],
    [
      [small('classes'), '--tasks', 'retrieval'],
      /retrieval needs images with captions.*'classes' is images with classes/
    ],
    [[small('classes'), '--tasks', 'magic'], /There is no task 'magic'; the tasks are retrieval,/],
    [[small('classes'), '--confidence', '95'], /between 0 and 1/],
    [
      [small('classes'), small('coco/captions.json'), '--images', '/tmp'],
      /--images applies to a single dataset/
    ],
    [[small('classes'), '--html', '/nowhere/report.html'], /The folder \/nowhere .* does not exist/],
    [[small('classes'), '--templates', 'imagenet-81'], /imagenet-81/],
    [[small('classes'), '--format', 'xml'], /Allowed choices are coco/],
    [[small('embeddings'), '--against', 'clip'], /no model is used/],
    [[small('classes'), '--against', 'clip'], /are the same model; set --against to another model/]
  ]
  const wrong: object[] = []
  for (const [args, reason] of refused) {
    const ended = await callCommand(['evaluate', ...args], env)
    if (ended.code !== 2 || !reason.test(ended.stderr)) wrong.push({ args, ...ended })
  }
  t.same(wrong, [])
  t.match(await callCommand(['evaluate', small('classes'), '--model', 'there-is-none'], env), {
    code: 1,
    stderr: /The model package .* does not exist/
  })
})
