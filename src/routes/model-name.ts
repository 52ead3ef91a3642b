import type { Encoder } from '../encoder/encoder.js'
import { ModelNotFound } from '../errors.js'

/** Throws MODEL_NOT_FOUND when a request names a model that is not the loaded one; it may name none. */
export function requireModelName({ model }: Encoder, name: string | undefined): void {
  if (name !== undefined && name !== model.name) throw new ModelNotFound(name, model.name)
}
