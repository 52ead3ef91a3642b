import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import SQLite from 'better-sqlite3'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { exitCodeOf } from '../../../src/cli/exit-codes.js'
import { createProgram } from '../../../src/cli/program.js'
import type { Report } from '../../../src/evaluation/report.js'
import { runCommand, startCommand } from '../../fixtures/command.js'
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

/** Pictures of two classes, so many each. */
async function twoClasses(folder: string, each: number): Promise<string> {
  for (const [label, red] of [
    ['warm', 255],
    ['cold', 0]
  ] as const) {
    await mkdir(join(folder, label), { recursive: true })
    await Promise.all(
      Array.from({ length: each }, (_, i) =>
        sharp({
          create: { width: 320, height: 240, channels: 3, background: { r: red, g: i % 256, b: 255 - red } }
        })
          .png()
          .toFile(join(folder, label, `${i}.png`))
      )
    )
  }
  return folder
}

/** Embeddings that are in the cache so far. */
function keptRows(cache: string): number {
  const file = existsSync(cache) && readdirSync(cache).find((name) => name.endsWith('.sqlite'))
  if (!file) return 0
  const db = new SQLite(join(cache, file), { readonly: true })
  try {
    return db.prepare('SELECT count(*) FROM embedding').pluck().get() as number
  } catch {
    return 0
  } finally {
    db.close()
  }
}

async function untilKept(cache: string, rows: number): Promise<void> {
  for (let waited = 0; keptRows(cache) < rows && waited < 60_000; waited += 20) await sleep(20)
}

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
  const first = await runCommand(
    t,
    [...args, '--json', paths.json, '--html', paths.html, '--card', paths.card],
    env
  )
  t.match(first, {
    code: 0,
    stdout: /^Evaluation of clip[^]*coco\/captions[^]*recall@1/,
    stderr: inSequence(
      /\d+ embeddings of clip were made and kept\.[^]*/,
      /The kept embeddings take [\d.]+ kB in .*evaluation-cache\./
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
  const second = await runCommand(t, [...args, '--json'], env)
  t.equal(second.code, 0)
  t.notMatch(second.stderr, /were made/)
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
  const { code, stdout, stderr } = await runCommand(t, [...args, '--against', 'clip:int8'], env)
  t.same([code, stderr], [0, ''])
  t.match(JSON.parse(stdout), {
    models: [{ name: 'clip' }, { name: 'clip:int8' }],
    datasets: [{ comparisons: [{ task: 'retrieval', p: Number }] }]
  })
  await t.rejects(stat(join(env.DATA_DIR, 'evaluation-cache')), { code: 'ENOENT' }, 'nothing was kept')
})

t.test('an evaluation that was killed goes on where it was', async (t: Test) => {
  const folder = t.testdir()
  const env = { ...environment(join(folder, 'data')), MODELS_DIR: join(repository, 'models'), MODEL: 'mini' }
  const cache = join(folder, 'data', 'evaluation-cache')
  const args = [
    'evaluate',
    await twoClasses(join(folder, 'pictures'), 120),
    '--tasks',
    'zero-shot',
    '--resamples',
    '50',
    '--templates',
    'simple',
    '--json'
  ]
  const killed = startCommand(t, args, env)
  await untilKept(cache, 1)
  killed.child.kill('SIGKILL')
  t.match(await killed.ended, { code: 'SIGKILL', stdout: '' })
  const before = keptRows(cache)
  t.ok(before > 0 && before < 240, `${before} of 240 were kept`)
  const stopped = startCommand(t, args, env)
  await untilKept(cache, before + 1)
  stopped.child.kill('SIGINT')
  t.match(await stopped.ended, {
    code: 130,
    stdout: '',
    stderr: /Stopped\. What was embedded is kept in .*evaluation-cache: the same command goes on from there\./
  })
  const then = keptRows(cache)
  t.ok(then >= before + 1, `${then} after ${before}`)
  const whole = await runCommand(t, args, env)
  const made = Number(/(\d+) embeddings of mini were made/.exec(whole.stderr)?.[1])
  t.equal(made, keptRows(cache) - then, 'what was there is not made again')
  const alone = await runCommand(t, [...args, '--no-cache'], env)
  t.same(
    JSON.parse(whole.stdout).datasets,
    JSON.parse(alone.stdout).datasets,
    'and the figures are those of one that was never stopped'
  )
})

t.test('embeddings that were made before need no model', async (t: Test) => {
  const env = { ...environment(t.testdir()), MODEL: 'there-is-none' }
  const { code, stdout, stderr } = await runCommand(
    t,
    ['evaluate', small('embeddings'), '--resamples', '50', '--json'],
    env
  )
  t.same([code, stderr], [0, ''])
  t.match(JSON.parse(stdout), {
    models: [],
    datasets: [{ kind: 'embeddings', results: [{ tasks: [{ task: 'retrieval' }] }] }]
  })
})

t.test('what can not be is said before anything is encoded', async (t: Test) => {
  Object.assign(process.env, environment(t.testdir()))
  // What commander says of it by itself goes there.
  t.capture(process.stderr, 'write', () => true)
  const refused: [string[], RegExp][] = [
    [['nowhere'], /nowhere/],
    [[], /Name a dataset, or a collection/],
    [
      [small('classes'), '--tasks', 'retrieval'],
      /retrieval is done on images with captions.*'classes' is images with classes/
    ],
    [[small('classes'), '--tasks', 'magic'], /There is no task 'magic'; there are retrieval,/],
    [[small('classes'), '--confidence', '95'], /between 0 and 1/],
    [
      [small('classes'), small('coco/captions.json'), '--images', '/tmp'],
      /--images is where the images of one dataset lie/
    ],
    [[small('classes'), '--html', '/nowhere/report.html'], /There is no folder \/nowhere/],
    [[small('classes'), '--templates', 'imagenet-81'], /imagenet-81/],
    [[small('classes'), '--format', 'xml'], /Allowed choices are coco/],
    [[small('embeddings'), '--against', 'clip'], /no model has a part in it/],
    [[small('classes'), '--against', 'clip'], /are the same model; --against names another/]
  ]
  for (const [args, reason] of refused) {
    const error = await createProgram()
      .parseAsync(['evaluate', ...args], { from: 'user' })
      .catch((error: Error) => error)
    t.match(error, { message: reason }, args.join(' '))
    t.equal(exitCodeOf(error), 2)
  }
  await t.rejects(
    createProgram().parseAsync(['evaluate', small('classes'), '--model', 'there-is-none'], { from: 'user' }),
    /There is no model package/
  )
})
