import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** What the hub tells of a file's content: SHA-256 of one in LFS, else the SHA-1 of git's blob. */
export interface Checksum {
  algorithm: 'sha256' | 'git-sha1'
  hex: string
}

export interface Digest {
  size: number
  sha256: string
  gitSha1: string
}

/** The size and both checksums of a file on disk. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<Digest> {
  const { size } = await stat(path)
  const sha256 = createHash('sha256')
  const gitSha1 = createHash('sha1').update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) {
    sha256.update(chunk as Buffer)
    gitSha1.update(chunk as Buffer)
  }
  return { size, sha256: sha256.digest('hex'), gitSha1: gitSha1.digest('hex') }
}

/** The checksum of a digest that compares with this one. */
export function sameKind({ algorithm }: Checksum, digest: Digest): string {
  return algorithm === 'sha256' ? digest.sha256 : digest.gitSha1
}

/** Whether a digest is that of the listed file. */
export function matches(file: { size: number; checksum: Checksum }, digest: Digest): boolean {
  return digest.size === file.size && sameKind(file.checksum, digest) === file.checksum.hex
}
