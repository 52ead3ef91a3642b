// JPEGs to encode: pictures with edges, textures and noise, as photographs have them, made from the emoji
// pictures of the demo so that they need no download. Each is another.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'

const folder = join(
  dirname(createRequire(import.meta.url).resolve('@lobehub/fluent-emoji-3d/package.json')),
  'assets'
)

/** Makes `count` JPEGs of a size (quality 90): a grid of pictures over noise. */
export async function makePhotos(count, { width, height }) {
  const files = readdirSync(folder).filter((file) => /\.(webp|png)$/.test(file))
  const cell = width / 4
  const [columns, rows] = [Math.ceil(width / cell), Math.ceil(height / cell)]
  const photos = []
  for (let n = 0; n < count; n++) {
    const tiles = await Promise.all(
      Array.from({ length: columns * rows }, async (_, i) => ({
        input: await sharp(readFileSync(join(folder, files[(n * 97 + i * 13) % files.length])))
          .resize(cell, cell)
          .toBuffer(),
        left: (i % columns) * cell,
        top: Math.floor(i / columns) * cell
      }))
    )
    const noise = sharp({
      create: {
        width: columns * cell,
        height: rows * cell,
        channels: 3,
        noise: { type: 'gaussian', mean: 90 + ((n * 17) % 80), sigma: 6 }
      }
    })
    const whole = await noise.composite(tiles).png({ compressionLevel: 0 }).toBuffer()
    photos.push(
      await sharp(whole).extract({ left: 0, top: 0, width, height }).jpeg({ quality: 90 }).toBuffer()
    )
  }
  return photos
}

/** Texts of about ten tokens, no two alike. */
export function makeTexts(count) {
  const pick = (list, n) => list[n % list.length]
  return Array.from(
    { length: count },
    (_, n) =>
      `a photo of ${pick(['two', 'three', 'some', 'many'], n)} ` +
      `${pick(['red', 'small', 'old', 'wet', 'happy'], n >> 2)} ` +
      `${pick(['dogs', 'cats', 'houses', 'trees', 'cars', 'birds'], n >> 1)} number ${n}`
  )
}
