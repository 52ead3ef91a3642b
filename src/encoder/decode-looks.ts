import { ImageInvalid } from '../errors.js'
import { COMPRESSION, PHOTOMETRIC, readTiffDirectory, TAGS, type TiffDirectory } from './tiff-directory.js'

/**
 * How a picture is decoded. libvips fills what it can't decode with black or grey unless it is told to fail,
 * and at which level it has to be told so differs by format: errors of a TIFF's tiles, and the warnings by
 * which libjpeg continues behind lost data, count at 'warning' alone; libpng warns of much that changes no
 * pixel.
 */
export interface Look {
  type: string
  bytes: Uint8Array
  failOn: 'error' | 'warning'
  /** Set where the samples are decoded as if they were RGB, and are Lab. */
  lab?: 'cieLab' | 'iccLab'
  /** Set where a fourth channel is there that is not alpha. */
  ignoresAlpha?: boolean
  directory?: TiffDirectory
}

/** Warnings of libjpeg that say nothing of the pixels; cameras write such files. */
const HARMLESS = new RegExp(
  [
    'extraneous bytes before marker',
    'Invalid SOS parameters',
    'Unknown Adobe color transform',
    'unknown JFIF revision',
    'Inconsistent progression'
  ].join('|')
)
/** What libvips adds to the warnings. */
const COMMENT = /^\s*$|^Warning treated as error|^error in tile|^Input buffer has corrupt header:\s*$/
/** Complaints about the tags of a TIFF. */
const ABOUT_TAGS = /Warning treated as error|\btags?\b/i

/** The first look. Throws IMAGE_INVALID for a TIFF whose samples would be read as what they are not. */
export function strictLook(type: string, bytes: Uint8Array): Look {
  if (type === 'image/jpeg') return { type, bytes, failOn: 'warning' }
  if (type !== 'image/tiff') return { type, bytes, failOn: 'error' }
  const directory = readTiffDirectory(bytes)
  const look: Look = { type, bytes, failOn: 'warning', directory }
  if (!directory) return look
  const [photometric] = directory.numbers(TAGS.photometric)
  const [compression = 1] = directory.numbers(TAGS.compression)
  const isJpeg = compression === COMPRESSION.jpeg || compression === COMPRESSION.oldJpeg
  if (photometric === PHOTOMETRIC.yCbCr && !isJpeg) {
    throw new ImageInvalid('it has YCbCr samples that are not compressed as JPEG; send it as RGB')
  }
  // TIFF 6.0, ExtraSamples: 0 says that the samples may be anything.
  if (directory.numbers(TAGS.extraSamples)[0] === 0) look.ignoresAlpha = true
  if (photometric === PHOTOMETRIC.cieLab || photometric === PHOTOMETRIC.iccLab) {
    look.lab = photometric === PHOTOMETRIC.cieLab ? 'cieLab' : 'iccLab'
    look.bytes = directory.pixelTagsOnly({ [TAGS.photometric]: PHOTOMETRIC.rgb })
    look.directory = undefined
  }
  return look
}

/**
 * The manage one that failed: without the strictness towards warnings where all of them are harmless, or
 * without the tags that pixels don't depend on where those are at fault. Undefined where the picture is
 * damaged.
 */
export function nextLook(look: Look, error: unknown): Look | undefined {
  if (!(error instanceof Error) || 'code' in error || look.failOn !== 'warning') return undefined
  const lines = error.message.split('\n').filter((line) => !COMMENT.test(line))
  if (lines.length > 0 && lines.every((line) => HARMLESS.test(line))) return { ...look, failOn: 'error' }
  if (!look.directory || !ABOUT_TAGS.test(error.message)) return undefined
  return { ...look, bytes: look.directory.pixelTagsOnly(), directory: undefined }
}
