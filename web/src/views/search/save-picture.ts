import { apiKey } from '../../connection.js'

/** Saves a kept image as a file, as it was sent. Throws when the service does not give it. */
export async function savePicture(path: string, name: string): Promise<void> {
  const key = apiKey.peek()
  const answer = await fetch(path, { headers: key === '' ? {} : { authorization: `Bearer ${key}` } })
  if (!answer.ok) throw new Error(`The picture cannot be loaded: ${answer.status}.`)
  const blob = await answer.blob()
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  const extension = blob.type.replace(/^image\/|\+.*$/g, '') || 'bin'
  link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.${extension}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
