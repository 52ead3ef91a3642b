import t from 'tap'
import { startProcess, whenReady } from '../fixtures/service.js'
import { client } from '../fixtures/server.js'

t.test(
  'SIGTERM: not ready, still serving, then an end with 0, and what was acknowledged is there',
  async (t) => {
    const env = { DATA_DIR: t.testdir(), DEMO: 'false', SHUTDOWN_DELAY_MS: '1500' }
    const { url, child, ended } = await startProcess(t, env)
    await whenReady(url)
    const api = client(url)
    await api('PUT', '/v1/collections/things')
    child.kill('SIGTERM')
    while ((await api('GET', '/health/ready')).status === 200);
    t.match(await api('GET', '/health/ready'), { status: 503, body: { status: 'closing' } })
    t.match(await api('GET', '/health/live'), { status: 200 })
    t.match(
      await api('POST', '/v1/collections/things/records', { records: [{ id: 'last', text: 'a late one' }] }),
      { status: 200, body: { results: [{ status: 'created' }] } }
    )
    t.equal(await ended, 0)
    const again = await startProcess(t, env)
    await whenReady(again.url)
    t.match(await client(again.url)('GET', '/v1/collections/things/records/last'), { status: 200 })
  }
)

t.test('a second signal ends it at once', async (t) => {
  const { url, child, ended, output } = await startProcess(t, {
    DATA_DIR: t.testdir(),
    DEMO: 'false',
    SHUTDOWN_DELAY_MS: '600000'
  })
  await whenReady(url)
  child.kill('SIGTERM')
  while ((await fetch(`${url}/health/ready`)).status === 200);
  child.kill('SIGINT')
  t.equal(await ended, 1)
  t.match(output(), /second SIGINT/)
})
