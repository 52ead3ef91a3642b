import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Embedder, Rows } from './embedder.js'
import { corruptionName } from './kept-embeddings.js'
import { writeNpy } from './npy.js'

/** Rows of what was embedded, by their names. */
type Named = Map<string, { rows: Rows; row: number }>

/** An embedder that remembers what it was asked for. */
export interface RecordingEmbedder extends Embedder {
  /**
   * Writes texts.json (a list of strings) with texts.npy, and images.json (a list of image ids, those of
   * corrupted images with `|` and the corruption as JSON) with images.npy: a row of float32 an entry.
   */
  save(folder: string): Promise<void>
}

export function recordEmbeddings(embedder: Embedder): RecordingEmbedder {
  const [texts, images]: Named[] = [new Map(), new Map()]
  const keep = async (named: Named, names: string[], embedded: Promise<Rows>): Promise<Rows> => {
    const rows = await embedded
    for (const [row, name] of names.entries()) if (!named.has(name)) named.set(name, { rows, row })
    return rows
  }
  return {
    model: embedder.model,
    texts: (list) => keep(texts, list, embedder.texts(list)),
    images: (list, corruption) =>
      keep(
        images,
        list.map(({ id }) => (corruption ? `${id}|${corruptionName(corruption)}` : id)),
        embedder.images(list, corruption)
      ),
    save: async (folder) => {
      await mkdir(folder, { recursive: true })
      for (const [name, named] of Object.entries({ texts, images })) {
        await writeFile(join(folder, `${name}.json`), `${JSON.stringify([...named.keys()])}\n`)
        await writeNpy(join(folder, `${name}.npy`), matrixOf(named, embedder.model.dimension))
      }
    }
  }
}

function matrixOf(named: Named, dimension: number): Rows {
  const values = new Float32Array(named.size * dimension)
  for (const [at, { rows, row }] of [...named.values()].entries())
    values.set(rows.values.subarray(row * dimension, (row + 1) * dimension), at * dimension)
  return { dimension, values }
}
