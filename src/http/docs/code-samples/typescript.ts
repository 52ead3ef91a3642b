import { isObject } from '../../../json/is-object.js'
import { literal, nameOf, quoted, TYPESCRIPT } from './literal.js'
import type { SampleBody, SampleCall } from './sample-call.js'

/** A call as a TypeScript module for Node, by this project's own client. */
export function typescriptSample(call: SampleCall): string {
  return [
    "import { createClient } from 'semblance/client'",
    ...importsOf(call),
    '',
    'const client = createClient({ url: ' +
      `${quoted(call.origin)}${call.withKey ? ', apiKey: process.env.SEMBLANCE_API_KEY' : ''} })`,
    ...(ownFunction(call) ?? plainCall(call))
  ].join('\n')
}

function importsOf({ body, answer }: SampleCall): string[] {
  const reads = body?.kind === 'file' || (body?.kind === 'form' && body.files.length > 0)
  return [
    ...(reads ? ["import { openAsBlob } from 'node:fs'"] : []),
    ...(answer.kind === 'file' ? ["import { writeFile } from 'node:fs/promises'"] : [])
  ]
}

function plainCall(call: SampleCall): string[] {
  const { method, path, body, answer } = call
  const options = optionsOf(call)
  const given = options.length > 0 ? `, {\n${options.map((option) => `  ${option}`).join(',\n')}\n}` : ''
  const request = `client.${method.toLowerCase()}(${quoted(path)}${given})`
  return [...(body?.kind === 'form' ? formLines(body) : []), ...useOf(answer, request)]
}

function formLines({ fields, files }: Extract<SampleBody, { kind: 'form' }>): string[] {
  return [
    'const form = new FormData()',
    ...files.map(
      ([name, path]) =>
        `form.append(${quoted(name)}, await openAsBlob(${quoted(path)}), ${quoted(nameOf(path))})`
    ),
    ...fields.map(([name, value]) => `form.append(${quoted(name)}, ${quoted(value)})`)
  ]
}

function optionsOf({ pathValues, query, headers, body, answer }: SampleCall): string[] {
  const params = { ...given('path', pathValues), ...given('query', query), ...given('header', headers) }
  const raw =
    answer.kind === 'file' || answer.kind === 'stream'
      ? 'stream'
      : answer.kind === 'text'
        ? 'text'
        : undefined
  return [
    ...(Object.keys(params).length > 0 ? [`params: ${literal(params, TYPESCRIPT, 1)}`] : []),
    ...(body ? bodyOptions(body) : []),
    ...(raw ? [`parseAs: ${quoted(raw)}`] : [])
  ]
}

function bodyOptions(body: SampleBody): string[] {
  if (body.kind === 'json') return [`body: ${literal(body.value, TYPESCRIPT, 1)}`]
  if (body.kind === 'form') return ['body: form']
  return [
    `headers: { 'Content-Type': ${quoted(body.type)} }`,
    `body: ${body.kind === 'file' ? `await openAsBlob(${quoted(body.path)})` : quoted(body.text)}`
  ]
}

function given(name: string, values: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(values).length > 0 ? { [name]: values } : {}
}

function useOf(answer: SampleCall['answer'], request: string): string[] {
  if (answer.kind === 'nothing') return [`await ${request}`]
  if (answer.kind === 'file')
    return [`const file = await ${request}`, `await writeFile(${quoted(answer.name)}, file)`]
  if (answer.kind === 'stream')
    return [
      `const stream = await ${request}`,
      'for await (const text of stream.pipeThrough(new TextDecoderStream())) console.log(text)'
    ]
  return [`const answer = await ${request}`, 'console.log(answer)']
}

/**
 * The lines of a call for which the client has a function beyond the calls: `upload`, `bulk`, `events`.
 * Nothing where there is none that says all of it.
 */
function ownFunction(call: SampleCall): string[] | undefined {
  return FUNCTIONS[`${call.method} ${call.path}`]?.(call)
}

const FUNCTIONS: Record<string, (call: SampleCall) => string[] | undefined> = {
  'POST /v1/collections/{collection}/records': uploadLines,
  'POST /v1/collections/{collection}/records/bulk': bulkLines,
  'GET /v1/jobs/{id}/events': eventLines
}

function uploadLines({ pathValues, query, headers, body }: SampleCall): string[] | undefined {
  if (body?.kind !== 'form' || body.files.length !== 1 || hasAny(query) || hasAny(headers)) return undefined
  const fields = new Map(body.fields)
  const metadata = objectOf(fields.get('metadata') ?? '{}')
  // Of a field that is given twice, the second would be of a second record.
  if (
    fields.size < body.fields.length ||
    !metadata ||
    [...fields.keys()].some((name) => !['id', 'text', 'metadata'].includes(name))
  )
    return undefined
  const [[name, path]] = body.files
  if (name !== 'image') return undefined
  const parts = [
    `image: await openAsBlob(${quoted(path)})`,
    `filename: ${quoted(nameOf(path))}`,
    ...['id', 'text'].flatMap((field) =>
      fields.has(field) ? [`${field}: ${quoted(fields.get(field)!)}`] : []
    ),
    ...(fields.has('metadata') ? [`metadata: ${literal(metadata, TYPESCRIPT, 1)}`] : [])
  ]
  return [
    `const result = await client.upload(${quoted(pathValues.collection)}, {\n  ${parts.join(',\n  ')}\n})`,
    'console.log(result)'
  ]
}

function bulkLines({
  pathValues,
  query: { from_line: fromLine, ...query },
  headers: { 'idempotency-key': idempotencyKey, ...headers },
  body
}: SampleCall): string[] | undefined {
  if (body?.kind !== 'text' || hasAny(query) || hasAny(headers)) return undefined
  const records = body.text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(objectOf)
  if (records.includes(undefined)) return undefined
  const options = {
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(fromLine !== undefined && { fromLine })
  }
  return [
    `const records = [${records.map((record) => `\n  ${literal(record, TYPESCRIPT, 1)}`).join(',')}\n]`,
    `for await (const answer of client.bulk(${quoted(pathValues.collection)}, ` +
      `records${hasAny(options) ? `, ${literal(options, TYPESCRIPT)}` : ''})) console.log(answer)`
  ]
}

function eventLines({ pathValues, query, headers }: SampleCall): string[] | undefined {
  if (hasAny(query) || hasAny(headers)) return undefined
  return [
    `for await (const { state, progress } of client.events(${quoted(pathValues.id)})) ` +
      'console.log(state, progress)'
  ]
}

function hasAny(values: object): boolean {
  return Object.keys(values).length > 0
}

/** The object that a JSON text is, if it is one. */
function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
