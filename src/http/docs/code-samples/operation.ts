/** What is read of an OpenAPI description. */
export interface Schema {
  type?: string | string[]
  format?: string
  title?: string
  description?: string
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  example?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  $ref?: string
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Schema
  example?: unknown
}

export interface MediaContent {
  schema?: Schema
  example?: unknown
  examples?: Record<string, { $ref: string }>
}

export interface Answer {
  description?: string
  content?: Record<string, MediaContent>
}

export interface CodeSample {
  lang: string
  label: string
  source: string
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { content: Record<string, MediaContent> }
  responses: Record<string, Answer>
  'x-codeSamples'?: CodeSample[]
  /** The scope that an API key needs for it, where keys are asked for. */
  'x-scope'?: 'open' | 'read' | 'write' | 'admin'
  /** Codes that may stand within an answer that is none of an error. */
  'x-inner-errors'?: string[]
}

/** An error of the service, as the description's examples have it. */
export interface ErrorExample {
  summary: string
  description: string
  'x-status': number
}

export interface Description {
  info: { title: string; description: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { examples: Record<string, ErrorExample> }
}

/** What a text stands for where a value of some type is asked for. */
export function valueOf(text: string, { type }: Schema): string | number | boolean {
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return (type === 'integer' || type === 'number') && Number.isFinite(Number(text)) ? Number(text) : text
}

/** The parameters that an operation has of its own, not those that all share. */
export function ownParameters({ parameters = [] }: Operation): Parameter[] {
  return parameters.filter((parameter): parameter is Parameter => !('$ref' in parameter))
}
