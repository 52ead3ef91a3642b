import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { getFromHub } from '../../../src/hub/request.js'
import { startHub } from '../../fixtures/hub.js'
import { clientOf } from '../../fixtures/pulling.js'

const TOKEN = 'hf_secret'

/** A server that redirects by its path: /to?<address>. */
async function redirector(t: Test): Promise<{ address: string; seen: (string | undefined)[] }> {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    const to = decodeURIComponent(request.url!.split('?')[1] ?? '')
    response.writeHead(to ? 307 : 200, to ? { location: to } : {}).end('ok')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close().closeAllConnections())
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const via = (address: string, to: string) => `${address}/to?${encodeURIComponent(to)}`
const asked = { repo: 'acme/clip', revision: 'main' }

t.test('the token goes to the hub, and not on to the CDN', async (t) => {
  const hub = await startHub(t)
  hub.token = TOKEN
  const { body } = await getFromHub(clientOf(t, hub, { token: TOKEN }), {
    ...asked,
    url: `${hub.endpoint}/${hub.repo}/resolve/${hub.commit}/onnx/vision_model.onnx`
  })
  t.ok(Buffer.from(await body.arrayBuffer()).equals(hub.files['onnx/vision_model.onnx'].content))
  t.same(
    hub.requests.map(({ server, authorization }) => [server, authorization]),
    [
      ['hub', `Bearer ${TOKEN}`],
      ['cdn', undefined]
    ]
  )
})

t.test('within the hub it is kept; back from elsewhere it is not sent again', async (t) => {
  const [hub, elsewhere] = [await redirector(t), await redirector(t)]
  const client = clientOf(t, { endpoint: hub.address }, { token: TOKEN })
  await getFromHub(client, { ...asked, url: via(hub.address, '/relative') }).then(({ body }) => body.dump())
  t.same(hub.seen, [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`])
  hub.seen.length = 0
  await getFromHub(client, { ...asked, url: via(hub.address, via(elsewhere.address, hub.address)) }).then(
    ({ body }) => body.dump()
  )
  t.same(hub.seen, [`Bearer ${TOKEN}`, undefined])
  t.same(elsewhere.seen, [undefined])
})

t.test('redirects are bounded, and lead to http(s) only', async (t) => {
  const hub = await redirector(t)
  const client = clientOf(t, { endpoint: hub.address })
  let url = `${hub.address}/end`
  for (let hop = 0; hop < 9; hop++) url = via(hub.address, url)
  await t.rejects(getFromHub(client, { ...asked, url }), /redirects in a loop/)
  await t.rejects(
    getFromHub(client, { ...asked, url: via(hub.address, 'file:///etc/passwd') }),
    /redirects to a URL that is not http or https/
  )
})

t.test('what refuses to answer says what to do, and never the token', async (t) => {
  const statuses: Record<string, number> = {}
  const server = createServer((_, response) =>
    response.writeHead(statuses.now).end('<html>\nno\n</html>')
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close().closeAllConnections())
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const message = async (status: number, token?: string) => {
    statuses.now = status
    return getFromHub(clientOf(t, { endpoint }, { ...(token && { token }) }), {
      ...asked,
      url: endpoint
    }).then(
      () => '',
      (error: Error) => error.message
    )
  }
  t.match(await message(401), /private, gated or does not exist \(401\): check the name, or set HF_TOKEN/)
  t.match(await message(401, TOKEN), /rejects the HF_TOKEN for acme\/clip \(401\)/)
  t.match(
    await message(403, TOKEN),
    /accept its terms at http:\/\/127\.0\.0\.1:\d+\/acme\/clip and set HF_TOKEN/
  )
  t.match(await message(429), /\(429\): wait, or set HF_TOKEN/)
  t.match(await message(418), /answered 418 for acme\/clip/)
  for (const status of [401, 403, 404, 418, 429, 500])
    t.notMatch(await message(status, TOKEN), new RegExp(`${TOKEN}|\\n|html`))
})
