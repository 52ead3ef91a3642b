import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BackupNotFound } from '../../errors.js'
import { PARTIAL, syncPathSync, writeAllDurablySync } from '../../fs/durable-write.js'
import { collectionCreatedAt } from './backup-file.js'
import type { BackupCounts } from './write-backup.js'

/** A backup that lies in the data folder. */
export interface Backup extends BackupCounts {
  name: string
  format: number
  collection: string
  /** When the collection was created, which tells it from others of its name. */
  collectionCreatedAt: number
  model: string | null
  fingerprint: string | null
  dimension: number
  /** The version of the service that made it. */
  service: string
  bytes: number
  sha256: string
  /** Milliseconds since 1970: the moment that the backup shows. */
  createdAt: number
}

/** Names that backups may have: they are names of files. */
export const BACKUP_NAME = '^[a-z0-9][a-z0-9_-]{0,63}$'

/** Characters of the longest of them. */
export const MAX_NAME = 64

/**
 * `DATA_DIR/backups/<collection>/<name>.{sqlite,json}`: the file, and beside it what it is, with its
 * checksum.
 */
function backupFolder(dataDir: string, collection: string): string {
  return join(dataDir, 'backups', collection)
}

/** Where uploads lie until they are restored; no collection has this name. */
const uploadFolder = (dataDir: string) => join(dataDir, 'backups', '.uploads')

const filesOf = (folder: string, name: string) => ({
  file: join(folder, `${name}.sqlite`),
  about: join(folder, `${name}.json`)
})

/** The place of a file that is being made, in a folder that is there now. */
export function partialFile(dataDir: string, collection: string, name: string): string {
  const folder = backupFolder(dataDir, collection)
  mkdirSync(folder, { recursive: true })
  return `${filesOf(folder, name).file}${PARTIAL}`
}

/** The place of an upload, in a folder that is there now. */
export function uploadFile(dataDir: string, name: string): string {
  mkdirSync(uploadFolder(dataDir), { recursive: true })
  return join(uploadFolder(dataDir), `${name}.sqlite`)
}

/** Whether a backup of that name is there. */
export function backupExists(dataDir: string, collection: string, name: string): boolean {
  return existsSync(filesOf(backupFolder(dataDir, collection), name).file)
}

/** Puts a finished file in its place, durably. It comes last: a backup is there when its file is. */
export function settleBackup(dataDir: string, backup: Backup, partial: string): void {
  const folder = backupFolder(dataDir, backup.collection)
  const { file, about } = filesOf(folder, backup.name)
  syncPathSync(partial)
  writeAllDurablySync(folder, new Map([[basename(about), JSON.stringify(backup)]]))
  renameSync(partial, file)
  for (const path of [folder, join(dataDir, 'backups'), dataDir]) syncPathSync(path)
}

/** Whether backups of a collection were ever made here. */
export function hasBackups(dataDir: string, collection: string): boolean {
  return existsSync(backupFolder(dataDir, collection))
}

/** The backups of a collection, the latest first. */
export function listBackups(dataDir: string, collection: string): Backup[] {
  const folder = backupFolder(dataDir, collection)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => name.slice(0, -'.sqlite'.length))
  return names
    .map((name) => readAbout(filesOf(folder, name).about))
    .filter((backup) => backup !== undefined)
    .sort((a, b) => b.createdAt - a.createdAt)
}

/** A backup, with the path of its file. Throws BACKUP_NOT_FOUND. */
export function findBackup(dataDir: string, collection: string, name: string): Backup & { path: string } {
  const { file, about } = filesOf(backupFolder(dataDir, collection), name)
  const backup = existsSync(file) ? readAbout(about) : undefined
  if (!backup) throw new BackupNotFound(collection, name)
  return { ...backup, path: file }
}

function readAbout(path: string): Backup | undefined {
  try {
    const backup = JSON.parse(readFileSync(path, 'utf8')) as Backup
    // Of before this was noted beside the file.
    return {
      ...backup,
      collectionCreatedAt: backup.collectionCreatedAt ?? collectionCreatedAt(path.replace(/json$/, 'sqlite'))
    }
  } catch {
    return undefined
  }
}

/** Gives a backup another name, durably. The file comes last, as when it was made. */
export function renameBackup(dataDir: string, backup: Backup, name: string): void {
  const folder = backupFolder(dataDir, backup.collection)
  const [before, after] = [filesOf(folder, backup.name), filesOf(folder, name)]
  writeFileSync(after.about, JSON.stringify({ ...backup, name }), { flush: true })
  renameSync(before.file, after.file)
  rmSync(before.about, { force: true })
  syncPathSync(folder)
}

/** Removes a backup. Throws BACKUP_NOT_FOUND. */
export function removeBackup(dataDir: string, collection: string, name: string): void {
  findBackup(dataDir, collection, name)
  const folder = backupFolder(dataDir, collection)
  const { file, about } = filesOf(folder, name)
  rmSync(file, { force: true })
  rmSync(about, { force: true })
  syncPathSync(folder)
}

/** Removes what a crash left behind: uploads, and backups that were not finished. */
export function sweepBackups(dataDir: string): void {
  rmSync(uploadFolder(dataDir), { recursive: true, force: true })
  const root = join(dataDir, 'backups')
  if (!existsSync(root)) return
  for (const collection of readdirSync(root, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory()
  )) {
    const folder = join(root, collection.name)
    for (const name of readdirSync(folder).filter((file) => file.endsWith(PARTIAL)))
      rmSync(join(folder, name), { force: true })
  }
}
