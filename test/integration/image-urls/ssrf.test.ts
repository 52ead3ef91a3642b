import { createServer } from 'node:net'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { golden, svg } from '../../fixtures/images.js'
import { startNameServer } from '../../fixtures/name-server.js'
import { startPictureHost, type Answer } from '../../fixtures/picture-host.js'
import { startProxy } from '../../fixtures/proxy.js'
import { ownServer } from '../../fixtures/server.js'

// Through a real service. It may reach one private host at one port, images.test; everything else on loopback
// is what it must not reach, and the same server would answer there.

const portrait = await golden('portrait.jpg')
const picture: Answer = (response) =>
  void response.writeHead(200, { 'content-type': 'image/jpeg' }).end(portrait)
const redirect =
  (location: string): Answer =>
  (response) =>
    void response.writeHead(302, { location }).end()
const raw =
  (text: string): Answer =>
  (_, __, socket) =>
    void socket.end(text)
const MIB = 2 ** 20

const REFUSED = 'IMAGE_URL_REFUSED'
const FAILED = 'IMAGE_URL_FAILED'
const NO_ADDRESS = 'The URL of the image was rejected: its host has no public address.'

/** Sends pieces until the connection ends. */
function endless(head: Record<string, string>, piece: Buffer, everyMs = 0): Answer {
  return (response) => {
    response.writeHead(200, head)
    const send = () => {
      if (response.destroyed) return
      if (everyMs > 0) {
        response.write(piece)
        setTimeout(send, everyMs)
      } else if (response.write(piece)) setImmediate(send)
      else response.once('drain', send)
    }
    send()
  }
}

