import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Corruption } from './embedder.js'
import { isDamage, openEmbeddingFile, setAside, type EmbeddingFile } from './embedding-file.js'

/** Where embeddings are kept from one evaluation to the next. */
export interface EmbeddingsCache {
  /** Of the files, one a model. */
  folder: string
  /** What a file may take once an evaluation is done; those that were written first go first. */
  maxBytes: number
}

export interface KeptOptions {
  /** Without it embeddings are kept in a temporary file, until `close`. */
  cache?: EmbeddingsCache
  /** Of the model. */
  fingerprint: string
  dimension: number
  /** Told what was wrong with the file, and what is done about it. */
  onWarning: (warning: string) => void
}

/**
 * The embeddings of one model, kept on disk as they come. What can't be trusted is encoded anew, never
 * returned.
 */
export interface KeptEmbeddings {
  get(key: string): Float32Array | undefined
  put(key: string, embedding: Float32Array): void
  /** How many were there when they were looked for, and how many were added. */
  readonly counts: { found: number; added: number }
  /** Writes what is not yet written, and removes what is too much. */
  close(): void
}

/** As `KeptOptions`, with the file; '' is a temporary one. */
type FileOptions = Omit<KeptOptions, 'cache'> & { path: string; maxBytes: number }

/**
 * Rows in a transaction, and the milliseconds that a row waits for it while others come: a kill costs no
 * more.
 */
const BATCH = 256
const LONGEST_MS = 250

/**
 * The key of an image: the SHA-256, in hex, of its bytes, with what was done to them. A constant image is the
 * same whatever it was made of.
 */
export function imageKey(digest: string, corruption?: Corruption): string {
  if (corruption?.kind === 'constant') return 'constant image'
  return corruption ? `image ${digest} ${corruptionName(corruption)}` : `image ${digest}`
}

export function textKey(text: string): string {
  return `text ${text}`
}

/** A corruption as JSON, its members in one order. */
export function corruptionName(corruption: Corruption): string {
  return JSON.stringify(corruption, Object.keys(corruption).sort())
}

/**
 * Opens the kept embeddings of a model. Several processes may share them. A damaged file is renamed and begun
 * anew, with a warning; a file that can't be written to is, with a warning, done without. Throws when the
 * folder can't be made or read.
 */
export function openKeptEmbeddings({ cache, ...options }: KeptOptions): KeptEmbeddings {
  if (!cache) return new Kept({ ...options, path: '', maxBytes: Infinity })
  mkdirSync(cache.folder, { recursive: true })
  return new Kept({
    ...options,
    path: join(cache.folder, `${options.fingerprint}.sqlite`),
    maxBytes: cache.maxBytes
  })
}

class Kept implements KeptEmbeddings {
  readonly counts = { found: 0, added: 0 }
  readonly #options: FileOptions
  #file: EmbeddingFile
  /** Not yet written; by hash. */
  readonly #pending = new Map<string, { hash: Buffer; vector: Buffer; crc: number }>()
  #writtenAt = performance.now()
  #writeAt = BATCH
  readonly #warned = new Set<string>()

  constructor(options: FileOptions) {
    this.#options = options
    this.#file = this.#open()
  }

  get(key: string): Float32Array | undefined {
    const hash = hashOf(key)
    const row = this.#pending.get(hash.toString('base64')) ?? this.#mended(() => this.#file.read(hash))
    if (!row) return undefined
    if (row.vector.length !== 4 * this.#options.dimension || checksum(hash, row.vector) !== row.crc) {
      this.#warn(`Some of the embeddings in ${this.#options.path} are damaged; they are made anew.`)
      return undefined
    }
    this.counts.found++
    // A copy: the driver's buffers are not aligned to floats.
    return new Float32Array(new Uint8Array(row.vector).buffer)
  }

  put(key: string, embedding: Float32Array): void {
    const hash = hashOf(key)
    const vector = Buffer.from(new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength))
    this.#pending.set(hash.toString('base64'), { hash, vector, crc: checksum(hash, vector) })
    this.counts.added++
    if (this.#pending.size >= this.#writeAt || performance.now() - this.#writtenAt > LONGEST_MS) this.#write()
  }

  close(): void {
    this.#write()
    try {
      this.#mended(() => this.#file.trim(this.#options.maxBytes))
    } catch (error) {
      this.#warn(`What is too much in ${this.#options.path} can't be removed (${(error as Error).message}).`)
    }
    this.#file.close()
  }

  #write(): void {
    this.#writtenAt = performance.now()
    try {
      this.#mended(() => this.#file.write([...this.#pending.values()]))
      this.#pending.clear()
      this.#writeAt = BATCH
    } catch (error) {
      // They stay in memory, and are tried again when there are as many more.
      this.#writeAt = this.#pending.size + BATCH
      this.#warn(
        `Embeddings can't be kept in ${this.#options.path} (${(error as Error).message}): what is not ` +
          'written is encoded again by the next run.'
      )
    }
  }

  /** Does something with the file; where it turns out to be damaged, again with a new one. */
  #mended<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!isDamage(error) || this.#options.path === '') throw error
      this.#file.close()
      this.#file = this.#begin((error as Error).message)
      return work()
    }
  }

  #open(): EmbeddingFile {
    const { path, fingerprint } = this.#options
    try {
      const file = openEmbeddingFile(path, fingerprint)
      if (file.fingerprint === fingerprint) return file
      file.close()
      return this.#begin('it is of another model')
    } catch (error) {
      if (isDamage(error) && path !== '') return this.#begin((error as Error).message)
      throw new Error(
        `The embeddings of evaluations can't be kept in ${path} (${(error as Error).message}); name ` +
          'another folder, or keep none.',
        { cause: error }
      )
    }
  }

  /** Puts the file aside, and begins a new one. */
  #begin(why: string): EmbeddingFile {
    const { path, fingerprint } = this.#options
    this.#warn(
      `The kept embeddings ${path} can't be used (${why}); they were put aside as ${setAside(path)}, ` +
        'and are made anew.'
    )
    return openEmbeddingFile(path, fingerprint)
  }

  #warn(warning: string): void {
    if (this.#warned.has(warning)) return
    this.#warned.add(warning)
    this.#options.onWarning(warning)
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Of an embedding and whose it is: a row that got to another key is found out, too. */
function checksum(hash: Buffer, vector: Buffer): number {
  return crc32(vector, crc32(hash))
}
