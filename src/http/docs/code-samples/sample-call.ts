/** A call of the API with all that goes with it, of which code is made in several languages. */
export interface SampleCall {
  /** Where the service is: `http://localhost:8080`. */
  origin: string
  method: string
  /** As in the OpenAPI description: `/v1/collections/{collection}`. */
  path: string
  pathValues: Record<string, string>
  query: Record<string, string | number | boolean>
  headers: Record<string, string>
  body?: SampleBody
  answer: SampleAnswer
  /** Whether an API key goes along, from the environment variable SEMBLANCE_API_KEY. */
  withKey: boolean
}

export type SampleBody =
  | { kind: 'json'; value: unknown }
  /** Files are named by their paths. */
  | { kind: 'form'; fields: [name: string, value: string][]; files: [name: string, path: string][] }
  | { kind: 'text'; type: string; text: string }
  | { kind: 'file'; type: string; path: string }

/**
 * What comes back: JSON, nothing, text to be read at once or as it comes, or a file to be kept under a name.
 */
export type SampleAnswer = { kind: 'json' | 'nothing' | 'text' | 'stream' } | { kind: 'file'; name: string }

/** The address that is called, its query included. */
export function addressOf({ origin, path, pathValues, query }: SampleCall): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(pathValues[name] ?? ''))
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
  ).toString()
  return `${origin}${filled}${search && '?'}${search}`
}
