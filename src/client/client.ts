import createFetchClient, {
  type FetchResponse,
  type MaybeOptionalInit,
  type ParamsOption
} from 'openapi-fetch'
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from 'openapi-typescript-helpers'
import type { paths } from './api.js'
import type { BulkAnswer } from './bulk-answers.js'
import { baseUrl } from './base-url.js'
import { bulk, type BulkOptions, type Records } from './bulk.js'
import { followJob } from './job-events.js'
import { retrying } from './retry.js'
import { errorOf } from './semblance-error.js'
import type { Job, StoredRecord, WriteResult } from './shapes.js'
import { formOf, type Upload } from './upload-form.js'

export { embeddingOf, imageOf } from './bytes.js'
export type { BulkAnswer } from './bulk-answers.js'
export type { BulkOptions, RecordToWrite } from './bulk.js'
export { SemblanceError } from './semblance-error.js'
export type {
  Collection,
  components,
  Job,
  Match,
  paths,
  SearchRequest,
  StoredRecord,
  WriteResult
} from './shapes.js'
export type { Upload } from './upload-form.js'

export interface ClientOptions {
  /**
   * Where the service is: `http://localhost:8080`. A slash or `/v1` at its end is ignored, a path before that
   * is kept.
   */
  url: string
  apiKey?: string
  /** In place of the global fetch. */
  fetch?: typeof globalThis.fetch
  /** How often a call that is answered by 429 or 503 is sent again; 3 by default. */
  retries?: number
  /** How often of these a call whose connection was lost, or could not be made; as often by default. */
  reconnects?: number
}

/** The body of a call's answer. */
export type Answer<Path extends keyof paths, Method extends keyof paths[Path], Init = unknown> = NonNullable<
  FetchResponse<paths[Path][Method] & Record<string | number, unknown>, Init, MediaType>['data']
>

/** A call of one method: its path and what goes with it, by which its answer is typed. */
type Call<Method extends HttpMethod> = <
  Path extends PathsWithMethod<paths, Method>,
  Init extends MaybeOptionalInit<paths[Path], Method>
>(
  path: Path,
  ...init: RequiredKeysOf<Init> extends never ? [Init?] : [Init]
) => Promise<Answer<Path, Method & keyof paths[Path], Init>>

/**
 * A call whose body is a form, such as one with the file of an image, or bytes, whose type has to stand in
 * the headers.
 */
type FileCall = <Path extends PathsWithMethod<paths, 'post'>>(
  path: Path,
  init: ParamsOption<paths[Path]['post']> & {
    body: FormData | Blob | Uint8Array | ReadableStream<Uint8Array>
    signal?: AbortSignal
    headers?: Record<string, string>
  }
) => Promise<Answer<Path, 'post'>>

/**
 * The API of a service, as openapi.yaml describes it. A call gives the body of its answer, or throws a
 * SemblanceError.
 */
export interface Client {
  get: Call<'get'>
  post: Call<'post'> & FileCall
  put: Call<'put'>
  patch: Call<'patch'>
  delete: Call<'delete'>
  /**
   * Adds or replaces a record by the file of its image. With an id it is sent again after a lost connection.
   */
  upload(collection: string, upload: Upload, options?: { signal?: AbortSignal }): Promise<WriteResult>
  /**
   * Loads any number of records, or of lines of JSON (strings or UTF-8 bytes), and yields what became of each
   * in their order: read while you write, since what is not read holds back what is taken. Under an
   * `idempotencyKey` it continues by itself after a lost connection. Throws the SemblanceError that ends a
   * load as a whole, and what the records throw.
   */
  bulk(
    collection: string,
    records: Records,
    options?: BulkOptions
  ): AsyncGenerator<BulkAnswer, void, undefined>
  /**
   * The states of a job from now until it has ended, the last one included. A stream that breaks off before
   * is asked for again, up to `retries` times in a row (those of the client by default) without a state; then
   * it throws what broke it off.
   */
  events(
    jobId: string,
    options?: { signal?: AbortSignal; retries?: number }
  ): AsyncGenerator<Job, void, undefined>
  /** All records of a collection, or those that pass a filter, by pages of `limit` (100 by default). */
  records(
    collection: string,
    options?: { filter?: Record<string, unknown>; limit?: number; signal?: AbortSignal }
  ): AsyncGenerator<StoredRecord, void, undefined>
}

/**
 * A client of the service at an address. Calls that are answered by 429 or 503 are sent again when the
 * service says; see retry.ts.
 */
export function createClient({
  url: address,
  apiKey,
  fetch = globalThis.fetch,
  retries = 3,
  reconnects
}: ClientOptions): Client {
  const url = baseUrl(address)
  const once = (request: Request) => fetch(request)
  const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {}
  const api = createFetchClient<paths>({
    baseUrl: url,
    fetch: retrying(once, { retries, reconnects }),
    headers,
    bodySerializer: serialize
  })
  api.use({
    onResponse: async ({ response }) => {
      if (!response.ok) throw await errorOf(response)
    }
  })
  const call = <Method extends HttpMethod>(method: Method) =>
    (async (path: never, init: { body?: unknown } | undefined) => {
      // What was read of a stream is gone: it is sent once.
      const sent = init?.body instanceof ReadableStream ? { ...init, duplex: 'half', fetch: once } : init
      return (await api.request(method, path, sent as never)).data
    }) as unknown as Call<Method>
  const [get, post] = [call('get'), call('post') as Client['post']]
  return {
    get,
    post,
    put: call('put'),
    patch: call('patch'),
    delete: call('delete'),
    upload: async (collection, upload, { signal } = {}) => {
      const init = {
        params: { path: { collection } },
        body: formOf(upload),
        signal,
        ...(upload.id !== undefined && {
          fetch: retrying(once, { retries, reconnects, isRepeatable: () => true })
        })
      }
      return (await post('/v1/collections/{collection}/records', init)).results[0]
    },
    bulk: (collection, records, options = {}) => {
      const send = retrying(once, {
        retries,
        reconnects,
        isRepeatable: () => options.idempotencyKey !== undefined
      })
      return bulk(records, {
        ...options,
        send,
        once,
        url: `${url}/v1/collections/${encodeURIComponent(collection)}`,
        headers,
        retries: options.retries ?? retries
      })
    },
    events: (id, { signal, retries: tries = retries } = {}) => {
      const open = async () =>
        (await get('/v1/jobs/{id}/events', {
          params: { path: { id } },
          parseAs: 'stream',
          signal,
          fetch: once
        })) as ReadableStream<Uint8Array>
      return followJob(open, { retries: tries, signal })
    },
    records: (collection, options) => allRecords(get, collection, options)
  }
}

async function* allRecords(
  get: Client['get'],
  collection: string,
  {
    filter,
    limit = 100,
    signal
  }: { filter?: Record<string, unknown>; limit?: number; signal?: AbortSignal } = {}
): AsyncGenerator<StoredRecord, void, undefined> {
  let cursor: string | undefined
  do {
    const query = { limit, cursor, ...(filter && { filter: JSON.stringify(filter) }) }
    const page: { records: StoredRecord[]; next_cursor: string | null } = await get(
      '/v1/collections/{collection}/records',
      { params: { path: { collection }, query }, signal }
    )
    yield* page.records
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}

/**
 * A form says its own boundary, bytes and text under a type of their own go as they are; all else as JSON.
 */
function serialize(body: unknown, headers?: Headers): unknown {
  const isBytes =
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ReadableStream ||
    body instanceof Uint8Array
  const type = headers?.get?.('content-type')
  return isBytes || (typeof body === 'string' && type && !type.includes('json')) ? body : JSON.stringify(body)
}
