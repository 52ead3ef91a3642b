import type { CallOptions } from '../../threading/call-options.js'
import type { Collection } from '../../collections/collection.js'
import type { ImageStore } from '../../collections/stores/image-store.js'
import { ImageNotKept, RecordInvalid } from '../../errors.js'
import { stopsAll, type Faulty, type NewRecord } from '../../records/ingest.js'
import type { LoadImage } from './load-images.js'
import type { UnfetchedRecord } from './sent-record.js'

type KeptImages = Pick<ImageStore, 'read'>

/** Brings the image of a record, wherever it comes from; the record turns faulty where it does not come. */
export type LoadRecord = (record: UnfetchedRecord) => Promise<NewRecord | Faulty>

/** A function that makes records ready to be stored. It throws what ends the whole request. */
export function recordLoader({
  load,
  collection,
  images,
  callOptions
}: {
  load: LoadImage
  collection: Collection
  images: KeptImages
  callOptions: CallOptions
}): LoadRecord {
  return async ({ image, imageUrl, ...rest }) => {
    try {
      if (image) return { ...rest, image: await load(image) }
      if (imageUrl === undefined) return rest
      const kept = await keptImage({ collection, images }, imageUrl, callOptions)
      // The same image has the same embedding.
      return {
        ...rest,
        image: kept.image,
        embeddings: { ...(kept.embedding && { image: kept.embedding }), ...rest.embeddings }
      }
    } catch (error) {
      if (stopsAll(error)) throw error
      return { id: rest.id, error }
    }
  }
}

/** The image that is kept of a record of the collection, by its `image_url`, and its embedding. */
async function keptImage(
  { collection, images }: { collection: Collection; images: KeptImages },
  url: string,
  callOptions: CallOptions
): Promise<{ image: Uint8Array; embedding?: number[] }> {
  const id = idIn(collection.settings.name, url)
  if (id === undefined)
    throw new RecordInvalid(
      `image_url must be the path of an image that this collection keeps, not '${url.slice(0, 80)}'. ` +
        'Send the picture as image, or leave image_url out.'
    )
  const record = await collection.get(id, callOptions)
  const image = record?.image && (await images.read(record.image.sha256).catch(() => undefined))
  if (!image) throw new ImageNotKept(id)
  const { image: embedding } = await collection.embeddings(id, callOptions)
  return { image, ...(embedding && { embedding: [...embedding] }) }
}

function idIn(collection: string, url: string): string | undefined {
  const [, id] = new RegExp(`^/v1/collections/${collection}/records/([^/]+)/image$`).exec(url) ?? []
  try {
    return id && decodeURIComponent(id)
  } catch {
    return undefined
  }
}
