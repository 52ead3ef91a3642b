import { isObject } from '../../../json/is-object.js'
import { literal, nameOf, quoted, TYPESCRIPT } from './literal.js'
import type { SampleCall } from './sample-call.js'

/**
 * The lines of a call for which the client has a function beyond the calls: `upload`, `bulk`, `events`.
 * Nothing where there is none that says all of it.
 */
export function ownFunction(call: SampleCall): string[] | undefined {
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
