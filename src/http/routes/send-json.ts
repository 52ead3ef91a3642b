import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { jsonParts, PART_CHARACTERS } from '../../json/json-parts.js'

/**
 * Answers with JSON that may be large: in parts then, each in a turn of the event loop of its own, and as
 * fast as it is read.
 */
export async function sendJson(reply: FastifyReply, value: object): Promise<FastifyReply> {
  reply.type('application/json; charset=utf-8')
  const parts = jsonParts(value as Parameters<typeof jsonParts>[0])
  const first: string = (await parts.next()).value
  if (first.length < PART_CHARACTERS) return reply.send(first)
  const all = async function* () {
    yield first
    yield* parts
  }
  return reply.send(Readable.from(all(), { objectMode: false }))
}
