import { execFileSync } from 'node:child_process'
import { chmod, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { huggingFaceFiles, startHub } from '../../fixtures/hub.js'
import { fillDisk, smallDisk, unmount } from '../../fixtures/small-disk.js'
import { contents, FP32, SETTINGS, tree } from '../../fixtures/pulling.js'
import { inSequence } from '../../fixtures/pattern.js'

const PULL = ['models', 'pull', 'acme/clip']

/** Makes a folder one that can't be written to, also by root where it is a disk of its own. */
async function makeReadOnly(t: Test, disk: string | undefined): Promise<string> {
  if (disk) execFileSync('mount', ['-o', 'remount,ro', disk])
  const folder = disk ?? t.testdir({})
  await chmod(folder, 0o555).catch(() => {})
  return folder
}

const disk = await smallDisk('8m')

// Only where there is a small disk to fill: nothing else is full in the same way.
if (disk) {
  t.test(
    'a disk that is full is said before the download, or during it, and what has come is kept',
    async (t) => {
      const hub = await startHub(t, huggingFaceFiles(1_000_000))
      const env = { MODELS_DIR: disk, HF_ENDPOINT: hub.endpoint }
      await fillDisk(disk, 500_000)
      t.match(await callCommand(PULL, env), {
        code: 1,
        stdout: '',
        stderr: inSequence(
          /^semblance: The disk of .* has \d+\.\d kB free, but 3\.1 MB are needed: /,
          /free space, or set MODELS_DIR to a folder on another disk\.\n$/
        )
      })
      t.notOk(hub.requests.some(({ path }) => path.includes('/resolve/')))

      await rm(join(disk, 'filler'))
      hub.speed = 100_000
      const ended = callCommand(PULL, env)
      for (
        let waited = 0;
        hub.requests.filter(({ server }) => server === 'cdn').length < 4 && waited < 30_000;
        waited += 20
      )
        await sleep(20)
      await fillDisk(disk, 500_000)
      const full = await ended
      t.match(full, {
        code: 1,
        stdout: '',
        stderr: inSequence(
          /\nsemblance: The disk of .* is full \(ENOSPC\)\. /,
          /Downloaded data is kept: free space, and run the same command again to continue\.\n$/
        )
      })
      t.ok((await readdir(join(disk, '.pulling/acme--clip', hub.commit, 'onnx'))).length > 0)

      await rm(join(disk, 'filler'))
      hub.speed = Infinity
      t.match(await callCommand(PULL, env), { code: 0, stderr: /are already downloaded/ })
      const { 'semblance.lock.json': lock, ...files } = await tree(join(disk, 'acme/clip'))
      t.ok(lock)
      t.same(files, contents(hub, [...SETTINGS, ...FP32]))
    }
  )
}

t.test("a folder that can't be written to", async (t) => {
  const hub = await startHub(t)
  const folder = await makeReadOnly(t, disk)
  for (const modelsDir of [folder, join(folder, 'models')]) {
    const { code, stdout, stderr } = await callCommand(PULL, {
      MODELS_DIR: modelsDir,
      HF_ENDPOINT: hub.endpoint
    })
    t.match(
      { code, stdout, stderr },
      {
        code: 1,
        stdout: '',
        stderr: inSequence(
          /^semblance: MODELS_DIR .* can't be written to \((EROFS|EACCES|ENOENT)\): /,
          /set MODELS_DIR or --models-dir to a writable folder\.\n$/
        )
      },
      modelsDir
    )
  }
})

if (disk) t.teardown(() => unmount(disk))
