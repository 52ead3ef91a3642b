import { ownParameters, valueOf, type MediaContent, type Operation, type Parameter } from './operation.js'
import type { SampleAnswer, SampleBody, SampleCall } from './sample-call.js'

/** Where a service is that was started as the README says. */
export const DEFAULT_ORIGIN = 'http://localhost:8080'

/** The file that examples upload: it is served at /docs/apple.png. */
export const EXAMPLE_FILE = 'apple.png'

/** An operation's call as its examples have it: one for each kind of body that it takes. */
export function exampleCalls(
  operation: Operation,
  { method, path, origin = DEFAULT_ORIGIN }: { method: string; path: string; origin?: string }
): SampleCall[] {
  const parameters = ownParameters(operation).filter(
    ({ example, required }) => required || example !== undefined
  )
  const valuesIn = (place: Parameter['in']) =>
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === place)
        .map(({ name, example, schema }) => [name, String(example ?? schema.example ?? '')])
    )
  const pathValues = valuesIn('path')
  const query = Object.fromEntries(
    parameters
      .filter((parameter) => parameter.in === 'query')
      .map(({ name, schema, example }) => [name, valueOf(String(example ?? schema.example ?? ''), schema)])
  )
  const call = {
    origin,
    method: method.toUpperCase(),
    path,
    pathValues,
    query,
    headers: valuesIn('header'),
    withKey: false
  }
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, content]) =>
    bodyOf(type, content, pathValues)
  )
  const answer = answerOf(operation, call)
  // A checksum or the like is of one body, and no example.
  return bodies.length === 0 ? [{ ...call, answer }] : bodies.map((body) => ({ ...call, body, answer }))
}

function bodyOf(
  type: string,
  { example, schema }: MediaContent,
  pathValues: Record<string, string>
): SampleBody {
  const value = example ?? schema?.example
  if (type === 'application/json') return { kind: 'json', value: value ?? {} }
  if (type === 'multipart/form-data') return formOf((value ?? {}) as Record<string, unknown>)
  if (typeof value === 'string') return { kind: 'text', type, text: value }
  return { kind: 'file', type, path: `${Object.values(pathValues)[0]}${EXTENSIONS[type] ?? ''}` }
}

/** Fields of a form: a list is as many fields, objects are JSON. */
function formOf({ image, ...fields }: Record<string, unknown>): SampleBody {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  return {
    kind: 'form',
    fields: Object.entries(fields).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, text(each)])
    ),
    files: [image ?? EXAMPLE_FILE].flat().map((path) => ['image', String(path)])
  }
}

const EXTENSIONS: Record<string, string> = {
  'application/vnd.sqlite3': '.sqlite',
  'application/x-ndjson': '.ndjson',
  'image/*': '.webp',
  'text/html': '.html'
}

function answerOf(
  { responses }: Operation,
  { method, path, pathValues }: Pick<SampleCall, 'method' | 'path' | 'pathValues'>
): SampleAnswer {
  const [, { content = {} }] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? [
    '',
    {}
  ]
  const types = Object.keys(content)
  if (types.length === 0) return { kind: 'nothing' }
  if (types.includes('application/json')) return { kind: 'json' }
  if (types.includes('text/event-stream') || (types.includes('application/x-ndjson') && method !== 'GET'))
    return { kind: 'stream' }
  if (types[0] === 'text/plain') return { kind: 'text' }
  const [first, last = first] = Object.values(pathValues)
  if (types[0] === 'application/octet-stream') return { kind: 'file', name: `${first}-${last}` }
  return { kind: 'file', name: `${path.endsWith('/image') ? last : first}${EXTENSIONS[types[0]] ?? ''}` }
}
