import '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { InvalidRequest, isPublicError } from '../../errors.js'
import { parseJson } from '../../json/parse.js'
import type { JsonLimits } from '../../json/scan.js'
import { readForm, type Form, type FormLimits } from './read-form.js'

/**
 * A hook that turns a multipart body into the route's JSON shape before it is validated; other bodies pass.
 * `toBody` gets the form's fields, those named in `json` parsed.
 */
export function formBody(limits: FormLimits, toBody: (form: Form) => unknown | Promise<unknown>) {
  return async (request: FastifyRequest): Promise<void> => {
    if (!request.isMultipart()) return
    try {
      request.body = await toBody(await readForm(request, limits))
    } catch (error) {
      // The client still sends: what no one reads would keep it from ever seeing the answer.
      request.raw.unpipe()
      request.raw.resume()
      throw isPublicError(error)
        ? error
        : new InvalidRequest(`The form can't be read: ${(error as Error).message}.`)
    }
  }
}

/**
 * The only value of a field; undefined where it is missing or empty. Throws INVALID_REQUEST when it was sent
 * more than once.
 */
function single({ fields }: Form, name: string): string | undefined {
  const values = fields.get(name) ?? []
  if (values.length > 1)
    throw new InvalidRequest(`The form field '${name}' appears ${values.length} times; send it once.`)
  return values[0] || undefined
}

/** A field's value parsed as JSON, without keys that would reach prototypes. Throws INVALID_REQUEST. */
export function parseField(name: string, value: string, budget?: JsonLimits['budget']): unknown {
  return parseJson(Buffer.from(value), {
    name: `The field '${name}'`,
    budget,
    ...((name === 'metadata' || name === 'filter') && { root: name })
  })
}

/**
 * The body that fields make, with the form's images as a list: single ones, those in `json` parsed, and those
 * in `lists`, which are JSON, or plain text as often as there are values. `templates` may be the name of a
 * set, too.
 */
export function imagesBody(
  form: Form,
  { json, lists = [] }: { json: string[]; lists?: string[] }
): Record<string, unknown> {
  const images = form.images.filter((image) => image !== undefined)
  const body = singleFields(form, { json, except: lists })
  for (const name of lists) {
    const values = (form.fields.get(name) ?? []).filter((value) => value !== '')
    if (values.length > 0) body[name] = listOf(name, values)
  }
  return images.length > 0 ? { image: images, ...body } : body
}

/** The body that single fields make, those in `json` parsed, with the form's only image. */
export function singleBody(form: Form, json: string[]): Record<string, unknown> {
  const images = form.images.filter((image) => image !== undefined)
  if (images.length > 1) throw new InvalidRequest(`The form has ${images.length} images; send one.`)
  return { ...(images.length === 1 && { image: images[0] }), ...singleFields(form, { json }) }
}

function singleFields(
  form: Form,
  { json, except = [] }: { json: string[]; except?: string[] }
): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const name of form.fields.keys()) {
    if (except.includes(name)) continue
    const value = single(form, name)
    if (value !== undefined) body[name] = json.includes(name) ? parseField(name, value) : value
  }
  return body
}

function listOf(name: string, values: string[]): unknown {
  if (values[0].trimStart().startsWith('[')) {
    if (values.length > 1)
      throw new InvalidRequest(
        `The form field '${name}' is a JSON list, but appears ${values.length} times; send one list.`
      )
    return parseField(name, values[0])
  }
  if (name === 'templates') return values.length === 1 && !values[0].includes('{label}') ? values[0] : values
  if (values.length === 1 && values[0].includes(',')) {
    throw new InvalidRequest(
      `The form field '${name}' appears once, with a comma. Send each label in its own field ` +
        `(${name}=cat, ${name}=dog), or all of them as a JSON list (${name}=["cat","dog"]). Also send a ` +
        'single label that contains a comma as a JSON list.'
    )
  }
  return values
}
