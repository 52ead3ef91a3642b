import type { Dispatcher } from 'undici'
import { ImageTooLarge, ImageUrlFailed } from '../errors.js'

/** Bytes that the images of one request may still take together. */
export interface ByteBudget {
  left: number
  readonly total: number
}

export interface ReceiveLimits {
  maxBytes: number
  budget: ByteBudget
}

/**
 * Pieces of a body that may be as small as they like, and the mean size that more of them must have, in
 * bytes.
 */
const SMALL_PIECES = 1000
const LEAST_MEAN_BYTES = 64

const FIRST_BYTES = 64 << 10

/**
 * The body of an answer, as it was sent. Throws IMAGE_TOO_LARGE over `maxBytes` or the budget, at the first
 * byte over it, and IMAGE_URL_FAILED for what is encoded (a small body may unpack to any size), shorter than
 * its length says, or comes in specks that cost more to take in than they bring.
 */
export async function receive(
  { headers, body }: Dispatcher.ResponseData,
  { maxBytes, budget }: ReceiveLimits
): Promise<Uint8Array> {
  const encoding = [headers['content-encoding'] ?? 'identity'].flat().join().trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== '')
    throw new ImageUrlFailed('the response is compressed, which was not requested')
  const declared = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  if (declared !== undefined && declared > maxBytes)
    throw new ImageTooLarge(`it has ${declared} bytes; at most ${maxBytes} are allowed`)
  // Into one growing piece of memory: the objects of small pieces would take many times their bytes.
  let bytes = Buffer.allocUnsafeSlow(Math.min(declared ?? FIRST_BYTES, maxBytes))
  let [length, pieces] = [0, 0]
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      const end = length + piece.length
      if (end > maxBytes) throw new ImageTooLarge(`it has more than ${maxBytes} bytes`)
      if (piece.length > budget.left)
        throw new ImageTooLarge(
          `the images that one request names by URL have more than ${budget.total} bytes together`
        )
      budget.left -= piece.length
      if (end > bytes.length) bytes = grown(bytes, Math.min(maxBytes, Math.max(end, 2 * bytes.length)))
      bytes.set(piece, length)
      length = end
      if (++pieces > SMALL_PIECES && length < pieces * LEAST_MEAN_BYTES)
        throw new ImageUrlFailed('the response arrives in too many small pieces')
    }
    if (declared !== undefined && length !== declared) throw new ImageUrlFailed('the response ended early')
    return length === bytes.length ? bytes : Buffer.from(bytes.subarray(0, length))
  } catch (error) {
    budget.left += length
    throw error
  }
}

function grown(bytes: Buffer, size: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(bytes)
  return larger
}
