import type { Match, StoredRecord } from './record.js'

/** A record, or a match, whose metadata is the bytes of its JSON. */
export type PackedRecord = StoredRecord<Uint8Array<ArrayBuffer>>
export type PackedMatch = Match<Uint8Array<ArrayBuffer>>

/**
 * The large parts of records in one piece of memory, which can be handed to another thread without a copy.
 */
class Pack {
  readonly memory: ArrayBuffer
  #at = 0

  constructor(bytes: number) {
    this.memory = new ArrayBuffer(bytes)
  }

  addVector(vector: Float32Array): Float32Array<ArrayBuffer> {
    const copy = new Float32Array(this.memory, this.#at, vector.length)
    copy.set(vector)
    this.#at += copy.byteLength
    return copy
  }

  addText(text: string): Uint8Array<ArrayBuffer> {
    const start = this.#at
    this.#at += Buffer.from(this.memory).write(text, start)
    return new Uint8Array(this.memory, start, this.#at - start)
  }
}

/** Matches with their embeddings and metadata in one piece of memory, and that memory. */
export function packMatches(matches: Match<string>[]): { matches: PackedMatch[]; memory: ArrayBuffer } {
  const vectors = matches.flatMap(({ embeddings = {} }) => Object.values(embeddings))
  const pack = new Pack(
    sum(vectors.map(({ byteLength }) => byteLength)) +
      sum(matches.map(({ record }) => Buffer.byteLength(record.metadata ?? '')))
  )
  // Vectors first: they begin at multiples of four bytes.
  const embeddings = matches.map(
    (match) =>
      match.embeddings &&
      Object.fromEntries(
        Object.entries(match.embeddings).map(([modality, vector]) => [modality, pack.addVector(vector)])
      )
  )
  return {
    matches: matches.map((match, i) => ({
      ...match,
      record: packRecord(match.record, pack),
      embeddings: embeddings[i]
    })),
    memory: pack.memory
  }
}

/** Records with their metadata in one piece of memory, and that memory. */
export function packRecords(records: StoredRecord<string>[]): {
  records: PackedRecord[]
  memory: ArrayBuffer
} {
  const pack = new Pack(sum(records.map(({ metadata }) => Buffer.byteLength(metadata ?? ''))))
  return { records: records.map((record) => packRecord(record, pack)), memory: pack.memory }
}

function packRecord(record: StoredRecord<string>, pack: Pack): PackedRecord {
  return { ...record, metadata: record.metadata === null ? null : pack.addText(record.metadata) }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
