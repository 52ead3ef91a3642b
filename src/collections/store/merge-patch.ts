import { isObject } from '../../json/is-object.js'

type Json = Record<string, unknown>

/**
 * An object after a JSON merge patch (RFC 7396): null removes a key, objects merge, all else replaces;
 * undefined changes nothing.
 */
export function mergePatch(target: Json | null, patch: Json | null | undefined): Json | null {
  if (patch === undefined) return target
  if (patch === null) return null
  // A Map keeps keys such as __proto__ plain keys.
  const merged = new Map(Object.entries(target ?? {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, isObject(value) ? mergePatch(asObject(merged.get(key)), value) : value)
  }
  return Object.fromEntries(merged)
}

function asObject(value: unknown): Json | null {
  return isObject(value) ? value : null
}
