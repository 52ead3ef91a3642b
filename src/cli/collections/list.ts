import { bytes } from '../../hub/bytes.js'
import { table } from '../../terminal/table.js'
import { host } from '../host.js'
import { withStop } from '../with-stop.js'
import type { ShowOptions } from './options.js'

/** `semblance collections list`. */
export async function listCollections({ json, ...options }: ShowOptions): Promise<void> {
  await withStop(options, async ({ api }, signal) => {
    const answer = await api.get('/v1/collections', { signal })
    const { collections } = answer
    if (json) host().stdout.write(`${JSON.stringify(answer)}\n`)
    else if (collections.length === 0)
      host().stdout.write("There are no collections. Create one with 'semblance index <folder>'.\n")
    else {
      const rows = collections.map(({ name, records, images, texts, model, bytes: size }) => [
        name,
        String(records),
        String(images),
        String(texts),
        model ?? '-',
        bytes(size)
      ])
      host().stdout.write(table([['NAME', 'RECORDS', 'IMAGES', 'TEXTS', 'MODEL', 'SIZE'], ...rows]))
    }
  })
}
