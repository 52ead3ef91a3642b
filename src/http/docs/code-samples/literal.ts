export interface Dialect {
  true: string
  false: string
  null: string
  /** How a key of an object is written. */
  key: (name: string) => string
  /** Around the entries of an object on one line. */
  padding: '' | ' '
  indent: string
  /** Whether the last of several lines has a comma too. */
  trailingComma: boolean
}

export const TYPESCRIPT: Dialect = {
  true: 'true',
  false: 'false',
  null: 'null',
  padding: ' ',
  indent: '  ',
  trailingComma: false,
  key: (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name))
}

/** The file name of a path on either kind of system. */
export const nameOf = (path: string) => path.split(/[\\/]/).at(-1)!

/** A string in single quotes, as both TypeScript and Python read it. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Longest literal that stays on its line, in characters. */
const LINE = 72

/**
 * A JSON value as a literal of a language, over several lines where it is long. `depth` is how far its first
 * line is indented.
 */
export function literal(value: unknown, dialect: Dialect, depth = 0): string {
  const flat = onOneLine(value, dialect)
  if (flat.length <= LINE || typeof value !== 'object' || value === null) return flat
  const inner = dialect.indent.repeat(depth + 1)
  const entries = Array.isArray(value)
    ? value.map((item) => literal(item, dialect, depth + 1))
    : Object.entries(value).map(
        ([name, item]) => `${dialect.key(name)}: ${literal(item, dialect, depth + 1)}`
      )
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const lines = entries.map((entry) => inner + entry).join(',\n') + (dialect.trailingComma ? ',' : '')
  return `${open}\n${lines}\n${dialect.indent.repeat(depth)}${close}`
}

function onOneLine(value: unknown, dialect: Dialect): string {
  if (value === null || value === undefined) return dialect.null
  if (typeof value === 'boolean') return dialect[`${value}`]
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => onOneLine(item, dialect)).join(', ')}]`
  const entries = Object.entries(value).map(
    ([name, item]) => `${dialect.key(name)}: ${onOneLine(item, dialect)}`
  )
  return entries.length === 0 ? '{}' : `{${dialect.padding}${entries.join(', ')}${dialect.padding}}`
}
