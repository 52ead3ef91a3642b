import { signal } from '@preact/signals'
import type { Answer } from '../../src/client/client.js'
import { call } from './connection.js'

export type Model = Answer<'/v1/models', 'get'>['models'][number]

/** The models that the service has loaded, its default first; undefined until they are known. */
export const models = signal<Model[] | undefined>()

/** Asks the service for its models again. */
export async function loadModels(): Promise<void> {
  models.value = (await call((client) => client.get('/v1/models'))).models
}
