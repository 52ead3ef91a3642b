import t from 'tap'
import { form, golden } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

interface Part {
  name: string
  content: string | Uint8Array
  type?: string
  filename?: string
}

/** A multipart body written by hand, as clients of all kinds write it. */
function multipart(parts: Part[]): { body: Uint8Array; init: RequestInit } {
  const chunks = parts.flatMap(({ name, content, type, filename }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const typed = type ? `Content-Type: ${type}\r\n` : ''
    const head = `--border\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${typed}\r\n`
    return [head, content, '\r\n']
  })
  const body = Buffer.concat([...chunks, '--border--\r\n'].map((chunk) => Buffer.from(chunk as string)))
  return { body, init: { headers: { 'content-type': 'multipart/form-data; boundary=border' } } }
}

const TYPES = [
  { type: 'application/json' },
  { type: 'application/json; charset=utf-8' },
  { type: 'Application/JSON;charset=UTF-8' },
  { type: 'text/plain; charset=utf-8' },
  { type: 'application/json', filename: 'blob' },
  { type: 'application/octet-stream', filename: 'blob' },
  { type: 'application/octet-stream' }
]

t.test('forms over HTTP', async (t) => {
  const { api } = await testServer(t)
  const portrait = await golden('portrait.jpg')
  const image: Part = { name: 'image', content: portrait, type: 'image/jpeg', filename: 'portrait.jpg' }
  await api('PUT', '/v1/collections/things')
  const records = '/v1/collections/things/records'
  const send = async (method: string, path: string, parts: Part[]) => {
    const { body, init } = multipart(parts)
    return api(method, path, body, init)
  }

  t.test('a form of too many parts is told how many it may have', async (t) => {
    const fields = Array.from({ length: 1025 }, () => ({ name: 'text', content: 'x' }))
    t.match(await send('POST', records, fields), {
      status: 400,
      body: { error: { code: 'INVALID_REQUEST', message: /more than 1024 fields/ } }
    })
    const images = Array.from({ length: 257 }, () => ({ ...image, content: 'x' }))
    t.match(await send('POST', records, images), {
      status: 400,
      body: { error: { code: 'INVALID_REQUEST', message: /more than 256 images/ } }
    })
  })

  t.test('a field means the same whatever type or file name its part has', async (t) => {
    await api('POST', records, {
      records: [
        { id: 'red', text: 'red', metadata: { kind: 'a' } },
        { id: 'blue', text: 'blue', metadata: { kind: 'b' } }
      ]
    })
    const routes: [string, string, Part[], string][] = [
      [
        'POST',
        '/v1/zero-shot',
        [
          { name: 'labels', content: '["a cat","a dog"]' },
          { name: 'templates', content: '["{label}"]' },
          { name: 'top_k', content: '2' },
          { name: 'multi_label', content: 'true' }
        ],
        'labels'
      ],
      [
        'POST',
        '/v1/collections/things/search/image-to-text',
        [
          { name: 'filter', content: '{"kind":"a"}' },
          { name: 'limit', content: '5' }
        ],
        'matches'
      ],
      [
        'PUT',
        '/v1/classifiers/ab',
        [
          image,
          { name: 'labels', content: '["a","b"]' },
          { name: 'prior', content: 'false' },
          { name: 'prompts', content: '{}' }
        ],
        'labels'
      ],
      ['POST', '/v1/classifiers/ab/classify', [{ name: 'top_k', content: '1' }], 'labels'],
      [
        'POST',
        records,
        [
          { name: 'id', content: 'é1' },
          { name: 'text', content: 'a dog' },
          { name: 'metadata', content: '{"a":[1]}' },
          { name: 'ttl_seconds', content: '3600' }
        ],
        'results'
      ]
    ]
    for (const [method, path, fields, part] of routes) {
      const plain = await send(method, path, [image, ...fields])
      t.match(plain.status, /20[01]/, `${path} ${JSON.stringify(plain.body)}`)
      for (const typed of TYPES) {
        const { status, body } = await send(method, path, [
          image,
          ...fields.map((field) => (field === image ? field : { ...field, ...typed }))
        ])
        const expected = part === 'results' ? [{ id: 'é1', status: 'updated' }] : plain.body[part]
        t.match(
          { status, part: body[part] },
          { status: 200, part: expected },
          `${path} as ${JSON.stringify(typed)}`
        )
      }
    }
    t.match(await api('GET', `${records}/%C3%A91`), { body: { text: 'a dog', metadata: { a: [1] } } })
  })

  t.test('a JSON string in a part typed as JSON is that string', async (t) => {
    const parts = [
      { name: 'id', content: '"quoted"' },
      { name: 'text', content: '"a \\"big\\" dog"' }
    ].map((part) => ({ ...part, type: 'application/json' }))
    t.match(await send('POST', records, parts), { body: { results: [{ id: 'quoted', status: 'created' }] } })
    t.match(await api('GET', `${records}/quoted`), { body: { text: 'a "big" dog' } })
  })

  t.test('fields are UTF-8, with or without a byte order mark', async (t) => {
    const bom = await send('POST', '/v1/zero-shot', [
      image,
      { name: 'labels', content: '\ufeff["a cat","a dog"]' }
    ])
    t.match(bom, { status: 200, body: { labels: [{}, {}] } })
    for (const content of [Buffer.from('caf\u00e9', 'latin1'), Buffer.from('cafe', 'utf16le')]) {
      const { status, body } = await send('POST', records, [
        { name: 'text', content, type: 'text/plain; charset=iso-8859-1' }
      ])
      t.match(
        { status, body },
        { status: 400, body: { error: { message: "The form field 'text' is not UTF-8; send it in UTF-8." } } }
      )
    }
  })

  t.test('a file input in which nothing was chosen is absent', async (t) => {
    const empty: Part = { name: 'image', content: '', type: 'application/octet-stream', filename: '' }
    t.match(
      await send('POST', records, [
        empty,
        { name: 'id', content: 'no file' },
        { name: 'text', content: 'words' }
      ]),
      { body: { results: [{ id: 'no file', status: 'created' }] } }
    )
    t.match(await api('GET', `${records}/no%20file`), { body: { text: 'words', modalities: ['text'] } })
    t.match(
      await send('POST', '/v1/zero-shot', [empty, image, { name: 'labels', content: '["a cat","a dog"]' }]),
      { status: 200, body: { labels: [{}, {}] } }
    )
    t.match(await send('POST', '/v1/collections/things/search/image-to-text', [empty, image]), {
      status: 200
    })
    t.match(
      await send('POST', '/v1/classifiers/ab/classify', [
        empty,
        image,
        { name: 'text', content: '' },
        { name: 'top_k', content: '' }
      ]),
      { status: 200 }
    )
  })

  t.test('images are files, and files are images', async (t) => {
    t.match(await send('POST', records, [{ name: 'image', content: 'https://example.com/a.png' }]), {
      status: 400,
      body: { error: { message: /'image' is text; send the image as a file/ } }
    })
    t.match(await send('POST', records, [{ ...image, name: 'picture' }]), {
      status: 400,
      body: { error: { message: /a file 'picture'; send images in the part 'image'/ } }
    })
    t.match(
      await send('POST', '/v1/zero-shot', [
        { name: 'image', content: portrait, type: 'image/jpeg' },
        { name: 'labels', content: '["a","b"]' }
      ]),
      { status: 200 }
    )
  })

  t.test('labels in one field with a comma are not taken for one label', async (t) => {
    t.match(
      await api(
        'POST',
        '/v1/zero-shot',
        form([
          ['image', portrait],
          ['labels', 'cat,dog']
        ])
      ),
      {
        status: 400,
        body: { error: { message: /'labels' appears once, with a comma.*labels=\["cat","dog"\]/ } }
      }
    )
    t.match(
      await api(
        'POST',
        '/v1/zero-shot',
        form([
          ['image', portrait],
          ['labels', 'a red, round apple'],
          ['labels', 'a dog']
        ])
      ),
      { status: 200, body: { labels: [{}, {}] } }
    )
  })
})
