import type { FastifyRequest } from 'fastify'
import { InvalidRequest } from '../../errors.js'

/** Fields that OpenAI's clients send as null where they are not set. */
const OPTIONAL = ['model', 'encoding_format', 'dimensions', 'user']

const TOKENS =
  "The field 'input' holds token ids, which are of the tokenizer of another model; send texts. " +
  'LangChain sends texts with OpenAIEmbeddings(check_embedding_ctx_length=False) in Python.'

/**
 * A `preValidation` hook of calls that OpenAI's clients make: null is absent, and token ids are told from
 * texts. Throws INVALID_REQUEST.
 */
export async function openaiBody(request: FastifyRequest): Promise<void> {
  const { body } = request
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return
  const fields = body as Record<string, unknown>
  for (const name of OPTIONAL) if (fields[name] === null) delete fields[name]
  if (Array.isArray(fields.input) && isTokens(fields.input)) throw new InvalidRequest(TOKENS)
}

/** A list of token ids, or a list of such lists. */
function isTokens([first]: unknown[]): boolean {
  return typeof first === 'number' || (Array.isArray(first) && typeof first[0] === 'number')
}
