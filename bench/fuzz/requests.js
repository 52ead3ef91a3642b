// Requests to every operation of openapi.yaml, valid, nearly valid and hostile.
import fc from 'fast-check'
import { bodiesOf } from './bodies.js'
import { OPERATIONS } from './contract.js'
import { KEYS } from './keys.js'
import { pictureRequests } from './picture-requests.js'
import { BY_NAME, COLLECTIONS, oddString } from './shapes.js'
import { nearlyValid, valuesOf } from './schema-values.js'
import { jsonOf, picturesIn } from './tokens.js'

const RANKS = ['open', 'read', 'write', 'admin']

/** What empties or replaces whole collections; it is kept away from those that are looked at afterwards. */
const DESTRUCTIVE = ['dropCollection', 'restoreCollection', 'deleteRecords']
/** What is heavy, or says little, is asked for seldom, and what most callers ask for often. */
const WEIGHTS = {
  search: 12,
  upsertRecords: 12,
  bulkRecords: 8,
  zeroShot: 8,
  createEmbeddings: 6,
  patchRecord: 6,
  searchImageToText: 5,
  listRecords: 5,
  searchByText: 5,
  trainClassifier: 4,
  startEvaluation: 2,
  makeBackup: 2,
  reindexCollection: 2,
  snapshotCollection: 1,
  getMetrics: 1,
  getLive: 1,
  getReady: 1,
  exportRecords: 1,
  exportEmbeddings: 1
}

function collectionsFor({ id, scope }) {
  if (DESTRUCTIVE.includes(id)) return fc.constantFrom(...COLLECTIONS.scratch, 'nowhere')
  return scope === 'read'
    ? BY_NAME.collection
    : BY_NAME.collection.filter((name) => name !== COLLECTIONS.known)
}

/** What is usual, and now and then what is not. */
const seldom = (usual, odd) => fc.oneof({ weight: 25, arbitrary: usual }, { weight: 1, arbitrary: odd })

function parameterOf(operation, { name, required, schema }) {
  if (name === 'collection') return collectionsFor(operation)
  if (operation.path.includes('/jobs/') && name === 'id')
    return seldom(
      fc.nat(9).map((n) => `#job:${n}`),
      oddString
    )
  if (operation.path.includes('/evaluations/') && name === 'id')
    return seldom(
      fc.nat(9).map((n) => `#evaluation:${n}`),
      oddString
    )
  if (name === 'X-Request-Timeout')
    return seldom(fc.constant(undefined), fc.constantFrom(30, 0.001, 0, 'x', 1e9))
  const values = seldom(valuesOf(schema, name), oddString)
  return required
    ? values
    : fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values })
}

/** Headers that clients, proxies and attackers add. */
const oddHeaders = fc.oneof(
  { weight: 10, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        ['x-request-id', 'a'.repeat(4000)],
        ['x-request-id', '{"a":1} <b>'],
        ['x-request-id', 'ok-1'],
        ['expect', '200-ok'],
        ['expect', '100-continue'],
        ['origin', 'https://evil.example'],
        ['origin', 'null'],
        ['host', 'evil.example'],
        ['host', ''],
        ['host', 'localhost:1:2'],
        ['accept', 'text/html'],
        ['accept', '\u00ff'],
        ['range', 'bytes=0-0'],
        ['range', 'bytes=9-1,5'],
        ['if-match', '"x"'],
        ['if-none-match', '*'],
        ['content-encoding', 'br'],
        ['x-forwarded-for', '1.2.3.4'],
        ['accept-encoding', 'gzip, br'],
        ['cookie', 'a=b; '.repeat(200)],
        ['x-request-timeout', '0.001'],
        ['x-http-method-override', 'DELETE'],
        ['traceparent', '00-zz-1-01'],
        ['te', 'trailers']
      )
      .map((header) => [header])
  }
)
const credentials = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ scope: 'admin' }) },
  { weight: 3, arbitrary: fc.constant({ scope: 'write' }) },
  { weight: 3, arbitrary: fc.constant({ scope: 'read' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      {},
      { authorization: 'Bearer nonsense-nonsense' },
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer' },
      { authorization: '\u00ff' }
    )
  }
)
/**
 * How the bytes go out: whole, in pieces of unknown length, slowly, cut off in the middle, or with no one who
 * waits for the answer.
 */
