import t from 'tap'
import { trustedProxies } from '../../../src/access/trusted-proxies.js'
import { readConfig } from '../../../src/config.js'
import { testServer } from '../../fixtures/server.js'

t.test('the rate is counted by the address that a trusted proxy tells of', async (t) => {
  const { api } = await testServer(t, { RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1/32' })
  const call = async (chain: string) =>
    (await api('GET', '/v1/models', undefined, { headers: { 'x-forwarded-for': chain } })).status
  t.same([await call('203.0.113.1'), await call('203.0.113.1'), await call('203.0.113.1')], [200, 200, 429])
  t.equal(await call('203.0.113.2'), 200)
  t.equal(await call('203.0.113.99, 203.0.113.1'), 429, 'what the caller itself put before is not believed')
})

t.test('without TRUST_PROXY no one is believed', async (t) => {
  const { api } = await testServer(t, { RATE_LIMIT_PER_MINUTE: '2' })
  const call = async (address: string) =>
    (await api('GET', '/v1/models', undefined, { headers: { 'x-forwarded-for': address } })).status
  t.same([await call('203.0.113.1'), await call('203.0.113.2'), await call('203.0.113.3')], [200, 200, 429])
})

t.test('what is no proxy is rejected at the start', async (t) => {
  t.same(trustedProxies(['10.0.0.0/8', ' ::1', 'fd00::/8', 'loopback']), [
    '10.0.0.0/8',
    '::1',
    'fd00::/8',
    'loopback'
  ])
  for (const wrong of ['proxy.example', '10.0.0.0/33', '0.0.0.0/0', '10.0.0.0/8/8', '10.0.0', 'true', ''])
    t.throws(() => trustedProxies([wrong]), /TRUST_PROXY/, wrong)
  t.throws(() => readConfig({ TRUST_PROXY: 'everyone' }), /TRUST_PROXY: 'everyone'/)
})
