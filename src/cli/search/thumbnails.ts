import { SemblanceError } from '../../client/semblance-error.js'
import type { Service } from '../service.js'

/** A search result, as far as it is shown. */
export interface Match {
  id: string
  score: number
  text?: string | null
  metadata?: Record<string, unknown> | null
  image_url?: string | null
}

export interface Picture {
  bytes: Uint8Array
  type: string
}

/** The picture of a match, small; undefined where none is kept. */
export async function pictureOf(
  service: Service,
  { image_url: path }: Match,
  signal: AbortSignal
): Promise<Picture | undefined> {
  if (!path) return undefined
  try {
    const answer = await service.send(`${path}?size=thumbnail`, { signal })
    return {
      bytes: new Uint8Array(await answer.arrayBuffer()),
      type: answer.headers.get('content-type') ?? 'application/octet-stream'
    }
  } catch (error) {
    // It may be gone since.
    if (error instanceof SemblanceError && error.status === 404) return undefined
    throw error
  }
}
