import { Ajv, type ErrorObject, type Options as AjvOptions } from 'ajv'
import fastJsonStringify, { type AnySchema } from 'fast-json-stringify'
import { Unusable } from '../json/parse.js'
import type { App } from './routes/services.js'

/**
 * Compiles the schemas of a route at its first request. Compiling all of them took 0.9 of the 1.3 s of CPU
 * time in which a service starts beside its encoders.
 *
 * Bodies are taken as they are sent: no coercion, no silent removal. Paths and queries are text, and may be
 * coerced.
 */
export function compileSchemasOnDemand(app: App): void {
  const shared: AjvOptions = {
    useDefaults: true,
    removeAdditional: false,
    verbose: true,
    strict: false,
    formats: { binary: true, 'date-time': true, uuid: true }
  }
  const body = new Ajv({ ...shared, coerceTypes: false })
  body.addKeyword({
    keyword: 'sentBase64',
    validate: (_: true, value: unknown) =>
      typeof value === 'string' || value instanceof Uint8Array || value instanceof Unusable,
    error: { message: 'must be string' }
  })
  const text = new Ajv({ ...shared, coerceTypes: 'array' })
  app.setValidatorCompiler(({ schema, httpPart }) =>
    validateOnDemand(() =>
      httpPart === 'body' ? body.compile(withDecoded(schema as object)) : text.compile(schema as object)
    )
  )
  app.setSerializerCompiler(({ schema }) => {
    let serialize: ReturnType<typeof fastJsonStringify> | undefined
    return (value) => (serialize ??= fastJsonStringify(schema as AnySchema))(value)
  })
}

interface Validate {
  (data: unknown): boolean
  errors?: ErrorObject[] | null
}

function validateOnDemand(compile: () => Validate): Validate {
  let compiled: Validate | undefined
  const validate: Validate = (data) => {
    compiled ??= compile()
    const isValid = compiled(data)
    validate.errors = compiled.errors
    return isValid
  }
  return validate
}

/** A schema that takes bytes, too, where texts in base64 may have been decoded by then. */
function withDecoded(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_, node) =>
    node?.contentEncoding === 'base64' ? { sentBase64: true } : node
  )
}
