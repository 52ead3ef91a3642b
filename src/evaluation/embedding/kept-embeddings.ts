import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import SQLite from 'better-sqlite3'
import type { Corruption, Embedder, Rows } from './embedder.js'
import { writeNpy } from './npy.js'

interface EmbeddingRow {
  /** Of the key that it is found by. */
  hash: Buffer
  /** Float32. */
  vector: Buffer
  crc: number
}

/** A file of embeddings. Only this file knows the driver. */
interface EmbeddingFile {
  /** Of the model whose embeddings it has. */
  fingerprint: string
  read(hash: Buffer): { vector: Buffer; crc: number } | undefined
  /** In one transaction; what is there is replaced. */
  write(rows: EmbeddingRow[]): void
  /** Removes those that were written first, until the rest takes no more than so many bytes. */
  trim(maxBytes: number): void
  close(): void
}

/** What another process may hold the file for. */
const BUSY_MS = 10_000
/** Files that SQLite keeps beside its own. */
const SUFFIXES = ['', '-wal', '-shm']

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS model (fingerprint TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS embedding (hash BLOB PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)`

/**
 * Opens the file, or begins it for a model; '' is a temporary one. A kill loses nothing that was written; a
 * power cut may.
 */
function openEmbeddingFile(path: string, fingerprint: string): EmbeddingFile {
  const db = new SQLite(path, { timeout: BUSY_MS })
  try {
    // Before there are tables: files that are older keep the room of what is removed for what comes.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    return prepared(db, fingerprint)
  } catch (error) {
    db.close()
    throw error
  }
}

function prepared(db: SQLite.Database, asked: string): EmbeddingFile {
  const begin = db.transaction(() => {
    db.exec(SCHEMA)
    db.prepare('INSERT INTO model SELECT ? WHERE NOT EXISTS (SELECT 1 FROM model)').run(asked)
    return db.prepare<[], string>('SELECT fingerprint FROM model').pluck().get()!
  })
  const fingerprint = begin.immediate()
  const read = db.prepare<[Buffer], { vector: Buffer; crc: number }>(
    'SELECT vector, crc FROM embedding WHERE hash = ?'
  )
  const insert = db.prepare('INSERT OR REPLACE INTO embedding (hash, vector, crc) VALUES (?, ?, ?)')
  const write = db.transaction((rows: EmbeddingRow[]) =>
    rows.forEach(({ hash, vector, crc }) => insert.run(hash, vector, crc))
  )
  return {
    fingerprint,
    read: (hash) => read.get(hash),
    write: (rows) => write.immediate(rows),
    trim: (maxBytes) => trim(db, maxBytes),
    close: () => void db.close()
  }
}

function trim(db: SQLite.Database, maxBytes: number): void {
  const pragma = (name: string) => Number(db.pragma(name, { simple: true }))
  const used = () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  const count = db.prepare<[], number>('SELECT count(*) FROM embedding').pluck()
  // Rows are numbered as they come.
  const remove = db.prepare(
    'DELETE FROM embedding WHERE rowid IN (SELECT rowid FROM embedding ORDER BY rowid LIMIT ?)'
  )
  // All of one model are of one size, but the pages of their hashes empty late, so that it may take more than
  // one turn.
  for (
    let bytes = used(), rows = count.get()!;
    bytes > maxBytes && rows > 0;
    bytes = used(), rows = count.get()!
  )
    remove.run(Math.ceil(rows * (1 - maxBytes / bytes)))
  db.pragma('incremental_vacuum')
}

/** Whether an error says that a file is not what it should be, rather than that it can't be had. */
function isDamage(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(code)
}

/**
 * Renames a file, so that it can be looked at and is in no one's way; returns its new name. Who has it open
 * continues with it.
 */
function setAside(path: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  for (const suffix of SUFFIXES) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  return aside
}

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
 * The embeddings of one model, kept on disk as they come. What can't be trusted is encoded again, never
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
 * again, with a warning; a file that can't be written to is, with a warning, done without. Throws when the
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
      this.#warn(`Some of the embeddings in ${this.#options.path} are damaged and are computed again.`)
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
      this.#warn(
        `The cache ${this.#options.path} can't be reduced to its limit (${(error as Error).message}).`
      )
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
        `Embeddings can't be written to ${this.#options.path} (${(error as Error).message}): the next ` +
          'run encodes them again.'
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
      return this.#begin('it belongs to another model')
    } catch (error) {
      if (isDamage(error) && path !== '') return this.#begin((error as Error).message)
      throw new Error(
        `The embedding cache ${path} can't be used (${(error as Error).message}); use another folder, ` +
          'or no cache.',
        { cause: error }
      )
    }
  }

  /** Puts the file aside, and begins a new one. */
  #begin(why: string): EmbeddingFile {
    const { path, fingerprint } = this.#options
    this.#warn(
      `The embedding cache ${path} can't be used (${why}); it was moved to ${setAside(path)}, and the ` +
        'embeddings are computed again.'
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

/** Rows of what was embedded, by their names. */
type Named = Map<string, { rows: Rows; row: number }>

/** An embedder that remembers what it was asked for. */
interface RecordingEmbedder extends Embedder {
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
