import picomatch from 'picomatch'

/**
 * Thumbnails, trash and snapshots of NAS systems and of operating systems. Names that begin with a dot are
 * left out in any case.
 */
export const DEFAULT_EXCLUDES = [
  '@eaDir',
  '#recycle',
  '#snapshot',
  '@Recycle',
  '@Recently-Snapshot',
  '$RECYCLE.BIN',
  'System Volume Information',
  'lost+found',
  'Thumbs.db',
  'desktop.ini'
]

/**
 * Whether a path below the folder is left out. A pattern without a slash is compared with the name of a file
 * or folder wherever it is, one with a slash with the path. The defaults are names, not patterns.
 */
export function excluder(patterns: string[], withDefaults: boolean): (below: string) => boolean {
  const names = new Set(withDefaults ? DEFAULT_EXCLUDES : [])
  const matches = patterns.map((pattern) =>
    picomatch(pattern.replace(/\/+$/, ''), {
      dot: true,
      basename: !pattern.replace(/\/+$/, '').includes('/')
    })
  )
  return (below) =>
    names.has(below.slice(below.lastIndexOf('/') + 1)) || matches.some((matches) => matches(below))
}
