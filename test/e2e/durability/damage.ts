import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uniform } from '../../fixtures/random.js'

const KINDS = ['truncated', 'flipped', 'deleted', 'from a newer version', 'whole'] as const

/**
 * Damages the newest snapshot of each collection in one of four ways, or lets it be. Returns what was done.
 */
export async function damageSnapshots(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, 'snapshots')
  const done: string[] = []
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    const newest = (await readdir(join(folder, name)))
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .sort((a, b) => b - a)[0]
    if (newest === undefined) continue
    const kind = KINDS[Math.floor(uniform() * KINDS.length)]
    await damage(join(folder, name, String(newest)), kind)
    done.push(kind)
  }
  return done
}

async function damage(snapshot: string, kind: (typeof KINDS)[number]): Promise<void> {
  const [graph, header] = [join(snapshot, 'graph.hnsw'), join(snapshot, 'header.json')]
  if (kind === 'truncated') await truncate(graph, 1000)
  else if (kind === 'deleted') await rm(snapshot, { recursive: true })
  else if (kind === 'from a newer version')
    await writeFile(header, (await readFile(header, 'utf8')).replace('"format":1', '"format":2'))
  else if (kind === 'flipped') {
    const bytes = await readFile(graph)
    bytes[bytes.length >> 1] ^= 0x10
    await writeFile(graph, bytes)
  }
}
