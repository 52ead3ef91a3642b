import type { Readable } from 'node:stream'
import { BodyTooLarge, ClientGone } from '../errors.js'
import { createYielder } from '../threading/yield-to-event-loop.js'

export interface BodySize {
  /** What its sender announced, if anything. */
  announced?: number
  limit: number
}

/**
 * Reads a body of bounded size. Of one whose length is announced the bytes go where they stay as they come,
 * since to join tens of megabytes at the end would hold the thread. Throws BODY_TOO_LARGE, and CLIENT_GONE
 * where it ends early.
 */
export async function receiveBody(body: Readable, { announced, limit }: BodySize): Promise<Buffer> {
  const requireSize = (bytes: number) => {
    if (bytes > limit) throw new BodyTooLarge(`The body is over the ${limit} bytes that this call takes.`)
  }
  requireSize(announced ?? 0)
  const chunks: Buffer[] = []
  const whole = announced === undefined ? undefined : Buffer.allocUnsafeSlow(announced)
  let length = 0
  try {
    // The answer to who sends too much goes over the same connection.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      requireSize(length + chunk.length)
      if (whole) chunk.copy(whole, length)
      else chunks.push(chunk)
      length += chunk.length
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? new ClientGone() : error
  }
  return whole ?? join(chunks, length)
}

async function join(chunks: Buffer[], length: number): Promise<Buffer> {
  const yieldToEventLoop = createYielder()
  const whole = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const chunk of chunks) {
    at += chunk.copy(whole, at)
    await yieldToEventLoop()
  }
  return whole
}
