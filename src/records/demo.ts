import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Collections } from '../collections/collections.js'
import { DEFAULT_HNSW } from '../collections/record.js'
import type { MarkerStore } from '../collections/stores/marker-store.js'
import type { Encoders } from '../encoder/encoders.js'
import { ingest, type NewRecord } from './ingest.js'

/** The collection that a fresh service shows. */
export const DEMO_COLLECTION = 'emoji'

export interface DemoOptions {
  encoders: Encoders
  collections: Pick<Collections, 'create'>
  markers: MarkerStore
  onProgress: (loaded: number, total: number) => void
  signal: AbortSignal
}

interface Emoji {
  emoji: string
  label: string
  hexcode: string
  tags?: string[]
  group?: number
  subgroup?: number
}

const BATCH = 64
/** The marker of a load that was done once. */
const LOADED = 'demo-loaded'

/**
 * Loads Fluent's emoji with their names into a collection, once: after that what became of the collection is
 * the user's. Resumes where an earlier load was cut off. Resolves to the records added.
 */
export async function loadDemo({
  encoders,
  collections,
  markers,
  onProgress,
  signal
}: DemoOptions): Promise<number> {
  if (await markers.has(LOADED)) return 0
  const { model, dimension } = encoders.get()
  const { collection } = await collections.create(DEMO_COLLECTION, () => ({
    model: model.name,
    fingerprint: model.fingerprint,
    dimension,
    hnsw: DEFAULT_HNSW,
    storage: 'original'
  }))
  const emoji = await demoEmoji()
  const batches = Array.from({ length: Math.ceil(emoji.length / BATCH) }, (_, i) =>
    emoji.slice(i * BATCH, (i + 1) * BATCH)
  ).values()
  let loaded = 0
  let added = 0
  // Two batches at a time: one is committed while the other is encoded.
  const load = async () => {
    for (const batch of batches) {
      const known = await Promise.all(batch.map(({ id }) => collection.get(id)))
      const missing = batch.filter((_, i) => !known[i])
      const results =
        missing.length > 0
          ? await ingest({ encoders, collection }, await Promise.all(missing.map(toRecord)), { signal })
          : []
      const failed = results.find((result) => result.status === 'failed')
      if (failed) throw new Error(`The demo record ${failed.id} can't be added: ${failed.error.message}`)
      added += missing.length
      onProgress((loaded += batch.length), emoji.length)
    }
  }
  await Promise.all([load(), load()])
  await markers.set(LOADED, `${added} records`)
  return added
}

interface DemoEmoji {
  id: string
  text: string
  picture: string
  metadata: Record<string, unknown>
}

/** The emoji that have both a picture and a name, without skin tones and parts. */
export async function demoEmoji(): Promise<DemoEmoji[]> {
  const require = createRequire(import.meta.url)
  const folder = join(dirname(require.resolve('@lobehub/fluent-emoji-3d/package.json')), 'assets')
  // The two packages differ in where they write the variation selector.
  const plain = (hexcode: string) => hexcode.toLowerCase().replaceAll('-fe0f', '')
  const pictures = new Map(
    (await readdir(folder)).map((file) => [plain(file.replace('.webp', '')), join(folder, file)])
  )
  const emojibase = <T>(name: string) =>
    readFile(require.resolve(`emojibase-data/en/${name}.json`), 'utf8').then((text) => JSON.parse(text) as T)
  const emoji = await emojibase<Emoji[]>('data')
  const { groups, subgroups } =
    await emojibase<Record<'groups' | 'subgroups', { order: number; message: string }[]>>('messages')
  const name = (list: { order: number; message: string }[], order?: number) =>
    list.find((entry) => entry.order === order)?.message
  return emoji.flatMap(({ emoji: character, label, hexcode, tags = [], group, subgroup }) => {
    const picture = pictures.get(plain(hexcode))
    if (!picture || group === undefined) return []
    const metadata = {
      emoji: character,
      group: name(groups, group),
      subgroup: name(subgroups, subgroup),
      tags
    }
    return [{ id: plain(hexcode), text: label, picture, metadata }]
  })
}

async function toRecord({ id, text, picture, metadata }: DemoEmoji): Promise<NewRecord> {
  return { id, text, metadata, image: await readFile(picture) }
}