t.test('what is fetched by url and what is not', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const closedPort = (closed.address() as AddressInfo).port
  closed.close()
  const answers: Record<string, Answer> = {
    '/ok': picture,
    '/untyped': (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(portrait),
    '/relative': redirect('/ok?from=redirect'),
    '/html': (response) =>
      void response.writeHead(200, { 'content-type': 'image/png' }).end('<html>not a picture</html>'),
    '/svg': (response) => void response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg),
    '/empty': (response) => void response.writeHead(200).end(),
    '/gzip': (response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(portrait)),
    '/gzip-bomb': (response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * MIB))),
    '/twice-encoded': (response) =>
      void response.writeHead(200, { 'content-encoding': 'identity, br' }).end(portrait),
    '/endless': endless({}, Buffer.alloc(64 << 10)),
    '/drip': endless({}, Buffer.alloc(1), 20),
    '/silent': () => {},
    '/huge-length': (response) =>
      void response.writeHead(200, { 'content-length': String(50 * MIB) }).write('x'),
    '/short': raw(`HTTP/1.1 200 OK\r\nContent-Length: ${portrait.length}\r\n\r\nshort`),
    '/long': (_, __, socket) =>
      void socket.end(
        Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'), portrait])
      ),
    '/two-lengths': raw('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
    '/length-and-chunks': raw(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    ),
    '/cut': (response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).write(portrait.subarray(0, 100))
      setTimeout(() => response.destroy(), 20)
    },
    '/header-flood': raw(`HTTP/1.1 200 OK\r\n${`X-Flood: ${'x'.repeat(1000)}\r\n`.repeat(64)}\r\n`),
    '/endless-header': (_, __, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ')
      const timer = setInterval(() => socket.write('x'.repeat(4096)), 5)
      socket.on('close', () => clearInterval(timer))
    },
    '/not-http': raw('SSH-2.0-OpenSSH_9.6\r\n'),
    '/upgrade': raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    '/partial': (response) =>
      void response
        .writeHead(206, { 'content-range': `bytes 0-9/${portrait.length}` })
        .end(portrait.subarray(0, 10)),
    '/not-modified': (response) => void response.writeHead(304).end(),
    '/no-content': (response) => void response.writeHead(204).end(),
    '/broken': (response) => void response.writeHead(500).end('secret detail'),
    '/redirect-nowhere': (response) => void response.writeHead(302).end(),
    '/loop': redirect('/loop'),
    '/specks': (_, __, socket) =>
      void socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(4000)}`),
    '/cookie': (response, request) =>
      void response
        .writeHead(request.headers.cookie ? 400 : 302, { location: '/ok', 'set-cookie': 'a=b' })
        .end()
  }
  const host = await startPictureHost(t, answers)
  const other = await startPictureHost(t, { '/': picture, '/ok': picture }, '127.0.0.2')
  const hops: Record<string, string> = {
    loopback: `http://127.0.0.1:${host.port}/ok`,
    'default-port': 'http://127.0.0.1/ok',
    metadata: 'http://169.254.169.254/latest/meta-data/',
    name: 'http://inside.test/ok',
    port: `http://images.test:${other.port}/ok`,
    file: 'file:///etc/passwd',
    gopher: 'gopher://images.test/',
    data: `data:image/jpeg;base64,${portrait.toString('base64').slice(0, 100)}`,
    credentials: `http://user:secret@images.test:${host.port}/ok`,
    denied: 'http://denied.test/ok',
    broken: 'http://[::1',
    mapped: 'http://[::ffff:127.0.0.1]/'
  }
  for (const [name, to] of Object.entries(hops)) answers[`/to-${name}`] = redirect(to)
  const names = await startNameServer(t, {
    'images.test': [['127.0.0.1']],
    'other.test': [['127.0.0.2']],
    'inside.test': [['10.1.2.3']],
    'loopback.test': [['127.0.0.1']],
    'mixed.test': [['93.184.215.14', '10.0.0.1']],
    'mixed6.test': [['93.184.215.14', 'fd00::1']],
    'unspecified.test': [['0.0.0.0']],
    'metadata.test': [['169.254.169.254']],
    'mapped.test': [['::ffff:7f00:1']],
    'nat64.test': [['64:ff9b::7f00:1']],
    // The first is allowed, what comes then is not, and another server answers there.
    'rebinding.test': [['127.0.0.1'], ['127.0.0.2']],
    'rebound.test': [['169.254.169.254'], ['127.0.0.1']],
    'private-metadata.test': [['169.254.169.254']],
    'private-mixed.test': [['127.0.0.1', '169.254.169.254']],
    'xn--bcher-kva.test': [['127.0.0.1']],
    'silent.test': 'silent'
  })
  const proxy = await startProxy(t, { 'images.test': 'http://127.0.0.1:1' })
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'ALL_PROXY'])
    process.env[name] = proxy.address
  t.teardown(() =>
    ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'ALL_PROXY'].forEach(
      (name) => delete process.env[name]
    )
  )
  const { api } = await ownServer(t, {
    IMAGE_URLS: 'true',
    IMAGE_URL_TIMEOUT_MS: '1500',
    IMAGE_URL_NAME_SERVERS: names.address,
    IMAGE_URL_DENIED_HOSTS: 'denied.test, *.denied.test',
    IMAGE_URL_PRIVATE_HOSTS: [
      'images.test',
      'rebinding.test',
      'private-metadata.test',
      'private-mixed.test',
      'bücher.test'
    ]
      .map((name) => `${name}:${host.port}`)
      .join(),
    MAX_IMAGE_MIB: '1'
  })
  const at = (path: string, name = 'images.test') => `http://${name}:${host.port}${path}`
  const ok = 'IMAGE'

  const cases: [string, string, string][] = [
    ['a picture', at('/ok'), ok],
    ['a picture under a wrong type', at('/untyped'), ok],
    ['a relative redirect', at('/relative'), ok],
    ['a host in capitals with a trailing dot', at('/ok', 'IMAGES.test.'), ok],
    ['an IDN host that is listed', at('/ok', 'bücher.test'), ok],
    ['the same in punycode', at('/ok', 'xn--bcher-kva.test'), ok],
    ['a host in full-width letters, which is the listed one', at('/ok', 'ｉｍａｇｅｓ.test'), ok],
    ['no cookie goes back', at('/cookie'), ok],

    ['loopback', 'http://127.0.0.1/ok', REFUSED],
    ['loopback at the open port', `http://127.0.0.1:${host.port}/ok`, REFUSED],
    ['loopback at a closed port', `http://127.0.0.1:${closedPort}/ok`, REFUSED],
    ['another loopback address', 'http://127.8.8.8/', REFUSED],
    ['localhost', 'http://localhost/', REFUSED],
    ['below localhost', 'http://a.localhost/', REFUSED],
    ['localhost with a trailing dot', 'http://localhost./', REFUSED],
    ['decimal', 'http://2130706433/', REFUSED],
    ['octal', 'http://0177.0.0.1/', REFUSED],
    ['hexadecimal', 'http://0x7f000001/', REFUSED],
    ['hexadecimal parts', 'http://0x7f.0x0.0x0.0x1/', REFUSED],
    ['short form', 'http://127.1/', REFUSED],
    ['full-width digits', 'http://１２７.０.０.１/', REFUSED],
    ['ideographic full stops', 'http://127。0。0。1/', REFUSED],
    ['an address with a trailing dot', 'http://127.0.0.1./', REFUSED],
    ['percent-encoded', 'http://%31%32%37.0.0.1/', REFUSED],
    ['circled digits', 'http://①②⑦.0.0.1/', REFUSED],
    ['decimal overflow', 'http://4294967297/', REFUSED],
    ['10/8', 'http://10.0.0.1/', REFUSED],
    ['172.16/12', 'http://172.31.255.255/', REFUSED],
    ['192.168/16', 'http://192.168.1.1/', REFUSED],
    ['carrier-grade NAT', 'http://100.64.0.1/', REFUSED],
    ['link-local, where clouds keep credentials', 'http://169.254.169.254/latest/meta-data/', REFUSED],
    ['the same in decimal', 'http://2852039166/', REFUSED],
    ['unspecified', 'http://0.0.0.0/', REFUSED],
    ['unspecified, shortest', 'http://0/', REFUSED],
    ['this network', 'http://0.1.2.3/', REFUSED],
    ['broadcast', 'http://255.255.255.255/', REFUSED],
    ['multicast', 'http://224.0.0.1/', REFUSED],
    ['reserved', 'http://240.0.0.1/', REFUSED],
    ['documentation', 'http://192.0.2.1/', REFUSED],
    ['documentation 2', 'http://198.51.100.1/', REFUSED],
    ['documentation 3', 'http://203.0.113.1/', REFUSED],
    ['benchmarking', 'http://198.18.0.1/', REFUSED],
    ['protocol assignments', 'http://192.0.0.170/', REFUSED],
    ['6to4 relay', 'http://192.88.99.1/', REFUSED],
    ['v6 loopback', 'http://[::1]/', REFUSED],
    ['v6 unspecified', 'http://[::]/', REFUSED],
    ['v4-mapped', 'http://[::ffff:127.0.0.1]/', REFUSED],
    ['v4-mapped, in hexadecimal', 'http://[::ffff:7f00:1]/', REFUSED],
    ['v4-mapped, written out', 'http://[0:0:0:0:0:ffff:a9fe:a9fe]/', REFUSED],
    ['v4-compatible', 'http://[::127.0.0.1]/', REFUSED],
    ['v4-translated', 'http://[::ffff:0:127.0.0.1]/', REFUSED],
    ['NAT64 of loopback', 'http://[64:ff9b::127.0.0.1]/', REFUSED],
    ['NAT64 of metadata', 'http://[64:ff9b::a9fe:a9fe]/', REFUSED],
    ['NAT64 for local use', 'http://[64:ff9b:1::5db8:d70e]/', REFUSED],
    ['6to4 of loopback', 'http://[2002:7f00:1::]/', REFUSED],
    ['Teredo', 'http://[2001:0:5db8:d70e::80ff:fffe]/', REFUSED],
    ['unique-local', 'http://[fd00:ec2::254]/', REFUSED],
    ['v6 link-local', 'http://[fe80::1]/', REFUSED],
    ['v6 site-local', 'http://[fec0::1]/', REFUSED],
    ['v6 multicast', 'http://[ff02::1]/', REFUSED],
    ['v6 documentation', 'http://[2001:db8::1]/', REFUSED],
    ['v6 documentation 2', 'http://[3fff::1]/', REFUSED],
    ['v6 discard', 'http://[100::1]/', REFUSED],
    ['v6 that is not assigned', 'http://[4000::1]/', REFUSED],
    ['a zone id', 'http://[fe80::1%25eth0]/', REFUSED],

    ['a name of loopback', 'http://loopback.test/', REFUSED],
    ['a name inside', 'http://inside.test/', REFUSED],
    ['a name inside, in full-width letters', 'http://ｉｎｓｉｄｅ.test/', REFUSED],
    ['a name inside with a trailing dot', 'http://inside.test./', REFUSED],
    ['a name that is not there', 'http://nowhere.test/', REFUSED],
    ['a name of metadata', 'http://metadata.test/', REFUSED],
    ['a name of 0.0.0.0', 'http://unspecified.test/', REFUSED],
    ['a name with a mapped address', 'http://mapped.test/', REFUSED],
    ['a name with a NAT64 address', 'http://nat64.test/', REFUSED],
    ['a public and a private address', 'http://mixed.test/', REFUSED],
    ['a public and a unique-local address', 'http://mixed6.test/', REFUSED],
    ['a private host at another port', `http://images.test:${other.port}/ok`, REFUSED],
    ['a private host at the default port', 'http://images.test/ok', REFUSED],
    ['below a private host', at('/ok', 'a.images.test'), REFUSED],
    ['a private host that leads to metadata', at('/ok', 'private-metadata.test'), REFUSED],
    ['a private host that leads to both', at('/ok', 'private-mixed.test'), REFUSED],
    ['a name server that does not answer', 'http://silent.test/', FAILED],

    ['ftp', 'ftp://images.test/ok', REFUSED],
    ['file', 'file:///etc/passwd', REFUSED],
    ['data', 'data:image/png;base64,AAAA', REFUSED],
    ['javascript', 'javascript:alert(1)', REFUSED],
    ['no scheme', 'images.test/ok', REFUSED],
    ['relative', '/ok', REFUSED],
    ['empty', '', REFUSED],
    ['credentials', `http://user:secret@images.test:${host.port}/ok`, REFUSED],
    ['a user alone', `http://user@images.test:${host.port}/ok`, REFUSED],
    ['credentials that look like a host', `http://images.test:${host.port}@127.0.0.1/ok`, REFUSED],
    ['a backslash before the host', `http://images.test\\@127.0.0.1:${host.port}/ok`, REFUSED],
    ['a port that is not listed', 'http://93.184.215.14:22/', REFUSED],
    ['a denied host', 'http://denied.test/', REFUSED],
    ['below a denied host', 'http://a.b.denied.test/', REFUSED],
    ['a denied host with a trailing dot', 'http://denied.test./', REFUSED],
    ['a denied host with two trailing dots', 'http://denied.test../', REFUSED],
    ['too long', at(`/ok?${'x'.repeat(9000)}`), REFUSED],

    ...Object.keys(hops).map((name): [string, string, string] => [
      `a redirect to: ${name}`,
      at(`/to-${name}`),
      REFUSED
    ]),
    ['redirects in a circle', at('/loop'), FAILED],
    ['a redirect to nowhere', at('/redirect-nowhere'), FAILED],

    ['not found', at('/nothing'), FAILED],
    ['an error of the host', at('/broken'), FAILED],
    ['206', at('/partial'), FAILED],
    ['304', at('/not-modified'), FAILED],
    ['204', at('/no-content'), FAILED],
    ['an endless body', at('/endless'), 'IMAGE_TOO_LARGE'],
    ['a length over the limit', at('/huge-length'), 'IMAGE_TOO_LARGE'],
    ['a slow drip', at('/drip'), FAILED],
    ['no answer', at('/silent'), FAILED],
    ['a body shorter than its length', at('/short'), FAILED],
    ['a body longer than its length', at('/long'), 'IMAGE_INVALID'],
    ['two lengths', at('/two-lengths'), FAILED],
    ['a length and chunks', at('/length-and-chunks'), FAILED],
    ['a body cut off', at('/cut'), FAILED],
    ['gzip', at('/gzip'), FAILED],
    ['a gzip bomb', at('/gzip-bomb'), FAILED],
    ['encoded twice', at('/twice-encoded'), FAILED],
    ['a flood of headers', at('/header-flood'), FAILED],
    ['an endless header', at('/endless-header'), FAILED],
    ['no HTTP', at('/not-http'), FAILED],
    ['101', at('/upgrade'), FAILED],
    ['a body in specks', at('/specks'), FAILED],
    ['html called a picture', at('/html'), 'IMAGE_UNSUPPORTED'],
    ['svg', at('/svg'), 'IMAGE_UNSUPPORTED'],
    ['nothing', at('/empty'), 'IMAGE_INVALID']
  ]
  const messages = new Map<string, string>()
  for (const [name, url, expected] of cases) {
    const { status, body } = await api('POST', '/v1/embeddings', { input: { image: { url } } })
    messages.set(name, body.error?.message)
    const shown = url.length > 80 ? `${url.slice(0, 60)}…` : url
    t.equal(
      body.error?.code ?? (body.data?.length === 1 && ok),
      expected,
      `${name} | ${shown.replace(/:\d{5}(?=\/)/, ':PORT')} | ${status} ${expected}: ` +
        `${body.error?.message ?? 'embedded'}`
    )
    t.ok(status < 500, `${name}: ${status}`)
  }

  t.test('an open port, a closed one, a name inside and no name at all are answered alike', async (t) => {
    t.equal(messages.get('loopback at the open port'), messages.get('loopback at a closed port'))
    for (const name of [
      'loopback',
      '10/8',
      'a name inside',
      'a name that is not there',
      'a redirect to: default-port',
      'a redirect to: name'
    ])
      t.equal(messages.get(name), NO_ADDRESS, name)
    for (const [name, message] of messages) t.notMatch(message ?? '', /ECONN|ENOT|10\.1\.2\.3|secret/, name)
  })

  t.test('nothing but the private host was asked, and without what could tell of the service', async (t) => {
    t.equal(other.connections.came, 0)
    t.same(
      [...new Set(host.requests.map(({ headers }) => headers.host))].sort(),
      ['images.test', 'xn--bcher-kva.test'].map((name) => `${name}:${host.port}`)
    )
    for (const { headers, method } of host.requests) {
      t.match(headers, { 'user-agent': /^Semblance\/\d/, 'accept-encoding': 'identity' })
      t.same(
        [headers.cookie, headers.referer, headers.authorization, method],
        [undefined, undefined, undefined, 'GET']
      )
    }
    t.same(proxy.hosts, [], 'a proxy of the environment is not asked')
  })

  t.test('a name that changes between its check and the connection', async (t) => {
    // Were it looked up again, the connection would go to 127.0.0.2, where nothing listens at this port.
    t.match(await api('POST', '/v1/embeddings', { input: { image: { url: at('/ok', 'rebinding.test') } } }), {
      status: 200
    })
    t.same(names.asked.filter((name) => name.endsWith('rebinding.test')).sort(), [
      'A rebinding.test',
      'AAAA rebinding.test'
    ])
    t.match(await api('POST', '/v1/embeddings', { input: { image: { url: 'http://rebound.test/ok' } } }), {
      body: { error: { message: NO_ADDRESS } }
    })
    t.same(names.asked.filter((name) => name.endsWith('rebound.test')).length, 2)
  })
})
