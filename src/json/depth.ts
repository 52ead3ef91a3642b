/** Deepest metadata, in levels of lists and objects. */
export const MAX_METADATA_DEPTH = 32

/** Whether a value has at most so many levels of lists and objects; it looks no deeper than that. */
export function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1))
}