const sending = fc.oneof(
  { weight: 12, arbitrary: fc.constant('whole') },
  { weight: 3, arbitrary: fc.constantFrom('chunked', 'trickled', 'cut', 'gone') }
)
const PATH_ODDITIES = {
  trailing: (path) => `${path}/`,
  double: (path) => path.replace('/v1/', '/v1//'),
  percent: (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  dots: (path) => `/v1/../${path.slice(1)}/..%2f..%2fetc`,
  capitals: (path) => path.toUpperCase(),
  semicolon: (path) => `${path};a=b`,
  'bad percent': (path) => `${path}%zz`,
  nul: (path) => `${path}%00`,
  hash: (path) => `${path}%23%3f`
}
const pathOddity = seldom(fc.constant('none'), fc.constantFrom(...Object.keys(PATH_ODDITIES)))
/** Methods that change nothing: what is looked at afterwards must not be reached by them. */
const methodOddity = seldom(
  fc.constant(undefined),
  fc.constantFrom('OPTIONS', 'HEAD', 'TRACE', 'QUERY', 'PROPFIND')
)

/**
 * Requests to one operation. Each is `{ ..., render(world) }`; `world` knows pictures and ids that were
 * answered before.
 */
function requestsOf(operation) {
  const parameters = fc.tuple(...operation.parameters.map((parameter) => parameterOf(operation, parameter)))
  const bodies = operation.bodies.map(({ type, schema }) =>
    bodiesOf(type, type === 'application/x-ndjson' ? linesOf() : nearlyValid(schema))
  )
  const none = fc.constant(undefined)
  const body =
    bodies.length > 0
      ? seldom(fc.oneof(...bodies), none)
      : seldom(none, bodiesOf('application/json', oddString))
  return fc
    .record({
      parameters,
      body,
      headers: oddHeaders,
      credentials,
      way: sending,
      path: pathOddity,
      method: methodOddity
    })
    .map((choice) => ({ operation, ...choice, render: (world) => render(operation, choice, world) }))
}

/** Records as upsertRecords has them, as lines. */
function linesOf() {
  const { schema } = OPERATIONS.find(({ id }) => id === 'upsertRecords').bodies.find(
    ({ type }) => type === 'application/json'
  )
  return fc.array(nearlyValid(schema.properties.records.items), { minLength: 1, maxLength: 6 })
}

async function render(
  operation,
  { parameters, body, headers, credentials: { scope, authorization }, way, path: oddity, method },
  world
) {
  const pictures = new Map(
    await Promise.all(
      picturesIn(body?.value).map(async (number) => [number, await world.picture(Number(number))])
    )
  )
  const values = Object.fromEntries(operation.parameters.map(({ name }, i) => [name, parameters[i]]))
  const textOf = (value) =>
    typeof value === 'object' || String(value).startsWith('#raw:')
      ? jsonOf(value, pictures).slice(0, 3000)
      : world.resolve(String(value))
  const encoded = (value) => encodeURIComponent(textOf(value).toWellFormed())
  const plain = operation.path.replace(/\{(\w+)\}/g, (_, name) => encoded(values[name]))
  const query = operation.parameters
    .filter(({ in: where, name }) => where === 'query' && values[name] !== undefined)
    .map(({ name }) => `${encodeURIComponent(name)}=${encoded(values[name])}`)
  const path = (PATH_ODDITIES[oddity] ?? String)(plain)
  const inHeaders = operation.parameters
    .filter(({ in: where, name }) => where === 'header' && values[name] !== undefined)
    .map(({ name }) => [
      name.toLowerCase(),
      textOf(values[name])
        .replace(/[^\x20-\x7e]/g, '?')
        .slice(0, 6000)
    ])
  const content = body?.bytesOf(pictures)
  const isOdd =
    oddity !== 'none' || method !== undefined || plain.length > 2000 || /\/(\.|%2e){0,2}(\/|$)/i.test(plain)
  return {
    // Where another path or method was asked for, no one knows what should be answered.
    operation: isOdd ? undefined : operation,
    mayPass:
      operation.scope === 'open' ||
      (authorization === undefined && RANKS.indexOf(scope) >= RANKS.indexOf(operation.scope)),
    // A body where none is taken is rejected by its type and length.
    isStray: content !== undefined && operation.bodies.length === 0,
    hasDeadline: [...inHeaders, ...headers].some(([name]) => name === 'x-request-timeout'),
    method: method ?? operation.method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    headers: [
      ...(scope
        ? [['authorization', `Bearer ${KEYS[scope]}`]]
        : authorization
          ? [['authorization', authorization]]
          : []),
      ...(content?.type ? [['content-type', content.type]] : []),
      ...(content?.encoding ? [['content-encoding', content.encoding]] : []),
      ...inHeaders,
      ...headers
    ],
    bytes: content?.bytes,
    way: content ? way : way === 'gone' ? 'gone' : 'whole'
  }
}

/** Requests of all operations in the mix of a run, with pictures as a part of it. */
export const allRequests = () =>
  fc.oneof(
    { weight: 20, arbitrary: pictureRequests() },
    ...OPERATIONS.map((operation) => ({
      weight: WEIGHTS[operation.id] ?? 3,
      arbitrary: requestsOf(operation)
    }))
  )
