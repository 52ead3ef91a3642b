/** A record whose image is a file. */
export interface Upload {
  image: Blob | Uint8Array
  /** That of a File is its own. */
  filename?: string
  id?: string
  text?: string
  metadata?: Record<string, unknown>
}

/** A record as the form that a service takes. */
export function formOf({ image, filename, id, text, metadata }: Upload): FormData {
  const form = new FormData()
  // Fields come before the file, so that a service that reads in order has them when it gets there.
  if (id !== undefined) form.append('id', id)
  if (text !== undefined) form.append('text', text)
  if (metadata) form.append('metadata', JSON.stringify(metadata))
  const blob = image instanceof Blob ? image : new Blob([image as Uint8Array<ArrayBuffer>])
  form.append('image', blob, filename ?? (blob as Partial<File>).name ?? 'image')
  return form
}
