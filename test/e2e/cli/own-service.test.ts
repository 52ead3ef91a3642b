import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runCommand, startCommand } from '../../fixtures/command.js'
import { solid } from '../../fixtures/images.js'

const env = (dataDir: string) => ({
  DATA_DIR: dataDir,
  MODELS_DIR: join(process.cwd(), 'test/fixtures/towers'),
  MODELS: 'clip',
  ENCODER_WORKERS: '1',
  EXPRESS_WORKER: 'false',
  IMAGE_BATCH_SIZE: '4',
  TEXT_BATCH_SIZE: '32'
})

/** A service of another at the usual address would be used, and these tests would say nothing. */
const isTaken = await fetch('http://localhost:8080/health/live').then(
  () => true,
  () => false
)

t.test(
  'a command serves its data folder itself where nothing does',
  { skip: isTaken && 'something serves at localhost:8080' },
  async (t) => {
    const folder = t.testdir({ data: {}, pictures: {} })
    const own = env(join(folder, 'data'))
    await writeFile(join(folder, 'pictures/red.png'), await solid('red'))
    const says =
      `No service runs at http://localhost:8080; starting one over ${own.DATA_DIR} for this ` + `command.\n`
    t.match(await runCommand(t, ['index', join(folder, 'pictures')], own), {
      code: 0,
      stdout: /1 created/,
      stderr: says
    })
    t.match(
      await runCommand(t, ['search', 'red', '--quiet'], own),
      { code: 0, stdout: /red\.png/, stderr: '' },
      'the folder is free again, and has what was indexed'
    )

    const lines = startCommand(t, ['index', '-'], own, 'pipe')
    for (let waited = 0; !lines.errors().includes('serving') && waited < 30_000; waited += 20) await sleep(20)
    t.match(await runCommand(t, ['search', 'red'], own), {
      code: 69,
      stdout: '',
      stderr: /data folder .* is in use by process \d+.*set --url to the service's address\.\n$/
    })
    lines.child.kill('SIGKILL')
    await lines.ended
    const forOthers = { API_KEYS: 'read:a-key-of-many-characters', PORT: '1', HOST: '0.0.0.0' }
    t.match(
      await runCommand(t, ['collections', 'list', '--quiet'], { ...own, ...forOthers }),
      { code: 0, stdout: /images +1 / },
      'however the command ends, so does its service; what is configured for others does not matter'
    )
    t.match(await runCommand(t, ['collections', 'list'], { ...own, MODELS: 'none' }), {
      code: 69,
      stderr: /^semblance: .*none/
    })
  }
)
