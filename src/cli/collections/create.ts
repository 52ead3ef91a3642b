import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import { withStop } from '../with-stop.js'
import type { CreateOptions } from './options.js'
import { described } from './show.js'

/** `semblance collections create`. */
export async function create(
  collection: string,
  { json, quiet, model, dimension, storage, efSearch, ...options }: CreateOptions
): Promise<void> {
  if ((model === false) !== (dimension !== undefined))
    throw new UsageError('--no-model and --dimension must be used together.')
  // Commander has true where only the negative of an option was declared.
  const space = model === false ? { model: null, dimension } : typeof model === 'string' ? { model } : {}
  await withStop({ ...options, quiet }, async ({ api }, signal) => {
    const body = {
      ...space,
      ...(storage && { storage }),
      ...(efSearch !== undefined && { hnsw: { ef_search: efSearch } })
    }
    const created = await api.put('/v1/collections/{collection}', {
      params: { path: { collection } },
      body,
      signal
    })
    if (json) host().stdout.write(`${JSON.stringify(created)}\n`)
    else if (!quiet) host().stdout.write(described(created))
  })
}
