import { Type, type Static, type TSchema } from 'typebox'
import { Check } from 'typebox/value'
import type { Checksum } from './checksum.js'
import { retryPolicy, type Hub } from './hub.js'
import { networkError, UnreachableError } from './network-error.js'
import type { RepoRevision } from './repo-name.js'
import { getFromHub } from './request.js'
import { retrying } from './retry.js'
import { isSafePath } from './safe-path.js'

/** A file of a repository, as the hub lists it. */
export interface RepoFile {
  path: string
  /** Bytes. */
  size: number
  checksum: Checksum
}

const commitSchema = Type.Object({ sha: Type.String({ pattern: '^[0-9a-f]{40}$' }) })
const size = Type.Integer({ minimum: 0 })
const pageSchema = Type.Array(
  Type.Object({
    type: Type.String(),
    path: Type.String(),
    size,
    oid: Type.String(),
    lfs: Type.Optional(Type.Object({ oid: Type.String({ pattern: '^[0-9a-f]{64}$' }), size }))
  })
)

/** Against answers without end, in bytes and in pages of a thousand files. */
const LARGEST_ANSWER = 2 ** 24
const MOST_PAGES = 100

/** The commit of a revision. Throws an Error that says what to do. */
export async function resolveCommit(hub: Hub, asked: RepoRevision): Promise<string> {
  const url = `${hub.endpoint}/api/models/${asked.repo}/revision/${encodeURIComponent(asked.revision)}`
  const { body } = await getJson(hub, { ...asked, url, schema: commitSchema })
  return body.sha
}

/**
 * The files of a repository at a commit, all pages of them. Throws an Error that says what to do, also for a
 * path that leaves the folder it is joined to.
 */
export async function listFiles(hub: Hub, repo: string, commit: string): Promise<RepoFile[]> {
  const url = new URL(`${hub.endpoint}/api/models/${repo}/tree/${commit}?recursive=true`)
  const files: RepoFile[] = []
  for (let page = 0; page < MOST_PAGES; page++) {
    const { body, link } = await getJson(hub, { repo, revision: commit, url: url.href, schema: pageSchema })
    files.push(...body.filter(({ type }) => type === 'file').map(repoFile))
    const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link)?.[1]
    if (next === undefined) return files
    // Only the cursor is taken: mirrors pass on addresses of the hub itself.
    url.search = new URL(next, url).search
  }
  throw new Error(`${repo} has too many files: its listing has more than ${MOST_PAGES} pages.`)
}

function repoFile({ path, size, oid, lfs }: Static<typeof pageSchema>[number]): RepoFile {
  if (!isSafePath(path))
    throw new Error(
      `The hub lists a file ${JSON.stringify(path)}, which is not a relative path inside the folder; ` +
        'nothing is pulled.'
    )
  if (lfs) return { path, size: lfs.size, checksum: { algorithm: 'sha256', hex: lfs.oid } }
  return { path, size, checksum: { algorithm: 'git-sha1', hex: oid } }
}

type JsonRequest<S extends TSchema> = RepoRevision & { url: string; schema: S }

async function getJson<S extends TSchema>(
  hub: Hub,
  { url, schema, ...asked }: JsonRequest<S>
): Promise<{ body: Static<S>; link: string }> {
  const attempt = async () => {
    const answer = await getFromHub(hub, { url, ...asked }).catch((error) => {
      // Whoever is offline wants to know it now, not after half a minute of tries.
      throw error instanceof UnreachableError ? new Error(`${error.message}.`, { cause: error }) : error
    })
    const text = await readBounded(answer.body).catch((error) => {
      throw networkError(error, new URL(url))
    })
    return { body: parse(text), link: String(answer.headers.link ?? '') }
  }
  const { body, link } = await retrying(attempt, retryPolicy(hub, asked.repo))
  if (!Check(schema, body)) throw new Error(`${url} does not answer as a hub does; check HF_ENDPOINT.`)
  return { body: body as Static<S>, link }
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > LARGEST_ANSWER) throw new Error("The hub's listing is too long.")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
