import '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { ImageTooLarge, InvalidRequest, isPublicError } from '../errors.js'

/** A multipart form: its text fields by name, in the order sent, and its files named `image`. */
export interface Form {
  fields: Map<string, string[]>
  images: Uint8Array[]
}

export interface FormLimits {
  /** Largest file, in bytes. */
  fileBytes: number
  /** Largest sum of all parts, in bytes. */
  totalBytes: number
}

/**
 * A hook that turns a multipart body into the route's JSON shape before it is validated; other bodies pass. `toBody`
 * gets the form's fields, those named in `json` parsed.
 */
export function formBody(limits: FormLimits, toBody: (form: Form) => unknown) {
  return async (request: FastifyRequest): Promise<void> => {
    if (!request.isMultipart()) return
    try {
      request.body = toBody(await readForm(request, limits))
    } catch (error) {
      // The client still sends: what nobody reads would keep it from ever seeing the answer.
      request.raw.unpipe()
      request.raw.resume()
      throw isPublicError(error) ? error : new InvalidRequest(`The form can't be read: ${(error as Error).message}.`)
    }
  }
}

/** The only value of a field, or undefined. Throws INVALID_REQUEST when it was sent more than once. */
export function single({ fields }: Form, name: string): string | undefined {
  const values = fields.get(name) ?? []
  if (values.length > 1) throw new InvalidRequest(`The form field '${name}' is there ${values.length} times.`)
  return values[0]
}

/** A field's value parsed as JSON, without keys that would reach prototypes. Throws INVALID_REQUEST. */
export function parseField(name: string, value: string): unknown {
  try {
    return JSON.parse(value, (key, inner) => {
      if (key === '__proto__') throw new SyntaxError('a forbidden key')
      return inner
    })
  } catch {
    throw new InvalidRequest(`The field '${name}' is not JSON.`)
  }
}

/**
 * The body that fields make, with the form's images as a list: single ones, those in `json` parsed, and those in `lists`, which are
 * JSON, or plain text as often as there are values. `templates` may be the name of a set, too.
 */
export function imagesBody(form: Form, { json, lists = [] }: { json: string[]; lists?: string[] }): Record<string, unknown> {
  const body: Record<string, unknown> = form.images.length > 0 ? { image: form.images } : {}
  for (const [name, values] of form.fields) {
    const isList = lists.includes(name)
    if (json.includes(name) || (isList && values[0]?.trimStart().startsWith('['))) body[name] = parseField(name, single(form, name)!)
    else if (isList) body[name] = name === 'templates' && values.length === 1 && !values[0].includes('{label}') ? values[0] : values
    else body[name] = single(form, name)
  }
  return body
}

/** The body that single fields make, those in `json` parsed, with the form's only image. */
export function singleBody(form: Form, json: string[]): Record<string, unknown> {
  if (form.images.length > 1) throw new InvalidRequest(`The form has ${form.images.length} images; one is taken here.`)
  const body: Record<string, unknown> = form.images.length === 1 ? { image: form.images[0] } : {}
  for (const name of form.fields.keys()) {
    const value = single(form, name)!
    body[name] = json.includes(name) ? parseField(name, value) : value
  }
  return body
}

async function readForm(request: FastifyRequest, { fileBytes, totalBytes }: FormLimits): Promise<Form> {
  const form: Form = { fields: new Map(), images: [] }
  let total = 0
  // A file over the limit is cut a byte behind it, and then fails for itself where its bytes are looked at.
  const limits = { fileSize: fileBytes + 1, files: 256, fields: 1024, fieldSize: 1 << 20 }
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') {
      if (part.fieldname !== 'image') throw new InvalidRequest(`The form's file '${part.fieldname}' is not known; images are named 'image'.`)
      const bytes = await part.toBuffer()
      total += bytes.length
      form.images.push(bytes)
    } else {
      if (part.valueTruncated) throw new InvalidRequest(`The form field '${part.fieldname}' is over 1 MiB.`)
      const value = String(part.value)
      total += value.length
      form.fields.set(part.fieldname, [...(form.fields.get(part.fieldname) ?? []), value])
    }
    if (total > totalBytes) throw new ImageTooLarge(`the form has more than ${totalBytes} bytes`)
  }
  return form
}
