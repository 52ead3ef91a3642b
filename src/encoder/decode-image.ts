import sharp, { type Metadata, type Sharp } from 'sharp'
import { ImageInvalid, ImageTooLarge } from '../errors.js'
import { cmykToRgb, labToRgb } from './colours.js'
import { nextLook, strictLook, type Look } from './decode-looks.js'
import { countScans } from './jpeg-scans.js'
import type { Pixels } from './resample.js'
import { sniffImage } from './sniff-image.js'

export interface ImageLimits {
  /** Largest width times height. */
  maxPixels: number
  /**
   * Told how many bytes the decoded image will take, before it takes them; it may hold the thread until they
   * are there.
   */
  reserve?: (bytes: number) => void
}

export interface Size {
  width: number
  height: number
}

/** Longest side, that of JPEG: the weights of a resize grow with it. */
const MAX_SIDE = 65_535
/**
 * How many times the needed pixels are left by shrinking, on either side. At 3 the embeddings of models/mini
 * keep a cosine of 0.9992 and more to those of the whole picture (bench/shrink-on-load.js).
 */
const KEPT_RATIO = 3
/**
 * libvips decodes at a half, quarter or eighth where a resize divides by more than that; under 3 it costs
 * more than it saves.
 */
const LEAST_SHRINK = 3
/** Most scans of a JPEG: encoders make ten or so. */
const MAX_SCANS = 64
/**
 * An image that takes longer to decode is rejected; libvips looks at the time between its lines, so that some
 * take longer.
 */
const MAX_SECONDS = 10
/** Bytes of a sample by libvips' name of its format. */
const SAMPLE_BYTES: Record<string, number> = {
  char: 1,
  uchar: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
  complex: 8,
  double: 8,
  dpcomplex: 16
}

// libvips loads far more than that (SVG and PDF among it): all loaders are blocked, then these allowed.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((loader) => `VipsForeignLoad${loader}`)
})
// One image a thread: the pool of image workers is what uses the cores.
sharp.concurrency(1)
sharp.cache(false)

/** What of an image is wanted. */
interface Wanted {
  /** The pixels that are of use: a JPEG of far more is shrunk while it is decoded. */
  needed?: Size
  /** Leaves transparency in a fourth channel, where there is any. */
  alpha?: boolean
}

/**
 * Decodes an image (its first frame) to upright 8-bit sRGB, alpha laid on white. Order: EXIF orientation, ICC
 * profile to sRGB, alpha. A JPEG of far more pixels than `needed` is shrunk while it is decoded. Throws
 * IMAGE_UNSUPPORTED, IMAGE_INVALID or IMAGE_TOO_LARGE.
 */
export function decodeImage(bytes: Uint8Array, limits: ImageLimits, needed?: Size): Promise<Pixels> {
  return decode(bytes, limits, { needed })
}

/** As `decodeImage`, with alpha left as it is: `channels` is 4 where the image has any, else 3. */
export async function decodeWithAlpha(
  bytes: Uint8Array,
  limits: ImageLimits,
  needed?: Size
): Promise<Pixels & { channels: 3 | 4 }> {
  const pixels = await decode(bytes, limits, { needed, alpha: true })
  return { ...pixels, channels: pixels.data.length === pixels.width * pixels.height * 4 ? 4 : 3 }
}

async function decode(bytes: Uint8Array, limits: ImageLimits, wanted: Wanted): Promise<Pixels> {
  const type = await sniffImage(bytes)
  if (type === 'image/jpeg' && countScans(bytes) > MAX_SCANS)
    throw new ImageInvalid(`it has more than ${MAX_SCANS} scans`)
  let isReserved = false
  const reserve = (taken: number) => {
    // Once for all looks: what is held already would have to be waited for.
    if (!isReserved) limits.reserve?.(taken)
    isReserved = true
  }
  for (let look: Look | undefined = strictLook(type, bytes); ;) {
    try {
      return await decodeOnce(look, { ...limits, reserve }, wanted)
    } catch (error) {
      look = nextLook(look, error)
      if (!look) throw toPublicError(error)
    }
  }
}

