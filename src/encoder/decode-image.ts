import sharp, { type Sharp } from 'sharp'
import { ImageInvalid, ImageTooLarge } from '../errors.js'
import type { Pixels } from './resample.js'
import { sniffImage } from './sniff-image.js'

export interface ImageLimits {
  /** Largest width times height. */
  maxPixels: number
}

export interface Size {
  width: number
  height: number
}

/** Longest side, that of JPEG: the weights of a resize grow with it. */
const MAX_SIDE = 65_535
/**
 * How many times the needed pixels are left by shrinking, on either side. At 3 the embeddings of models/mini keep a
 * cosine of 0.9992 and more to those of the whole picture (bench/shrink-on-load.js).
 */
const KEPT_RATIO = 3
/** libvips decodes at a half, quarter or eighth where a resize divides by more than that; under 3 it costs more than it saves. */
const LEAST_SHRINK = 3

// libvips loads far more than that (SVG and PDF among it): all loaders are blocked, then these allowed.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((loader) => `VipsForeignLoad${loader}`)
})
// One image a thread: the pool of image workers is what uses the cores.
sharp.concurrency(1)
sharp.cache(false)

/**
 * Decodes an image (its first frame) to upright 8-bit sRGB, alpha laid on white. Order: EXIF orientation, ICC profile
 * to sRGB, alpha. A JPEG of far more pixels than `needed` is shrunk while it is decoded. Throws IMAGE_UNSUPPORTED,
 * IMAGE_INVALID or IMAGE_TOO_LARGE.
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits, needed?: Size): Promise<Pixels> {
  await sniffImage(bytes)
  try {
    const image = sharp(bytes, { failOn: 'truncated', limitInputPixels: limits.maxPixels })
    const { space, channels, hasProfile, width, height, format, autoOrient } = await image.metadata()
    requireAllowed({ width, height }, limits)
    const upright = image.autoOrient()
    if (space === 'cmyk' && channels === 4 && !hasProfile) return await decodePlainCmyk(upright)
    return await decodeRgb(needed && format === 'jpeg' ? shrink(upright, autoOrient, needed) : upright)
  } catch (error) {
    throw toPublicError(error)
  }
}

function requireAllowed({ width, height }: Size, { maxPixels }: ImageLimits): void {
  if (width * height > maxPixels) throw new ImageTooLarge(`${width} x ${height} pixels, of ${maxPixels} allowed`)
  if (Math.max(width, height) > MAX_SIDE) throw new ImageTooLarge(`${width} x ${height} pixels, of ${MAX_SIDE} allowed on a side`)
}

function shrink(image: Sharp, { width, height }: Size, needed: Size): Sharp {
  const by = Math.floor(Math.min(width / needed.width, height / needed.height) / KEPT_RATIO)
  return by < LEAST_SHRINK ? image : image.resize(Math.floor(width / by), Math.floor(height / by), { fit: 'fill' })
}

async function decodeRgb(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** CMYK without a profile says nothing of its inks; the plain conversion is Pillow's, which the towers were fed by. */
async function decodePlainCmyk(image: Sharp): Promise<Pixels> {
  const raw = image.pipelineColourspace('cmyk').toColourspace('cmyk').raw({ depth: 'uchar' })
  const { data, info } = await raw.toBuffer({ resolveWithObject: true })
  const rgb = new Uint8Array(info.width * info.height * 3)
  for (let p = 0, out = 0; p < data.length; p += 4) {
    const white = 255 - data[p + 3]
    for (let ink = 0; ink < 3; ink++) rgb[out++] = white - Math.round((data[p + ink] * white) / 255)
  }
  return { data: rgb, width: info.width, height: info.height }
}

function toPublicError(error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error
  if (/pixel limit|too large|exceeds/i.test(error.message)) return new ImageTooLarge('more pixels than allowed')
  return new ImageInvalid(firstLine(error.message))
}

/** libvips prefixes its messages with loaders and repeats them a line each; the first says it. */
function firstLine(message: string): string {
  return message.split('\n')[0].replace(/^Input buffer (has corrupt header|contains unsupported image format): ?/, '').slice(0, 200) || 'it is not a whole image'
}
