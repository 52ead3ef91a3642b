const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Bytes as people read them, in powers of a thousand as the hub shows them: `605.2 MB`. */
export function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3))
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`
}
