import { literal, quoted, type Dialect } from './literal.js'
import { addressOf, type SampleBody, type SampleCall } from './sample-call.js'

const PYTHON: Dialect = {
  true: 'True',
  false: 'False',
  null: 'None',
  key: quoted,
  padding: '',
  indent: '    ',
  trailingComma: true
}

/** A call as a Python program that needs nothing but `requests`. */
export function pythonSample(call: SampleCall): string {
  const { method, headers, body, answer, withKey, query } = call
  const type = body?.kind === 'text' || body?.kind === 'file' ? { 'Content-Type': body.type } : {}
  const sent = Object.entries({ ...headers, ...type }).map(
    ([name, value]) => `${quoted(name)}: ${quoted(value)}`
  )
  if (withKey) sent.unshift(`'Authorization': 'Bearer ' + os.environ['SEMBLANCE_API_KEY']`)
  const parts = [
    quoted(addressOf({ ...call, query: {} })),
    ...(Object.keys(query).length > 0 ? [`params=${literal(texts(query), PYTHON, 1)}`] : []),
    ...(sent.length > 0 ? [`headers={${sent.join(', ')}}`] : []),
    ...(body ? bodyParts(body) : []),
    ...(answer.kind === 'file' || answer.kind === 'stream' ? ['stream=True'] : [])
  ]
  const flat = parts.join(', ')
  const multiline = parts.length > 1 && (flat.length > 72 || flat.includes('\n'))
  const args = multiline ? `\n${parts.map((part) => `    ${part},\n`).join('')}` : flat
  return [
    ...(withKey ? ['import os'] : []),
    'import requests',
    '',
    `answer = requests.${method.toLowerCase()}(${args})`,
    'answer.raise_for_status()',
    ...useOf(answer)
  ].join('\n')
}

/** A query as it is sent: requests would write True. */
function texts(query: SampleCall['query']): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]))
}

function bodyParts(body: SampleBody): string[] {
  if (body.kind === 'json') return [`json=${literal(body.value, PYTHON, 1)}`]
  if (body.kind === 'text') return [`data=${quoted(body.text)}.encode()`]
  if (body.kind === 'file') return [`data=open(${quoted(body.path)}, 'rb')`]
  const files = body.files.map(([name, path]) => `(${quoted(name)}, open(${quoted(path)}, 'rb'))`)
  // A form without a file is none to requests, unless its fields are parts.
  if (files.length === 0) {
    const parts = body.fields.map(([name, value]) => `(${quoted(name)}, (None, ${quoted(value)}))`)
    return [`files=[${parts.join(', ')}]`]
  }
  const fields = body.fields.map(([name, value]) => `(${quoted(name)}, ${quoted(value)})`)
  return [`files=[${files.join(', ')}]`, ...(fields.length > 0 ? [`data=[${fields.join(', ')}]`] : [])]
}

function useOf(answer: SampleCall['answer']): string[] {
  if (answer.kind === 'json') return ['print(answer.json())']
  if (answer.kind === 'text') return ['print(answer.text)']
  if (answer.kind === 'stream') return ['for line in answer.iter_lines():', '    print(line.decode())']
  if (answer.kind === 'file')
    return [
      `with open(${quoted(answer.name)}, 'wb') as file:`,
      '    for chunk in answer.iter_content(1 << 16):',
      '        file.write(chunk)'
    ]
  return []
}
