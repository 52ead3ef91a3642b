import type { Modality } from '../record.js'
import type { Connection } from '../sqlite/connection.js'

/** Which embeddings a collection holds of one modality. */
export interface RowsState {
  rows: number
  /**
   * Equal where the rows are equal. Labels are never given twice and embeddings never change, so the labels
   * of a later moment up to the same highest one are among those of the earlier: as many of them are the same
   * ones.
   */
  version: string
}

/** Some of the rows, and the label that the next ones come after; undefined where there are no more. */
export interface RowsPart<Part> {
  part: Part
  after?: number
}

/**
 * The embeddings of one collection and modality in the order of their labels, as of the transaction that
 * reads them.
 */
export interface EmbeddingRows {
  state: RowsState
  /** Float32 values, row by row. */
  vectors(after: number): RowsPart<Uint8Array>
  ids(after: number): RowsPart<string[]>
}

const IDS = 5000
/** Records that had not expired when the reads began. */
const PRESENT = 'JOIN record r ON r.key = e.record AND (r.expires_at IS NULL OR r.expires_at > ?)'
/** Bytes of vectors in a part. */
const PART_BYTES = 1 << 20

/** Prepares the reads. */
export function embeddingRows(
  db: Connection,
  { collection, modality }: { collection: number; modality: Modality }
): EmbeddingRows {
  const began = Date.now()
  const state = db
    .prepare<unknown[], { rows: number; highest: number | null }>(
      `SELECT count(*) AS rows, max(e.label) AS highest FROM embedding e ${PRESENT} WHERE e.collection ` +
        '= ? AND e.modality = ?'
    )
    .get(began, collection, modality)!
  const dimension =
    db.prepare<[number], number>('SELECT dimension FROM collection WHERE id = ?').pluck().get(collection) ?? 1
  const where = 'WHERE e.collection = ? AND e.modality = ? AND e.label > ? ORDER BY e.label LIMIT ?'
  const vectors = db
    .prepare<unknown[], [label: number, vector: Buffer]>(
      `SELECT e.label, e.vector FROM embedding e ${PRESENT} ${where}`
    )
    .raw()
  const ids = db
    .prepare<unknown[], [label: number, id: string]>(
      `SELECT e.label, r.id FROM embedding e ${PRESENT} ${where}`
    )
    .raw()
  const rowsAtOnce = Math.max(1, Math.floor(PART_BYTES / (dimension * Float32Array.BYTES_PER_ELEMENT)))
  return {
    state: { rows: state.rows, version: `${collection}-${modality}-${state.rows}-${state.highest ?? 0}` },
    vectors: (after) => {
      const found = vectors.all(began, collection, modality, after, rowsAtOnce)
      return {
        part: new Uint8Array(Buffer.concat(found.map(([, vector]) => vector))),
        after: found.at(-1)?.[0]
      }
    },
    ids: (after) => {
      const found = ids.all(began, collection, modality, after, IDS)
      return { part: found.map(([, id]) => id), after: found.at(-1)?.[0] }
    }
  }
}
