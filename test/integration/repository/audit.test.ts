import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'

/** `npm run audit` against a registry that gives one answer to what npm asks it about vulnerabilities. */
async function audit(
  t: Test,
  status: number,
  advisories: object
): Promise<{ code: number; errors: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const isBulk = request.url === '/-/npm/v1/security/advisories/bulk'
      const body = Buffer.concat(chunks)
      if (isBulk)
        asked.push(
          ...Object.keys(
            JSON.parse(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body))
          )
        )
      response
        .writeHead(isBulk ? status : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(isBulk ? advisories : {}))
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const child = spawn('npm', ['run', '--silent', 'audit'], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      HOME: t.testdir(),
      npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      npm_config_fetch_retries: '0'
    },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const [code] = await once(child, 'close')
  return { code, errors, asked }
}

const advisory = (severity: string) => [
  {
    id: 1,
    url: 'https://advisories.example/1',
    title: 'It can be made to fall over',
    severity,
    vulnerable_versions: '>=0',
    cwe: [],
    cvss: { score: 9, vectorString: null }
  }
]

t.test('a clean answer passes, and only what is shipped is asked about', async (t) => {
  const { code, errors, asked } = await audit(t, 200, {})
  t.equal(code, 0, errors)
  t.ok(asked.includes('fastify'))
  t.notOk(asked.includes('eslint'))
})

t.test('a grave vulnerability fails, and is named; a lesser one is named', async (t) => {
  t.match(await audit(t, 200, { 'close-with-grace': advisory('critical') }), {
    code: 1,
    errors: /critical: close-with-grace .*fall over \(https:\/\/advisories\.example\/1\)/
  })
  t.match(await audit(t, 200, { 'close-with-grace': advisory('moderate') }), {
    code: 0,
    errors: /moderate: close-with-grace/
  })
})

t.test('a registry that does not answer is told from both', async (t) => {
  t.match(await audit(t, 405, {}), { code: 2, errors: /NOT AUDITED/ })
})
