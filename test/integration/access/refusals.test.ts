import t from 'tap'
import { testServer } from '../../fixtures/server.js'

const READ = 'read-key-of-some-length'
const OTHER = 'another-key-of-some-length'
const from = (address: string, key?: string) => ({
  headers: { 'x-forwarded-for': address, ...(key && { authorization: `Bearer ${key}` }) }
})

t.test(
  'an address that shows wrong keys is rejected unheard, right keys too, but for those it has shown before',
  async (t) => {
    const { api } = await testServer(t, {
      API_KEYS: `read:${READ},read:${OTHER}`,
      REFUSALS_PER_MINUTE: '5',
      TRUST_PROXY: 'loopback'
    })
    const call = (address: string, key?: string) => api('GET', '/v1/models', undefined, from(address, key))
    t.match(await call('198.51.100.1', READ), { status: 200 })
    for (let i = 0; i < 5; i++) t.match(await call('198.51.100.1', `wrong-key-number-${i}`), { status: 401 })
    const limited = await call('198.51.100.1', 'wrong-key-number-6')
    t.match(limited, {
      status: 429,
      body: { error: { code: 'RATE_LIMITED', message: /5 requests without a valid API key/ } }
    })
    t.ok(Number(limited.headers.get('retry-after')) > 0)
    t.match(await call('198.51.100.1', OTHER), { status: 429 }, 'a right guess is not told from a wrong one')
    t.match(await call('198.51.100.1'), { status: 429 }, 'nor is none')
    t.match(await call('198.51.100.1', READ), { status: 200 }, 'who was let in before stays in')
    t.match(await call('198.51.100.2', OTHER), { status: 200 }, 'other addresses are not concerned')
    t.match(
      await api('GET', '/health/live', undefined, from('198.51.100.1')),
      { status: 200 },
      'nor is what is open'
    )
    for (let i = 0; i < 5; i++) await call(`2001:db8::${i}`, 'wrong-key-wrong-key')
    t.match(
      await call('2001:db8::ffff', 'wrong-key-wrong-key'),
      { status: 429 },
      'a network of IPv6 is one caller'
    )
  }
)
