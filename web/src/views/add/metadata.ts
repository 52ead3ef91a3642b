/** Reads metadata as it is typed: a JSON object, or lines of `key=value`. Throws what is to be fixed. */
export function parseMetadata(text: string): Record<string, unknown> {
  const trimmed = text.trim()
  return trimmed.startsWith('{')
    ? parseObject(trimmed)
    : Object.fromEntries(
        trimmed
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parseLine)
      )
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new Error(`This is no JSON yet: ${(error as Error).message}.`, { cause: error })
  }
}

function parseLine(line: string): [string, unknown] {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/.exec(line) ?? []
  if (key.trim() === '') throw new Error(`'${line.trim()}' is no key=value.`)
  return [key.trim(), parseValue(value.trim())]
}

/** Numbers, true, false and lists are what they look like; all else is a text. */
function parseValue(value: string): unknown {
  if (!/^(-?\d|true$|false$|\[)/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
