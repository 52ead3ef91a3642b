import '@fastify/multipart'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { ImageTooLarge, InvalidRequest } from '../../errors.js'

/** A multipart form: its text fields by name and its files named `image`, each in the order sent. */
export interface Form {
  fields: Map<string, string[]>
  /** Undefined where a browser sent a file input in which no file was chosen. */
  images: (Uint8Array | undefined)[]
}

export interface FormLimits {
  /** Largest file, in bytes. */
  fileBytes: number
  /** Largest sum of all parts, in bytes. */
  totalBytes: number
}

const MAX_IMAGES = 256
const MAX_FIELDS = 1024
const MAX_FIELD_BYTES = 1 << 20
/** One more than there may be, so that the bounds above are met first, with a message of their own. */
const MAX_PARTS = MAX_IMAGES + MAX_FIELDS + 1

/**
 * Reads a multipart form. Every part is read as bytes, whatever its type and whether or not it has a file
 * name: clients give fields a type (`application/json`) or a file name (`blob`) as they like. Parts named
 * `image` are files, all others are fields in UTF-8. Throws INVALID_REQUEST and IMAGE_TOO_LARGE.
 */
export async function readForm(
  request: FastifyRequest,
  { fileBytes, totalBytes }: FormLimits
): Promise<Form> {
  const form: Form = { fields: new Map(), images: [] }
  let [total, fields] = [0, 0]
  // A file over the limit is cut a byte behind it, and then fails for itself where its bytes are looked at.
  const limits = {
    fileSize: Math.max(fileBytes, MAX_FIELD_BYTES) + 1,
    files: MAX_PARTS,
    parts: MAX_PARTS,
    fields: 0
  }
  for await (const part of request.parts({ limits, isPartAFile: () => true })) {
    if (part.type !== 'file') continue
    const isImage = part.fieldname === 'image'
    if (!isImage && ++fields > MAX_FIELDS)
      throw new InvalidRequest(`The form has more than ${MAX_FIELDS} fields.`)
    if (isImage && form.images.length === MAX_IMAGES)
      throw new InvalidRequest(`The form has more than ${MAX_IMAGES} images.`)
    const bytes = await readPart(part, isImage ? totalBytes : MAX_FIELD_BYTES)
    total += bytes.length
    if (total > totalBytes) throw new ImageTooLarge(`the form has more than ${totalBytes} bytes`)
    if (isImage) form.images.push(imageOf(part, bytes))
    else form.fields.set(part.fieldname, [...(form.fields.get(part.fieldname) ?? []), fieldOf(part, bytes)])
  }
  return form
}

async function readPart({ fieldname, filename, file }: MultipartFile, maxBytes: number): Promise<Buffer> {
  if (!fieldname) throw new InvalidRequest('A part of the form has no name.')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of file as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes && fieldname !== 'image')
      throw notText({ fieldname, filename }, `is larger than ${maxBytes >> 20} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Browsers send a file input in which nothing was chosen as a file without a name and without bytes. */
function imageOf({ filename, mimetype }: MultipartFile, bytes: Buffer): Uint8Array | undefined {
  if (bytes.length === 0 && !filename) return undefined
  if (filename === undefined && /^text\/|^application\/json$/.test(mimetype)) {
    throw new InvalidRequest(
      "The form field 'image' is text; send the image as a file (with curl: -F image=@picture.jpg)."
    )
  }
  return bytes
}

/**
 * The text of a field. A part typed as JSON that holds a JSON string stands for that string, as it would
 * without the type.
 */
function fieldOf(part: MultipartFile, bytes: Buffer): string {
  const text = decode(part, bytes)
  if (part.mimetype !== 'application/json' || !text.trimStart().startsWith('"')) return text
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : text
  } catch {
    return text
  }
}

/** Without a byte order mark. */
function decode(part: MultipartFile, bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Is said below.
  }
  throw notText(part, 'is not UTF-8; send it in UTF-8')
}

function notText(
  { fieldname, filename }: Pick<MultipartFile, 'fieldname' | 'filename'>,
  fault: string
): Error {
  if (filename)
    return new InvalidRequest(`The form has a file '${fieldname}'; send images in the part 'image'.`)
  return new InvalidRequest(`The form field '${fieldname}' ${fault}.`)
}
