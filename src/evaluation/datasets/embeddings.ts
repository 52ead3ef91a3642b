import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatasetError, type EmbeddedPairs, type MatrixSource } from './dataset.js'
import { openMatrices, type Matrix } from '../statistics/matrix.js'
import { readRowNumbers } from '../embedding/npy.js'

/**
 * What the rows of images and of texts are called, as files or as folders of parts; clip-retrieval writes
 * img_emb and text_emb.
 */
const IMAGES = [
  'images.npy',
  'image.npy',
  'img_emb.npy',
  'image_embeddings.npy',
  'images',
  'img_emb',
  'image_embeddings'
]
const TEXTS = [
  'texts.npy',
  'text.npy',
  'captions.npy',
  'text_emb.npy',
  'text_embeddings.npy',
  'texts',
  'text_emb',
  'text_embeddings'
]
const IMAGE_OF = 'image_of.npy'

/** Where a folder's rows of images and of texts are, if it has both. */
export function embeddingFiles(folder: string): { images: string; captions: string } | undefined {
  const names = readdirSync(folder)
  const hasRows = (name: string) =>
    names.includes(name) && (name.endsWith('.npy') || hasNpy(join(folder, name)))
  const [images, captions] = [IMAGES.find(hasRows), TEXTS.find(hasRows)]
  return images !== undefined && captions !== undefined
    ? { images: join(folder, images), captions: join(folder, captions) }
    : undefined
}

function hasNpy(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.npy'))
  } catch {
    return false
  }
}

/**
 * Embeddings that were computed before: images.npy and texts.npy, whose rows belong together, or image_of.npy
 * beside them with the row of the image for each text. Rows are read when they are used, unless a limit takes
 * the first images only.
 */
export function openEmbeddings(
  folder: string,
  { name, limit }: { name: string; limit?: number }
): EmbeddedPairs {
  const files = embeddingFiles(folder)
  if (!files)
    throw new DatasetError(
      `${folder} has no embeddings; it needs images.npy and texts.npy, or img_emb/*.npy and ` +
        'text_emb/*.npy, with image_of.npy if an image has several texts.'
    )
  const [images, captions] = openMatrices({ path: files.images }, { path: files.captions })
  try {
    const imageOf = readdirSync(folder).includes(IMAGE_OF)
      ? readRowNumbers(join(folder, IMAGE_OF), images.rows)
      : undefined
    if (images.dimension !== captions.dimension)
      throw new DatasetError(
        `${files.images} has rows of ${images.dimension} values, but ${files.captions} has rows of ` +
          `${captions.dimension}.`
      )
    if (imageOf ? imageOf.length !== captions.rows : images.rows !== captions.rows) {
      throw new DatasetError(
        imageOf
          ? `${join(folder, IMAGE_OF)} has ${imageOf.length} values, but there are ${captions.rows} texts.`
          : `There are ${images.rows} images and ${captions.rows} texts in ${folder}: ${IMAGE_OF} must ` +
              'say which image each text belongs to.'
      )
    }
    const pairs = { name, format: 'embeddings', kind: 'embeddings' } as const
    if (limit === undefined || limit >= images.rows)
      return {
        ...pairs,
        images: { path: files.images },
        captions: { path: files.captions },
        ...(imageOf && { imageOf })
      }
    const kept = Uint32Array.from(
      Array.from({ length: captions.rows }, (_, i) => i).filter((i) => (imageOf?.[i] ?? i) < limit)
    )
    return {
      ...pairs,
      images: rowsOf(
        images,
        Uint32Array.from({ length: limit }, (_, i) => i)
      ),
      captions: rowsOf(captions, kept),
      ...(imageOf && { imageOf: kept.map((i) => imageOf[i]) })
    }
  } finally {
    images.close()
    captions.close()
  }
}

/** Some rows, on memory that threads share. */
function rowsOf(matrix: Matrix, numbers: Uint32Array): MatrixSource {
  const { dimension } = matrix
  const values = new Float32Array(
    new SharedArrayBuffer(numbers.length * dimension * Float32Array.BYTES_PER_ELEMENT)
  )
  for (const [i, row] of numbers.entries()) values.set(matrix.read(row, row + 1), i * dimension)
  return { dimension, values }
}
