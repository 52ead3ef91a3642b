import { existsSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { startCommand } from '../../fixtures/command.js'

/** What the command reads of the environment. */
const SMALL = { ENCODER_WORKERS: '1', DECODE_WORKERS: '1', IMAGE_BATCH_SIZE: '4', TEXT_BATCH_SIZE: '8' }

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

t.test('an evaluation that was killed continues where it was', async (t: Test) => {
  const folder = t.testdir()
  const env = { DATA_DIR: join(folder, 'data'), ...SMALL }
  const cache = join(folder, 'data', 'evaluation-cache')
  const args = [
    'evaluate',
    await twoClasses(join(folder, 'pictures'), 80),
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
  t.ok(before > 0 && before < 160, `${before} of 160 were kept`)
  const stopped = startCommand(t, args, env)
  await untilKept(cache, before + 1)
  stopped.child.kill('SIGINT')
  t.match(await stopped.ended, {
    code: 130,
    stdout: '',
    stderr: /Stopped\. The embeddings so far are cached in .*evaluation-cache: run the same command again/
  })
  const then = keptRows(cache)
  t.ok(then >= before + 1, `${then} after ${before}`)
  const whole = await callCommand(args, env)
  const made = Number(/(\d+) embeddings of mini were computed/.exec(whole.stderr)?.[1])
  t.equal(made, keptRows(cache) - then, 'what was there is not made again')
  const alone = await callCommand([...args, '--no-cache'], env)
  t.same(
    JSON.parse(whole.stdout).datasets,
    JSON.parse(alone.stdout).datasets,
    'and the figures are those of one that was never stopped'
  )
})
