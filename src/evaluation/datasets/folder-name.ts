import { createHash } from 'node:crypto'

/** Bytes of a name that stays as it is; file systems take 255. */
const MAX_BYTES = 200
/** Characters that stay of a name which is not clean. */
const KEPT = 40
const UNCLEAN = /[^\p{L}\p{M}\p{N}_.-]+/gu

/**
 * The name of the folder of a dataset or a model, another one for each: letters of all scripts stay and a
 * slash is `--`; a name that has anything else gets a part of its SHA-256.
 */
export function folderName(name: string): string {
  const flat = name.replaceAll('/', '--')
  const readable = flat.replaceAll(UNCLEAN, '-')
  if (
    readable === flat &&
    /^[\p{L}\p{N}_]/u.test(name) &&
    !/--|-\/|\/-|\/$/.test(name) &&
    Buffer.byteLength(flat) <= MAX_BYTES
  )
    return flat
  const start = [...readable.replace(/^[.-]+/, '')]
    .slice(0, KEPT)
    .join('')
    .replace(/[.-]+$/, '')
  return `${start || 'unnamed'}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}
