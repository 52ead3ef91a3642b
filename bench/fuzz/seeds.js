import sharp from 'sharp'
import { createRandom } from './random.js'

const XMP =
  '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta ' +
  'xmlns:x="adobe:ns:meta/"><rdf:RDF ' +
  'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ' +
  'xmlns:dc="http://purl.org/dc/elements/1.1/" ' +
  'dc:format="image/jpeg"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
const EXIF = {
  IFD0: { Copyright: 'nobody', ImageDescription: 'a picture' },
  IFD2: { UserComment: 'none' },
  IFD3: { GPSLatitude: '1/1 2/1 3/1' }
}

/** Raw pixels: a gradient with noise and a few blocks, so that every coder has something to do. */
function raw(random, { width, height, channels }) {
  const data = Buffer.alloc(width * height * channels)
  const noise = random.bytes(4096)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, at++) {
        const block = ((x >> 4) + (y >> 4) + c) & 1 ? 60 : 0
        data[at] = (x * 2 + y * (c + 1) + block + (noise[(x * 31 + y * 17) & 4095] >> 4)) & 0xff
      }
    }
  }
  return data
}

/** Valid pictures of every kind that is decoded, made from a seed: `[{ name, format, bytes }]`. */
export async function makeSeeds(seed) {
  const random = createRandom(seed, 0x5eed)
  const picture = (width, height, channels = 3) =>
    sharp(raw(random, { width, height, channels }), { raw: { width, height, channels } })
  const film = (channels) =>
    sharp(raw(random, { width: 40, height: 160, channels }), {
      raw: { width: 40, height: 160, channels, pageHeight: 40 }
    })
  const described = (image) => image.withExif(EXIF).withIccProfile('p3').withXmp(XMP)
  const kinds = {
    'jpeg baseline': ['jpeg', picture(97, 64).jpeg()],
    'jpeg 4:4:4': ['jpeg', picture(64, 80).jpeg({ chromaSubsampling: '4:4:4', quality: 95 })],
    'jpeg progressive': ['jpeg', picture(120, 90).jpeg({ progressive: true })],
    'jpeg grey': ['jpeg', picture(50, 50, 1).toColourspace('b-w').jpeg()],
    'jpeg cmyk': ['jpeg', picture(64, 48).toColourspace('cmyk').jpeg()],
    'jpeg with EXIF, ICC, XMP': ['jpeg', described(picture(80, 60)).jpeg()],
    'jpeg turned': ['jpeg', picture(70, 40).withMetadata({ orientation: 6 }).jpeg()],
    'jpeg large': ['jpeg', picture(1600, 1200).jpeg({ quality: 30 })],
    png: ['png', picture(64, 64).png()],
    'png alpha': ['png', picture(60, 45, 4).png()],
    'png 16 bit': ['png', picture(40, 40).toColourspace('rgb16').png()],
    'png palette': ['png', picture(64, 64).png({ palette: true, colours: 16 })],
    'png interlaced': ['png', picture(65, 63).png({ progressive: true })],
    'png with EXIF, ICC, XMP': ['png', described(picture(48, 48)).png()],
    'webp lossy': ['webp', picture(90, 70).webp()],
    'webp lossless': ['webp', picture(64, 64).webp({ lossless: true })],
    'webp alpha': ['webp', picture(64, 64, 4).webp()],
    'webp animated': ['webp', film(4).webp()],
    'webp with EXIF, ICC, XMP': ['webp', described(picture(48, 48)).webp()],
    gif: ['gif', picture(64, 50).gif()],
    'gif animated': ['gif', film(3).gif({ delay: [10, 10, 10, 10] })],
    'gif interlaced': ['gif', picture(64, 50).gif({ progressive: true })],
    avif: ['avif', picture(64, 48).avif({ effort: 0 })],
    'avif alpha 10 bit': [
      'avif',
      picture(48, 48, 4).avif({ effort: 0, bitdepth: 10 }),
      picture(48, 48, 4).avif({ effort: 0 })
    ],
    'avif lossless 4:4:4': ['avif', picture(40, 40).avif({ effort: 0, lossless: true })],
    'tiff strips': ['tiff', picture(64, 64).tiff({ compression: 'none' })],
    'tiff tiles': [
      'tiff',
      picture(150, 100).tiff({ tile: true, tileWidth: 64, tileHeight: 64, compression: 'deflate' })
    ],
    'tiff lzw': ['tiff', picture(64, 64).tiff({ compression: 'lzw', predictor: 'horizontal' })],
    'tiff jpeg': ['tiff', picture(64, 64).tiff({ compression: 'jpeg' })],
    'tiff packbits': ['tiff', picture(64, 64).tiff({ compression: 'packbits' })],
    'tiff webp': ['tiff', picture(64, 64).tiff({ compression: 'webp' })],
    'tiff fax': [
      'tiff',
      picture(64, 64, 1).toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 })
    ],
    'tiff 16 bit': ['tiff', picture(32, 32).toColourspace('rgb16').tiff({ compression: 'none' })],
    'tiff cmyk': ['tiff', picture(40, 40).toColourspace('cmyk').tiff({ compression: 'lzw' })],
    'tiff pages': ['tiff', film(3).tiff({ compression: 'lzw' })],
    'tiff pyramid': [
      'tiff',
      picture(200, 200).tiff({
        pyramid: true,
        tile: true,
        tileWidth: 64,
        tileHeight: 64,
        compression: 'deflate'
      })
    ],
    'tiff big': ['tiff', picture(64, 64).tiff({ compression: 'lzw', bigtiff: true })]
  }
  const seeds = []
  for (const [name, [format, ...images]] of Object.entries(kinds)) {
    // An encoder that this build of libvips lacks (10-bit AVIF) has one more way to say the same.
    for (const [i, image] of images.entries()) {
      const bytes = await image.toBuffer().catch((error) => {
        if (i === images.length - 1) throw new Error(`${name}: ${error.message}`)
      })
      if (bytes) {
        seeds.push({ name, format, bytes })
        break
      }
    }
  }
  return seeds
}
