const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** A count of bytes, to three digits: `13.5 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** power
  return `${value.toLocaleString('en', { maximumSignificantDigits: power === 0 ? 4 : 3 })} ${UNITS[power]}`
}

/** A count: `1,852`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en')
}

/** A count of things: `1 file`, `2 files`. */
export function formatNumber(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A moment as the reader's own calendar and clock have it. */
export function formatDate(iso: string): string {
  return DATE.format(new Date(iso))
}
