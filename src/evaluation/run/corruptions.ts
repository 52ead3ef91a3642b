import sharp, { type Sharp } from 'sharp'
import { decodeImage, type ImageLimits } from '../../encoder/decode-image.js'
import type { Pixels } from '../../encoder/resample.js'
import type { Corruption } from '../embedding/embedder.js'

/** The shorter side at which a blur's sigma is in pixels: what most image towers see of a picture. */
const BLUR_SIDE = 224
/** Grey of a constant image, and its side: it is one colour whatever its size. */
const MID_GREY = 128
const CONSTANT_SIDE = 224

/** What each does to the upright 8-bit sRGB picture, whose transparency lies on white. */
const CHANGES: {
  [Kind in Corruption['kind']]: (
    picture: Sharp,
    corruption: Extract<Corruption, { kind: Kind }>,
    pixels: Pixels
  ) => Sharp | Promise<Sharp>
} = {
  jpeg: (picture, { quality }) => picture.jpeg({ quality, chromaSubsampling: '4:2:0' }),
  blur: (picture, { sigma }, { width, height }) =>
    lossless(blurred(picture, (sigma * Math.min(width, height)) / BLUR_SIDE)),
  rotation: async (picture, { degrees }) => {
    const { channels } = await picture.clone().stats()
    const [r, g, b] = channels.map(({ mean }) => Math.round(mean))
    return lossless(picture.rotate(degrees, { background: { r, g, b } }))
  },
  grey: (picture) => lossless(picture.greyscale()),
  constant: () =>
    lossless(
      sharp({
        create: {
          width: CONSTANT_SIDE,
          height: CONSTANT_SIDE,
          channels: 3,
          background: { r: MID_GREY, g: MID_GREY, b: MID_GREY }
        }
      })
    )
}

/**
 * The bytes of an image after a corruption of it, JPEG for `jpeg` and PNG for the others.
 *
 * - `jpeg`: encoded once at a quality of 1 to 100, colours at half the resolution (4:2:0).
 * - `blur`: Gaussian, of a sigma that is in pixels where the shorter side has 224, and grows with the
 *   picture.
 * - `rotation`: clockwise about the centre by degrees; the canvas grows so that nothing is cut, the corners
 *   get the picture's mean colour.
 * - `grey`: luminance, in three equal channels when it is decoded.
 * - `constant`: mid-grey (128) all over, which is the same for every image.
 *
 * Throws IMAGE_UNSUPPORTED, IMAGE_INVALID or IMAGE_TOO_LARGE as the decoder does.
 */
export async function corrupt(
  bytes: Uint8Array,
  corruption: Corruption,
  limits: ImageLimits
): Promise<Uint8Array> {
  const pixels =
    corruption.kind === 'constant'
      ? { data: Buffer.alloc(3, MID_GREY), width: 1, height: 1 }
      : await decodeImage(bytes, limits)
  const { data, width, height } = pixels
  const change = CHANGES[corruption.kind] as (
    picture: Sharp,
    corruption: Corruption,
    pixels: Pixels
  ) => Sharp | Promise<Sharp>
  const changed = await change(sharp(data, { raw: { width, height, channels: 3 } }), corruption, pixels)
  return changed.toBuffer()
}

/** Least sigma that libvips blurs by. */
const LEAST_SIGMA = 0.3

function blurred(picture: Sharp, sigma: number): Sharp {
  return sigma < LEAST_SIGMA ? picture : picture.blur({ sigma, precision: 'float', minAmplitude: 0.01 })
}

function lossless(picture: Sharp): Sharp {
  return picture.png({ compressionLevel: 1 })
}
