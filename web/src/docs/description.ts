import type { Description, ErrorExample, Operation } from '../../../src/http/docs/code-samples/operation.js'

/** An operation with where it is. */
export interface Place {
  operation: Operation
  method: string
  path: string
}

export interface Group {
  name: string
  places: Place[]
}

/** An error of the service, as the page tells of it. */
export interface KnownError {
  code: string
  status: number
  meaning: string
  remedy: string
}

/** The service's description of itself. */
export async function fetchDescription(): Promise<Description> {
  const answer = await fetch('/openapi.json')
  if (!answer.ok) throw new Error(`The service answers ${answer.status}.`)
  return answer.json() as Promise<Description>
}

/** The operations by their tags, in the order of the tags. */
export function groupsOf({ tags, paths }: Description): Group[] {
  const places = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      operation,
      method: method.toUpperCase(),
      path
    }))
  )
  return tags
    .map(({ name }) => ({ name, places: places.filter(({ operation }) => operation.tags[0] === name) }))
    .filter((group) => group.places.length > 0)
}

/** What is said of each error, by code. */
export function errorsIn({ components }: Description): Map<string, KnownError> {
  const toError = ([code, { summary, description, 'x-status': status }]: [string, ErrorExample]): [
    string,
    KnownError
  ] => [code, { code, status, meaning: summary, remedy: description }]
  return new Map(Object.entries(components.examples).map(toError))
}

/** The codes that an operation may answer, by status. */
export function codesOf({ responses }: Operation): string[] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) =>
    /^[45]/.test(status) ? Object.keys(content['application/json']?.examples ?? {}) : []
  )
}
