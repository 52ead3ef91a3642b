import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request, type RequestOptions } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { blocksOf } from '../fixtures/pages.js'
import { startProcess, whenReady } from '../fixtures/service.js'

const nginx = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  .map((folder) => `${folder}/nginx`)
  .find((path) => existsSync(path))
const HOST = 'images.example.com'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** nginx with the configuration that docs/how-to/nginx.md shows, its addresses and certificate replaced. */
async function startNginx(
  t: Test,
  { service, folder }: { service: string; folder: string }
): Promise<{ port: number; plainPort: number; ca: Buffer }> {
  const page = await readFile(new URL('../../docs/how-to/nginx.md', import.meta.url), 'utf8')
  const shown = blocksOf(page).find(({ language }) => language === 'nginx')!.code
  await mkdir(`${folder}/tls`)
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-subj',
    `/CN=${HOST}`,
    '-addext',
    `subjectAltName=DNS:${HOST}`,
    '-keyout',
    `${folder}/tls/semblance.key`,
    '-out',
    `${folder}/tls/semblance.pem`
  ])
  const [port, plainPort] = [await freePort(), await freePort()]
  const site = [
    ['127.0.0.1:8080', new URL(service).host],
    ['listen 443', `listen 127.0.0.1:${port}`],
    ['listen 80', `listen 127.0.0.1:${plainPort}`],
    ['/etc/nginx/tls', `${folder}/tls`]
  ].reduce((text, [from, to]) => {
    t.ok(text.includes(from), `the page has ${from}`)
    return text.replaceAll(from, to)
  }, shown)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n')
  await writeFile(`${folder}/semblance.conf`, site)
  await writeFile(
    `${folder}/nginx.conf`,
    `${process.getuid?.() === 0 ? 'user root;' : ''}\ndaemon off;\nworker_processes 1;\npid ` +
      `${folder}/nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log ` +
      `off;\n${temporary}\ninclude ${folder}/semblance.conf;\n}\n`
  )
  const child = spawn(nginx!, ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${errors}`)
    if (
      await new Promise((resolve) =>
        httpRequest({ host: '127.0.0.1', port: plainPort }, () => resolve(true))
          .on('error', () => resolve(false))
          .end()
      )
    )
      break
    await sleep(50)
  }
  return { port, plainPort, ca: await readFile(`${folder}/tls/semblance.pem`) }
}

t.test(
  'the configuration of docs/how-to/nginx.md serves as it says',
  { skip: nginx ? false : 'nginx is not installed' },
  async (t) => {
    const folder = t.testdir({ data: {}, nginx: {} })
    const service = await startProcess(t, {
      DATA_DIR: `${folder}/data`,
      DEMO: 'false',
      TRUST_PROXY: '127.0.0.1',
      ALLOWED_HOSTS: HOST,
      AUDIT_LOG: 'stdout'
    })
    await whenReady(service.url)
    const { port, plainPort, ca } = await startNginx(t, { service: service.url, folder: `${folder}/nginx` })
    // From another address of this machine than nginx's own, so that the two can be told apart.
    const call = (options: RequestOptions) =>
      request({
        host: '127.0.0.1',
        localAddress: '127.0.0.2',
        port,
        servername: HOST,
        ca,
        agent: false,
        ...options,
        headers: { host: HOST, ...options.headers }
      })
    const send = async (options: RequestOptions, body?: string) => {
      const sent = call({
        ...options,
        headers: { 'content-type': 'application/json', ...options.headers }
      }).end(body)
      const [response] = await once(sent, 'response')
      let text = ''
      for await (const chunk of response) text += chunk
      return { status: response.statusCode, headers: response.headers, text }
    }

    await t.test('bodies over its own default', async (t) => {
      t.match(await send({ method: 'PUT', path: '/v1/collections/proxied' }, '{}'), { status: 201 })
      const noise = await sharp({
        create: {
          width: 1000,
          height: 1000,
          channels: 3,
          background: 'grey',
          noise: { type: 'gaussian', mean: 128, sigma: 60 }
        }
      })
        .png()
        .toBuffer()
      t.ok(noise.length > 2 ** 20)
      const { status, text, headers } = await send(
        { method: 'POST', path: '/v1/collections/proxied/records' },
        JSON.stringify({ records: [{ id: 'noise', image: { base64: noise.toString('base64') } }] })
      )
      t.equal(status, 200, text)
      t.match(JSON.parse(text), { results: [{ id: 'noise', status: 'created' }] })
      t.equal(headers['strict-transport-security'], 'max-age=31536000')
    })

    await t.test('a bulk load is answered while it is sent', async (t) => {
      const load = call({
        method: 'POST',
        path: '/v1/collections/proxied/records/bulk',
        headers: { 'content-type': 'application/x-ndjson' }
      })
      // Lines are written by the hundred.
      for (let i = 1; i <= 600; i++) load.write(`${JSON.stringify({ id: `line-${i}`, text: 'a line' })}\n`)
      const [response] = await once(load, 'response', { signal: AbortSignal.timeout(30_000) })
      const [first] = await once(response, 'data', { signal: AbortSignal.timeout(30_000) })
      load.end(`${JSON.stringify({ id: 'last', text: 'another' })}\n`)
      let answers = String(first)
      t.match(JSON.parse(answers.split('\n')[0]), { line: 1, id: 'line-1', status: 'created' })
      for await (const chunk of response) answers += chunk
      t.match(JSON.parse(answers.trim().split('\n')[600]), { line: 601, id: 'last', status: 'created' })
    })

    await t.test('the caller is who called, whatever he says', async (t) => {
      t.match(
        await send({
          method: 'DELETE',
          path: '/v1/collections/proxied',
          headers: { 'x-forwarded-for': '203.0.113.9' }
        }),
        { status: 204 }
      )
      const lines = () =>
        service
          .output()
          .split('\n')
          .filter((line) => line.includes('"audit":true'))
          .map((line) => JSON.parse(line))
      for (
        let waited = 0;
        waited < 5000 && !lines().some(({ operation }) => operation === 'dropCollection');
        waited += 50
      )
        await sleep(50)
      t.match(
        lines().find(({ operation }) => operation === 'dropCollection'),
        { address: '127.0.0.2' }
      )
    })

    await t.test('plain HTTP is sent to HTTPS, with its method', async (t) => {
      const [response] = await once(
        httpRequest({
          host: '127.0.0.1',
          port: plainPort,
          method: 'POST',
          path: '/v1/embeddings',
          headers: { host: HOST }
        }).end(),
        'response'
      )
      response.resume()
      t.match(response, { statusCode: 308, headers: { location: `https://${HOST}/v1/embeddings` } })
    })
  }
)
