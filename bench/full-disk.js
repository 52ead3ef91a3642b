// A disk that fills up, and a folder that turns read-only, under a running service. Needs root, to mount a
// small tmpfs.
// node bench/full-disk.js   (after npm run build)
import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const folder = await mkdtemp(join(tmpdir(), 'semblance-disk-'))
const NOBODY = 65534
// The service runs as no one: permissions mean nothing to root.
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=32m,uid=${NOBODY}`, 'tmpfs', folder])
const child = spawn(process.execPath, [fileURLToPath(new URL('../dist/cli/serve.js', import.meta.url))], {
  env: { ...process.env, PORT: '0', DATA_DIR: folder, DEMO: 'false', LOG_LEVEL: 'info' },
  stdio: ['ignore', 'pipe', 'inherit'],
  uid: NOBODY
})
let output = ''
child.stdout.on('data', (chunk) => (output += chunk))
const address = () => /listening at (http:\/\/[^"\s]+)/.exec(output)?.[1]
while (!address() && child.exitCode === null) await sleep(20)
const base = `${address()}/v1/collections/disk`
const json = { 'content-type': 'application/json' }

const checks = []
const check = (name, holds, seen = '') =>
  checks.push({ check: name, holds: Boolean(holds), seen: String(seen) })

async function add(n) {
  const noise = await sharp({
    create: { width: 400, height: 300, channels: 3, noise: { type: 'gaussian', mean: 100, sigma: 50 } }
  })
    .jpeg({ quality: 95 })
    .toBuffer()
  const records = Array.from({ length: 4 }, (_, i) => ({
    id: `r${n}-${i}`,
    text: `record ${n} ${i}`,
    image: { base64: Buffer.concat([noise, Buffer.from([n & 255, n >> 8, i])]).toString('base64') }
  }))
  const response = await fetch(`${base}/records`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ records })
  })
  return { status: response.status, body: await response.json() }
}
const search = async () =>
  (
    await fetch(`${base}/search/text-to-image`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ text: 'noise' })
    })
  ).status
const counts = async () => (await fetch(base)).json()

try {
  await fetch(base, { method: 'PUT' })
  let acknowledged = 0
  let refusal
  for (let n = 0; n < 400 && !refusal; n++) {
    const answer = await add(n)
    if (answer.status === 200) acknowledged += 4
    else refusal = answer
  }
  check(
    'a full disk refuses with 507 STORAGE_FULL',
    refusal?.status === 507 && refusal.body.error.code === 'STORAGE_FULL',
    `${refusal?.status} ${refusal?.body.error.code} after ${acknowledged} records`
  )
  check('searches answer', (await search()) === 200)
  const { records, images } = await counts()
  check(
    'nothing is half written',
    records === acknowledged && images === acknowledged,
    `${records} records, ${images} images, ${acknowledged} acknowledged`
  )
  check(
    'no image is left of what was refused',
    (await readdir(join(folder, 'images'))).length === acknowledged,
    (await readdir(join(folder, 'images'))).length
  )
  for (let n = 400; n < 405; n++) await add(n)
  check('health is green', (await fetch(`${address()}/health/ready`)).status === 200)

  execFileSync('mount', ['-o', 'remount,size=64m', folder])
  const again = await add(500)
  check('with room it takes writes again', again.status === 200, again.status)
  if (again.status === 200) acknowledged += 4

  await chmod(join(folder, 'images'), 0o555)
  const readOnly = await add(600)
  check(
    'a read-only folder refuses with 503 STORAGE_UNWRITABLE',
    readOnly.status === 503 && readOnly.body.error.code === 'STORAGE_UNWRITABLE',
    `${readOnly.status} ${JSON.stringify(readOnly.body)}`
  )
  check('searches answer', (await search()) === 200)
  await chmod(join(folder, 'images'), 0o755)
  const back = await add(700)
  check('writable again it takes writes', back.status === 200, back.status)
  if (back.status === 200) acknowledged += 4
  check('what was acknowledged is there', (await counts()).records === acknowledged, acknowledged)
} finally {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  check('it ends with 0', (await ended) === 0)
  execFileSync('umount', [folder])
  await rm(folder, { recursive: true })
}
console.table(checks)
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1