async function decodeOnce(
  look: Look,
  limits: ImageLimits,
  { needed, alpha = false }: Wanted
): Promise<Pixels> {
  const { bytes, failOn, lab, ignoresAlpha } = look
  const image = sharp(bytes, { failOn, limitInputPixels: limits.maxPixels }).timeout({ seconds: MAX_SECONDS })
  const metadata = await image.metadata()
  const { space, hasProfile, format, autoOrient, depth } = metadata
  requireAllowed(metadata, limits)
  requireSamples(metadata)
  const by = needed && format === 'jpeg' ? divisor(autoOrient, needed) : 1
  limits.reserve?.(decodedBytes(metadata, by, alpha && metadata.hasAlpha ? 4 : 3))
  const upright = image.autoOrient()
  if (space === 'cmyk' && !hasProfile) return await decodePlainCmyk(upright, depth)
  if (ignoresAlpha) upright.removeAlpha()
  const scale = depth === 'float' ? await floatScale(image, space) : 1
  if (scale !== 1) upright.linear(scale, 0)
  if (by > 1)
    upright.resize(Math.floor(autoOrient.width / by), Math.floor(autoOrient.height / by), { fit: 'fill' })
  // sharp flattens before it removes alpha.
  const keepsAll = (alpha && !lab) || ignoresAlpha
  const pixels = await decodeRgb(keepsAll ? upright : upright.flatten({ background: '#fff' }))
  if (lab) labToRgb(pixels.data, lab)
  return pixels
}

function requireAllowed({ width, height }: Size, { maxPixels }: ImageLimits): void {
  if (width * height > maxPixels)
    throw new ImageTooLarge(`it has ${width} x ${height} pixels; at most ${maxPixels} are allowed`)
  if (Math.max(width, height) > MAX_SIDE)
    throw new ImageTooLarge(`it has ${width} x ${height} pixels; at most ${MAX_SIDE} are allowed on a side`)
}

/** Whole numbers of 32 bits have no scale that one could know: they would become white or black. */
function requireSamples({ depth }: Metadata): void {
  if (depth === 'int' || depth === 'uint')
    throw new ImageInvalid('it has 32-bit integer samples; send 8 or 16 bits per sample')
}

/**
 * The factor for float samples: grey ones reach from 0 to 1, or else to 255, as Pillow takes them; libvips
 * takes those of RGB for linear light from 0 to 1. Throws IMAGE_INVALID where most of those lie beyond: they
 * would become white.
 */
async function floatScale(image: Sharp, space: string): Promise<number> {
  const { channels } = await image.stats()
  if (space === 'b-w') return channels[0].max <= 1 ? 255 : 1
  const mean = (channels[0].mean + channels[1].mean + channels[2].mean) / 3
  if (mean > 1) throw new ImageInvalid('it has float samples greater than 1; send values from 0 to 1')
  return 1
}

/** What a JPEG's sides are divided by while it is decoded. */
function divisor({ width, height }: Size, needed: Size): number {
  const by = Math.floor(Math.min(width / needed.width, height / needed.height) / KEPT_RATIO)
  return by < LEAST_SHRINK ? 1 : by
}

/**
 * The samples of the whole picture, which many loaders and each turn hold at once, and the 8-bit ones of the
 * result.
 */
function decodedBytes(
  { width, height, channels, depth, isProgressive, space, hasProfile }: Metadata,
  by: number,
  wanted: number
): number {
  const result = (width * height * wanted) / by ** 2
  // Inks are converted before anything is shrunk; of a progressive JPEG all coefficients are read, two bytes
  // each.
  const isWhole = by === 1 || isProgressive || (space === 'cmyk' && !hasProfile)
  const sampleBytes = by > 1 && isProgressive ? 2 : (SAMPLE_BYTES[depth] ?? 1)
  return result + (isWhole ? width * height * channels * sampleBytes : 0)
}

async function decodeRgb(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

async function decodePlainCmyk(image: Sharp, depth: string): Promise<Pixels> {
  const isWide = depth === 'ushort'
  const inks = image
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth: isWide ? 'ushort' : 'uchar' })
  const { data, info } = await inks.toBuffer({ resolveWithObject: true })
  // The upper byte of each: libvips writes raw samples in the machine's order, little endian on all that are
  // supported.
  const samples = isWide ? Uint8Array.from({ length: data.length / 2 }, (_, i) => data[2 * i + 1]) : data
  return { data: cmykToRgb(samples, info.channels), width: info.width, height: info.height }
}

function toPublicError(error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error
  if (/^timeout: /.test(error.message)) return new ImageInvalid(`it takes longer than ${MAX_SECONDS} s`)
  if (/pixel limit|too large|exceeds/i.test(error.message))
    return new ImageTooLarge('more pixels than allowed')
  return new ImageInvalid(firstLine(error.message))
}

/** libvips prefixes its messages with loaders and repeats them a line each; the first says it. */
function firstLine(message: string): string {
  const lines = message.replace(/^Warning treated as error due to failOn setting\n/, '').split('\n')
  const said = lines[0].replace(/^Input buffer (has corrupt header|contains unsupported image format): ?/, '')
  return said.slice(0, 200) || 'it is not a complete image'
}
