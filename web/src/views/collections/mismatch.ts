import type { Collection } from '../../collections.js'
import type { Model } from '../../models.js'

/**
 * Why a collection can't be searched by words and pictures with the loaded models; undefined where it can.
 */
export function mismatchOf({ model, fingerprint }: Collection, models: Model[]): string | undefined {
  if (fingerprint === null || models.length === 0 || models.some((each) => each.fingerprint === fingerprint))
    return
  const names = models.map(({ name }) => name).join(', ')
  return models.some(({ name }) => name === model)
    ? `The model '${model}' that is loaded is not the one that this collection was made with.`
    : `The model '${model}' that this collection was made with is not loaded (loaded: ${names}).`
}
