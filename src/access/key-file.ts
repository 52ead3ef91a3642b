import { open } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { Type, type Static } from 'typebox'
import { decodeText } from '../files/utf8.js'
import { SCOPES, type ApiKey } from './api-key.js'

const FileKey = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    scope: Type.Enum([...SCOPES]),
    collections: Type.Optional(
      Type.Array(Type.String({ pattern: '^([a-z0-9][a-z0-9_-]{0,63}\\*?|\\*)$' }), {
        minItems: 1,
        maxItems: 1000
      })
    ),
    rate_limit_per_minute: Type.Optional(Type.Integer({ minimum: 0, maximum: 1e9 })),
    created_at: Type.Optional(Type.String()),
    expires_at: Type.Optional(Type.String({ description: 'A date or a time, as ISO 8601.' }))
  },
  { additionalProperties: false }
)
const fileSchema = Type.Object(
  { keys: Type.Array(FileKey, { maxItems: 10_000 }) },
  { additionalProperties: false }
)

/** What a file of API keys holds: digests, never keys. */
export type KeyFile = Static<typeof fileSchema>
/** One key as the file has it. */
export type FileKey = Static<typeof FileKey>

const validate = new Ajv({ allErrors: true, strict: false }).compile(fileSchema)

/**
 * The keys that the text of a file has. Throws one Error that lists every mistake; it quotes none of the
 * values, since a key may have been put where its digest belongs.
 */
export function parseKeyFile(text: string, path: string): KeyFile {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new Error(`${path} is not JSON.`)
  }
  const isSound = validate(content)
  const mistakes = isSound
    ? inconsistencies(content as KeyFile)
    : (validate.errors ?? []).map(
        ({ instancePath, message = '', params }) => `${place(instancePath)} ${message}${choices(params)}`
      )
  if (mistakes.length > 0) throw new Error(`${path}: ${mistakes.join('; ')}.`)
  return content as KeyFile
}

/**
 * Reads a file of API keys. `exposure` says what is wrong with who else may read or write it. Throws an Error
 * that says what is wrong.
 */
export async function readKeyFile(path: string): Promise<{ file: KeyFile; exposure?: string }> {
  // One handle for both: the path may lead to another file a moment later.
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'ENOENT'
        ? `The key file ${path} does not exist; create it with 'semblance keys create'.`
        : `${path} can't be read: ${error.message}`
    )
  })
  try {
    const { mode } = await handle.stat()
    return {
      file: parseKeyFile(textOf(await handle.readFile(), path), path),
      exposure: exposureOf(path, mode)
    }
  } finally {
    await handle.close()
  }
}

function textOf(bytes: Buffer, path: string): string {
  try {
    return decodeText(bytes)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The keys of a file as they are compared with those that callers show. */
export function toApiKeys({ keys }: KeyFile): ApiKey[] {
  return keys.map(
    ({ name, sha256, scope, collections, rate_limit_per_minute: rateLimit, expires_at: expiresAt }) => ({
      name,
      scope,
      digest: Buffer.from(sha256, 'hex'),
      ...(collections && { collections }),
      ...(rateLimit !== undefined && { rateLimit }),
      ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) })
    })
  )
}

/** What a schema can't see: two keys of one name or digest, and times that are none. */
function inconsistencies({ keys }: KeyFile): string[] {
  const repeated = (field: 'name' | 'sha256') =>
    keys.flatMap((key, i) => {
      const first = keys.findIndex((other) => other[field] === key[field])
      return first < i ? [`keys[${i}] has the same ${field} as keys[${first}]`] : []
    })
  const timeless = keys.flatMap(({ expires_at: time }, i) =>
    time !== undefined && !isTime(time) ? [`keys[${i}].expires_at must be an ISO 8601 date or time`] : []
  )
  return [...repeated('name'), ...repeated('sha256'), ...timeless]
}

function isTime(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  )
}

/** `/keys/3/scope` as `keys[3].scope`. */
function place(pointer: string): string {
  return (
    pointer
      .slice(1)
      .replaceAll(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.') || 'the file'
  )
}

function choices({
  allowedValues,
  additionalProperty
}: {
  allowedValues?: string[]
  additionalProperty?: string
}): string {
  if (allowedValues) return `: ${allowedValues.join(', ')}`
  return additionalProperty === undefined ? '' : `: ${additionalProperty}`
}

function exposureOf(path: string, mode: number): string | undefined {
  if (process.platform === 'win32') return undefined
  if (mode & 0o022)
    return (
      `Other users can write to ${path} (mode ${(mode & 0o777).toString(8)}) and add keys of ` +
      'their own: run chmod 600 on it.'
    )
  if (mode & 0o004)
    return (
      `Every user of this machine can read ${path} (mode ${(mode & 0o777).toString(8)}): run ` +
      'chmod 600 on it.'
    )
  return undefined
}
