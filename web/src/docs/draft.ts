import { EXAMPLE_FILE, exampleCalls } from '../../../src/http/docs/code-samples/example-calls.js'
import { ownParameters, valueOf, type Schema } from '../../../src/http/docs/code-samples/operation.js'
import type { SampleAnswer, SampleBody, SampleCall } from '../../../src/http/docs/code-samples/sample-call.js'
import type { Place } from './description.js'

/** A call as the user has written it so far. */
export interface Draft {
  answer: SampleAnswer
  /** Values of parameters by place and name; empty ones are not sent. */
  values: Record<'path' | 'query' | 'header', Record<string, string>>
  /** Which of the bodies is sent. */
  chosen: number
  bodies: DraftBody[]
}

export type DraftBody =
  | { kind: 'json'; type: string; text: string }
  | { kind: 'text'; type: string; text: string }
  /** Lists are texts with a line for each value. */
  | { kind: 'form'; type: string; fields: FormField[]; files: File[] }
  | { kind: 'file'; type: string; files: File[]; path: string }

export interface FormField {
  name: string
  schema: Schema
  value: string
  isList: boolean
  /** Whether the example has it; others are seldom wanted. */
  isUsual: boolean
}

/** The draft that an operation's examples are. */
export function draftOf({ operation, method, path }: Place): Draft {
  const calls = exampleCalls(operation, { method, path })
  const contents = Object.entries(operation.requestBody?.content ?? {})
  const places = { path: calls[0].pathValues, query: calls[0].query, header: calls[0].headers }
  const values: Draft['values'] = { path: {}, query: {}, header: {} }
  for (const { in: place, name } of ownParameters(operation))
    values[place][name] = String(places[place][name] ?? '')
  return {
    answer: calls[0].answer,
    values,
    chosen: 0,
    bodies: contents.map(([type, { schema = {} }], i) => draftBody(calls[i].body!, { type, schema }))
  }
}

function draftBody(body: SampleBody, { type, schema }: { type: string; schema: Schema }): DraftBody {
  if (body.kind === 'json') return { kind: 'json', type, text: JSON.stringify(body.value, null, 2) }
  if (body.kind === 'text') return { kind: 'text', type, text: body.text }
  if (body.kind === 'file') return { kind: 'file', type, files: [], path: body.path }
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => name !== 'image')
  const toField = ([name, property]: [string, Schema]): FormField => {
    const values = body.fields.filter((field) => field[0] === name).map((field) => field[1])
    return {
      name,
      schema: property,
      isList: property.type === 'array' || values.length > 1,
      isUsual: values.length > 0,
      value: values.join('\n')
    }
  }
  return { kind: 'form', type, files: [], fields: fields.map(toField) }
}

/** Parameters that are sent: an empty one is left out. */
export function given(place: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== ''))
}

/** The text fields of a form that are to be sent. */
export function formFields(fields: FormField[]): [name: string, value: string][] {
  return fields.flatMap(({ name, value, isList }) =>
    (isList ? value.split('\n') : [value])
      .filter((each) => each !== '')
      .map((each): [string, string] => [name, each])
  )
}

/** What is wrong with a draft as it stands, or nothing. */
export function faultOf({ values, bodies, chosen }: Draft): string | undefined {
  const missing = Object.entries(values.path).find(([, value]) => value === '')
  if (missing) return `${missing[0]} is part of the path, and empty.`
  const body = bodies[chosen]
  if (body?.kind === 'file' && body.files.length === 0) return 'Choose a file first.'
  if (body?.kind !== 'json' || body.text.trim() === '') return undefined
  try {
    JSON.parse(body.text)
    return undefined
  } catch (error) {
    return `The body is not JSON: ${(error as Error).message}`
  }
}

/** The call that a draft is, for samples of code; undefined while it is none. */
export function toSampleCall(
  draft: Draft,
  { operation, method, path, withKey }: Place & { withKey: boolean }
): SampleCall | undefined {
  const { values, bodies, chosen, answer } = draft
  const body = bodies[chosen] && sampleBody(bodies[chosen])
  if (body === 'faulty') return undefined
  const schemas = new Map(ownParameters(operation).map(({ name, schema }) => [name, schema]))
  const query = Object.fromEntries(
    Object.entries(given(values.query)).map(([name, value]) => [
      name,
      valueOf(value, schemas.get(name) ?? {})
    ])
  )
  return {
    origin: location.origin,
    method,
    path,
    pathValues: values.path,
    query,
    headers: given(values.header),
    answer,
    withKey,
    ...(body && { body })
  }
}

function sampleBody(body: DraftBody): SampleBody | undefined | 'faulty' {
  const { type } = body
  if (body.kind === 'text') return { kind: 'text', type, text: body.text }
  if (body.kind === 'file') return { kind: 'file', type, path: body.files[0]?.name ?? body.path }
  if (body.kind === 'form')
    return {
      kind: 'form',
      fields: formFields(body.fields),
      files: (body.files.length > 0 ? body.files.map(({ name }) => name) : [EXAMPLE_FILE]).map((name) => [
        'image',
        name
      ])
    }
  if (body.text.trim() === '') return undefined
  try {
    return { kind: 'json', value: JSON.parse(body.text) }
  } catch {
    return 'faulty'
  }
}
