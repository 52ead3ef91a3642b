import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { startCommand } from '../../fixtures/command.js'
import { solid } from '../../fixtures/images.js'
import { inSequence } from '../../fixtures/pattern.js'
import { testServer } from '../../fixtures/server.js'

const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
const here = { SEMBLANCE_URL: url }

/** Waits until a collection has so many records, at most half a minute. */
async function stored(collection: string, records: number): Promise<void> {
  const count = async () => (await api('GET', `/v1/collections/${collection}`)).body.records ?? 0
  for (let waited = 0; (await count()) < records && waited < 30_000; waited += 10) await sleep(10)
}

t.test('Ctrl-C stops it while standard input is still open', async (t) => {
  const { child, ended } = startCommand(t, ['index', '-', '-c', 'lines'], here, 'pipe')
  child.stdin!.write(Array.from({ length: 300 }, (_, i) => `{"id": "more${i}", "text": "more"}\n`).join(''))
  // The command has the answers to the first of several batches by then.
  await stored('lines', 192)
  child.kill('SIGINT')
  t.match(await ended, {
    code: 130,
    stderr: inSequence(
      /^Stopped\. \d+ records were stored before that: /,
      /.*pipe the lines from \d+ on into 'semblance index -'.*\n$/
    )
  })
})

t.test('Ctrl-C stops it, and the next run continues', async (t) => {
  const root = t.testdir()
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) =>
      writeFile(join(root, `${i}.png`), await solid('red', { width: 600 + i, height: 600 }))
    )
  )
  const { child, ended } = startCommand(t, ['index', root, '-c', 'stopped'], here)
  await stored('stopped', 1)
  child.kill('SIGINT')
  t.match(await ended, {
    code: 130,
    stdout: '',
    stderr: /^Stopped\.( \d+ records were stored .*run the same command again.*)?\n$/
  })
  const { code, stdout } = await callCommand(['index', root, '-c', 'stopped', '--json'], here)
  const { created, unchanged } = JSON.parse(stdout)
  t.match({ code, sum: created + unchanged }, { code: 0, sum: 200 })
  t.ok(unchanged > 0)
})
