import { LRUCache } from 'lru-cache'
import { sharedKey } from '../threading/shared-key.js'
import type { Embedding } from './embedding.js'
import type { Encoded } from './queues.js'
import type { EncodeOptions } from './encode-options.js'

export interface EmbeddingCacheOptions {
  /** Of the encoder: a cache outlives no model. */
  fingerprint: string
  /** Memory, in bytes; 0 keeps nothing. */
  maxSize: number
  /** Where look-ups are counted. */
  lookups: { hit: number; miss: number }
}

/** Encodes the inputs at some positions. */
type EncodeMissing = (missing: number[]) => Promise<Encoded>[]

/** Looks inputs up by key, has those missing encoded, and keeps what comes. */
export type EmbeddingCache = (
  keys: string[],
  encode: EncodeMissing,
  options: EncodeOptions
) => Promise<Embedding>[]

/** An LRU of embeddings with their tokens; what a request asked for is told to it, and added to its usage. */
export function createEmbeddingCache({
  fingerprint,
  maxSize,
  lookups
}: EmbeddingCacheOptions): EmbeddingCache {
  const cache =
    maxSize > 0
      ? new LRUCache<string, Encoded>({
          maxSize,
          sizeCalculation: ({ embedding }, key) => embedding.byteLength + 2 * key.length
        })
      : undefined
  return (inputs, encode, { onStep, usage, sharing, digests }) => {
    const keys = inputs.map((input) => sharedKey(`${fingerprint} ${input}`, sharing))
    const hits = keys.map((key) => cache?.get(key))
    const missing = [...keys.keys()].filter((i) => !hits[i])
    if (cache) {
      lookups.miss += missing.length
      lookups.hit += keys.length - missing.length
    }
    const encoded = missing.length > 0 ? encode(missing).values() : [].values()
    const take = ({ embedding, tokens, digest }: Encoded, i: number) => {
      if (usage) usage.tokens += tokens
      if (digests && digest !== undefined) digests[i] = digest
      return embedding
    }
    return hits.map(async (hit, i) => {
      if (hit) return take(hit, i)
      const fresh: Encoded = await encoded.next().value!
      const { took, ...kept } = fresh
      cache?.set(keys[i], kept)
      if (onStep) took?.forEach(onStep)
      return take(fresh, i)
    })
  }
}
