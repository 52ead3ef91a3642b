/** A picture that the user dropped, pasted or chose. */
export interface DroppedImage {
  name: string
  /** For showing it. */
  url: string
  /** For sending it. */
  base64: Promise<string>
}

/**
 * Longest side that is sent, in pixels: models look at less, and a picture goes along with each letter that
 * is typed.
 */
const LONGEST = 1024
/** Of the smaller picture, from 0 to 1. */
const QUALITY = 0.92

/** How many pictures are kept for going back to; older ones are released. */
const KEPT = 20
const images = new Map<string, DroppedImage>()

/**
 * Keeps a picture for as long as the page lives; resolves to the key by which a link of this page finds it.
 */
export function keepImage(file: File): string {
  // A key of before a reload must not find another picture.
  const key = `${Math.random().toString(36).slice(2, 8)}-${file.name || 'pasted picture'}`
  const base64 = shrunk(file).then(toBase64)
  // Whoever sends it hears of it.
  base64.catch(() => {})
  images.set(key, { name: file.name || 'pasted picture', url: URL.createObjectURL(file), base64 })
  const [oldest] = images.keys()
  if (images.size > KEPT) {
    URL.revokeObjectURL(images.get(oldest)!.url)
    images.delete(oldest)
  }
  return key
}

export const droppedImage = (key: string): DroppedImage | undefined => images.get(key)

/** The name in a key whose picture is not here any more. */
export const nameInKey = (key: string): string => key.replace(/^[^-]*-/, '')

/**
 * The picture at most LONGEST pixels wide and high; as it is where it is no larger, or the browser can't read
 * it.
 */
async function shrunk(file: File): Promise<Blob> {
  try {
    const bitmap = await createImageBitmap(file)
    const share = LONGEST / Math.max(bitmap.width, bitmap.height)
    if (share >= 1) return file
    const canvas = new OffscreenCanvas(
      Math.max(1, Math.round(bitmap.width * share)),
      Math.max(1, Math.round(bitmap.height * share))
    )
    const context = canvas.getContext('2d')!
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    bitmap.close()
    // Where there is no WebP it becomes a PNG.
    return await canvas.convertToBlob({ type: 'image/webp', quality: QUALITY })
  } catch {
    // The service reads formats that browsers do not, and says what is wrong with others.
    return file
  }
}

function toBase64(file: Blob): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(new Error('The picture cannot be read.'))
    reader.readAsDataURL(file)
  })
}
