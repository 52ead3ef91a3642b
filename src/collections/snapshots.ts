import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { freeBytesSync } from '../fs/disk-space.js'
import { syncPathSync } from '../fs/durable-write.js'
import { fileDigest } from './file-digest.js'
import { FileTorn, HnswGraph } from './hnsw-graph.js'
import { MODALITIES, type HnswSettings, type Modality } from './record.js'

/** Which graph a snapshot is of. */
export interface GraphIdentity {
  collection: number
  modality: Modality
  dimension: number
  hnsw: HnswSettings
}

/** Stands beside a graph's file and says whether it is the one, and whole. */
interface Header {
  format: number
  dimension: number
  m: number
  efConstruction: number
  highestLabel: number
  bytes: number
  sha256: string
}

/** Changes when a snapshot of before could be misread. */
const FORMAT = 1
/** Snapshots of a graph that are kept: the last one, and one in case it is damaged. */
const KEPT = 2

/**
 * Where the snapshots lie: `DATA_DIR/snapshots/<collection>-<modality>/<number>/{graph.hnsw,header.json}`.
 */
function snapshotFolder(
  dataDir: string,
  { collection, modality }: Pick<GraphIdentity, 'collection' | 'modality'>
): string {
  return join(dataDir, 'snapshots', `${collection}-${modality}`)
}

/** The numbers of the snapshots in a folder, newest first. */
function numbers(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * Writes a snapshot aside, syncs it, gives it its name, and removes all but the last two. Nothing may be
 * added to the graph meanwhile. Returns the bytes of its file. Throws when the disk does not take it; the
 * snapshots before stay.
 */
export async function writeSnapshot(
  dataDir: string,
  identity: GraphIdentity,
  graph: HnswGraph
): Promise<number> {
  const folder = snapshotFolder(dataDir, identity)
  const aside = join(folder, 'partial')
  let bytes: number
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { recursive: true })
  try {
    const file = join(aside, 'graph.hnsw')
    await graph.save(file)
    const { dimension, hnsw } = identity
    const highestLabel = graph.labels().reduce((highest, label) => Math.max(highest, label), 0)
    bytes = statSync(file).size
    const header: Header = {
      format: FORMAT,
      dimension,
      m: hnsw.m,
      efConstruction: hnsw.efConstruction,
      highestLabel,
      bytes,
      sha256: await fileDigest(file)
    }
    writeFileSync(join(aside, 'header.json'), JSON.stringify(header))
    for (const name of ['graph.hnsw', 'header.json', '']) syncPathSync(join(aside, name))
    renameSync(aside, join(folder, String((numbers(folder)[0] ?? 0) + 1)))
    syncPathSync(folder)
  } catch (error) {
    if (error instanceof FileTorn) Object.assign(error, { code: isFull(aside) ? 'ENOSPC' : 'EIO' })
    rmSync(aside, { recursive: true, force: true })
    throw error
  }
  for (const old of numbers(folder).slice(KEPT))
    rmSync(join(folder, String(old)), { recursive: true, force: true })
  return bytes
}

/** Free space under which a disk has refused a write for want of it. */
const LEAST_FREE_BYTES = 2 ** 20

function isFull(folder: string): boolean {
  return freeBytesSync(folder) < LEAST_FREE_BYTES
}

/** A snapshot that is kept of a graph. */
export interface KeptSnapshot {
  modality: Modality
  /** Milliseconds since 1970. */
  createdAt: number
  bytes: number
}

/** The newest snapshot of each graph of a collection. */
export async function keptSnapshots(dataDir: string, collection: number): Promise<KeptSnapshot[]> {
  const kept = await Promise.all(MODALITIES.map((modality) => newestOf(dataDir, { collection, modality })))
  return kept.flat()
}

async function newestOf(
  dataDir: string,
  which: Pick<GraphIdentity, 'collection' | 'modality'>
): Promise<KeptSnapshot[]> {
  const folder = snapshotFolder(dataDir, which)
  const [newest] = numbers(folder)
  if (newest === undefined) return []
  const file = join(folder, String(newest), 'header.json')
  try {
    const { bytes }: Header = JSON.parse(await readFile(file, 'utf8'))
    return [{ modality: which.modality, createdAt: (await stat(file)).mtimeMs, bytes }]
  } catch {
    // It was removed meanwhile, or is damaged and will be.
    return []
  }
}

/**
 * Reads the newest snapshot that is whole and fits; undefined where there is none. One that is damaged, of
 * another format or of other settings is reported and removed: the store has all that it held.
 */
export async function readSnapshot(
  dataDir: string,
  identity: GraphIdentity & { highestLabel?: number },
  report: (reason: string) => void
): Promise<HnswGraph | undefined> {
  const folder = snapshotFolder(dataDir, identity)
  for (const number of numbers(folder)) {
    const path = join(folder, String(number))
    try {
      return HnswGraph.load(await checkedFile(path, identity), identity.dimension)
    } catch (error) {
      report(`snapshot ${path} is ignored: ${(error as Error).message}`)
      rmSync(path, { recursive: true, force: true })
    }
  }
  return undefined
}

/**
 * Why the newest snapshot would not be used, undefined if it would be or there is none. Nothing is changed.
 */
export async function snapshotProblem(
  dataDir: string,
  identity: GraphIdentity & { highestLabel?: number }
): Promise<string | undefined> {
  const folder = snapshotFolder(dataDir, identity)
  const [newest] = numbers(folder)
  if (newest === undefined) return undefined
  const path = join(folder, String(newest))
  return checkedFile(path, identity).then(
    () => undefined,
    (error: Error) => `${path}: ${error.message}`
  )
}

/** The file of a snapshot that is whole and fits. Throws with what is wrong. */
async function checkedFile(
  path: string,
  identity: GraphIdentity & { highestLabel?: number }
): Promise<string> {
  const file = join(path, 'graph.hnsw')
  await requireFit(JSON.parse(readFileSync(join(path, 'header.json'), 'utf8')), identity, file)
  return file
}

/** Removes the snapshots of collections that are gone. */
export function sweepSnapshots(dataDir: string, isLive: (collection: number) => boolean): void {
  const folder = join(dataDir, 'snapshots')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder))
    if (!isLive(Number.parseInt(name, 10))) rmSync(join(folder, name), { recursive: true, force: true })
}

async function requireFit(
  header: Header,
  { dimension, hnsw, highestLabel = Infinity }: GraphIdentity & { highestLabel?: number },
  file: string
): Promise<void> {
  if (header.format !== FORMAT) throw new Error(`it has format ${header.format}, not ${FORMAT}`)
  if (header.dimension !== dimension || header.m !== hnsw.m || header.efConstruction !== hnsw.efConstruction)
    throw new Error('it was made with other settings')
  // A store that was put back to an older state gives labels anew, with other vectors.
  if (header.highestLabel > highestLabel) throw new Error('it is newer than the store')
  const { size } = statSync(file)
  if (size !== header.bytes) throw new Error(`it has ${size} bytes, not ${header.bytes}`)
  if ((await fileDigest(file)) !== header.sha256) throw new Error('its checksum differs')
}
