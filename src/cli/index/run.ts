import { extname } from 'node:path'
import picomatch from 'picomatch'
import type { BulkAnswer } from '../../client/client.js'
import type { ColumnType } from '../../files/columns.js'
import { printable } from '../../terminal/printable.js'
import { isMissing } from '../collection-option.js'
import { EXIT, StoppedEarly, UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import type { Service, ServiceOptions } from '../service.js'
import { batches } from './batches.js'
import { deliver, type DeliveryOptions } from './deliver.js'
import { indexProgress, type IndexProgress } from './index-progress.js'
import { anyOf, type Source } from './item.js'
import { knownRecords } from './known-records.js'
import { type Lines, openSource } from './open-source.js'
import { prune } from './prune.js'
import { type LoadState, sendLines } from './send-lines.js'
import { codeOf, stoppedIndex } from './stopped-index.js'
import { countFailure, type Failure, newTally, type Tally } from './tally.js'

/** The options of `semblance index`. */
export interface IndexOptions extends ServiceOptions {
  collection: string
  prefix: string
  storage?: 'original' | 'thumbnail' | 'none'
  model?: string
  label?: boolean
  textColumn?: string
  types?: ReadonlyMap<string, ColumnType>
  strings?: boolean
  exclude?: string[]
  defaultExcludes?: boolean
  maxFailures?: number
  all?: boolean
  prune?: boolean
  yes?: boolean
  json?: boolean
}

type Options = IndexOptions & { signal: AbortSignal }

interface Run {
  options: Options
  tally: Tally
  progress: IndexProgress
  fail: (failure: Failure) => void
}

/** What is to be indexed, and what is told of it. */
export interface Plan {
  /** What was named first. */
  name: string
  source: Source | Lines
  tally: Tally
}

/**
 * Makes out what is named, before there is a service for it. Throws a UsageError where it can't be indexed
 * so.
 */
export async function planIndex(sources: string[], options: IndexOptions): Promise<Plan> {
  const {
    prefix,
    label = false,
    textColumn,
    types,
    strings,
    exclude = [],
    defaultExcludes = true,
    prune: prunes = false
  } = options
  const tally = newTally()
  const source = await openSource(sources, {
    prefix,
    label,
    textColumn,
    types,
    strings,
    excludes: excluder(exclude, defaultExcludes),
    onPassedOver: (name) => countEnd(tally.passedOver, name),
    onUnknown: (name) => countEnd(tally.unknown, name)
  })
  if (exclude.length > 0 && !('items' in source && source.isWhole !== undefined))
    throw new UsageError('--exclude can only be used with a folder or a wildcard.')
  if (prunes && !('items' in source && source.isWhole))
    throw new UsageError('--prune can only be used with a folder.')
  // Ids of 'nas2' start with 'nas', too.
  if (prunes && /[\p{L}\p{N}]$/u.test(prefix))
    throw new UsageError(
      `--prune needs a --prefix that ends with a separator, such as '${prefix}/', because other ` +
        `prefixes may also start with '${prefix}'.`
    )
  return { name: sources[0], source, tally }
}

/** Indexes what is planned, and says what became of it; the exit code is 1 where some of it failed. */
export async function runIndex(
  service: Service,
  { name, source, tally }: Plan,
  options: Options
): Promise<void> {
  const { collection, quiet = false, prune: prunes = false } = options
  const startedAt = performance.now()
  const items = 'items' in source ? await anyOf(source.items) : undefined
  const isEmpty = 'items' in source && items === undefined
  // A mistyped wildcard leaves no empty collection.
  if (!isEmpty) await ensureCollection(service, options)
  const progress = indexProgress(host().stderr, quiet)
  const fail = (failure: Failure) => {
    countFailure(tally, failure)
    progress.say(`semblance: ${failure.name}: ${failure.code ? `${failure.code}: ` : ''}${failure.message}`)
    progress.update(tally)
  }
  const run: Run = { options, tally, progress, fail }
  const seconds = () => (performance.now() - startedAt) / 1000
  try {
    if ('lines' in source) await indexLines(service, source.lines, run)
    else if (items || prunes) await indexItems(service, { ...source, items: items ?? source.items }, run)
  } catch (error) {
    progress.stop()
    if (error instanceof StoppedEarly && options.json)
      printJson(collection, { tally, seconds: seconds(), stopped: error })
    throw error
  }
  progress.stop()
  if (options.json) printJson(collection, { tally, seconds: seconds() })
  else if (!quiet) report(collection, { prunes, tally, seconds: seconds() })
  if (isEmpty)
    host().stderr.write(
      'semblance: Nothing was indexed: ' +
        `${source.isWhole === false ? `no image matches '${name}'` : `${name} has no images or records`}.\n`
    )
  if (isEmpty && source.isWhole === false) host().exitCode = EXIT.usage
  else if (isEmpty || tally.kept > 0 || tally.failed > (options.maxFailures ?? 0))
    host().exitCode = EXIT.failed
}

async function ensureCollection(
  service: Service,
  { collection, storage, model, signal }: Options
): Promise<void> {
  const params = { path: { collection } }
  try {
    const there = await service.api.get('/v1/collections/{collection}', { params, signal })
    const isOther = (storage && storage !== there.storage) || (model !== undefined && model !== there.model)
    if (isOther)
      throw new UsageError(
        `'${collection}' already exists, with storage ${there.storage} and ` +
          `${there.model === null ? 'no model' : `model ${there.model}`}; --storage and --model only ` +
          'apply to new collections.'
      )
  } catch (error) {
    if (!isMissing(error)) throw error
    await service.api.put('/v1/collections/{collection}', {
      params,
      body: { ...(storage && { storage }), ...(model !== undefined && { model }) },
      signal
    })
  }
}

async function indexItems(
  service: Service,
  { items, count }: Source,
  { options, tally, progress, fail }: Run
): Promise<void> {
  const { collection, all, signal } = options
  // Beside the work, which does not wait for it.
  if (host().stderr.isTTY && !options.quiet) void count?.(signal).then(progress.total, () => undefined)
  const known = await knownRecords(service, collection, signal)
  const outgoing = batches(items, {
    known,
    all: all ?? false,
    onUnchanged: () => {
      tally.unchanged++
      progress.update(tally)
    },
    onFault: ({ name, reason, hides = false }) => {
      tally.hides ||= hides
      fail({ name, message: reason })
    }
  })
  const onDelivered: DeliveryOptions['onDelivered'] = ({ name, status, error }) => {
    if (error) return fail({ name, ...error })
    tally[status]++
    progress.update(tally)
  }
  await deliver(service, outgoing, { collection, signal, onDelivered }).catch((error) =>
    Promise.reject(stoppedIndex(error, { tally, all: all ?? false, signal }))
  )
  if (!options.prune) return
  const { removed, kept } = await prune(service, known, { ...options, tally })
  tally.removed = removed
  for (const [folder, count] of kept) {
    tally.kept += count
    progress.say(
      `semblance: ${count} records of files in '${folder.slice(options.prefix.length)}' were not ` +
        'pruned: the folder has no images any more, for example because a disk is not mounted. To delete ' +
        'them, use --yes.'
    )
  }
}

async function indexLines(
  service: Service,
  file: string,
  { options, tally, progress, fail }: Run
): Promise<void> {
  const told = new Set<number>()
  const failLine = (line: number, error: { code: string; message: string }) => {
    if (told.has(line)) return
    told.add(line)
    fail({ name: `${file === '-' ? 'standard input' : file}:${line}`, ...error })
  }
  const { collection, all = false, signal } = options
  let before: LoadState | undefined
  // Answers may be lost with a connection: the service knows how far it is.
  const onLoad = (load: LoadState) => {
    before ??= load
    Object.assign(tally, {
      unchanged: before.created + before.updated,
      created: load.created - before.created,
      updated: load.updated - before.updated,
      line: load.lines
    })
    for (const { line, error } of load.failures) failLine(line, error)
  }
  const onAnswer = ({ line, status, error }: BulkAnswer) => {
    tally.line = line
    if (error) return failLine(line, error)
    if (status === 'skipped') tally.unchanged++
    else if (status !== 'failed') tally[status]++
    progress.update(tally)
  }
  await sendLines(service, file, { collection, all, signal, onLoad, onAnswer }).catch((error) =>
    Promise.reject(stoppedIndex(error, { tally, lines: file, all, signal }))
  )
}

/** Counts a file by the end of its name. */
function countEnd(counts: Map<string, number>, name: string): void {
  const end = extname(name).toLowerCase() || name
  counts.set(end, (counts.get(end) ?? 0) + 1)
}

interface Outcome {
  tally: Tally
  seconds: number
}

function printJson(
  collection: string,
  { tally, seconds, stopped }: Outcome & { stopped?: StoppedEarly }
): void {
  const { created, updated, unchanged, failed, removed, passedOver, unknown, failures } = tally
  const counts = {
    created,
    updated,
    unchanged,
    failed,
    removed,
    passed_over: Object.fromEntries(passedOver),
    unknown: Object.fromEntries(unknown),
    failures
  }
  const end = stopped && {
    stopped: {
      code: codeOf(stopped.cause),
      message: stopped.message,
      next_line: tally.line === undefined ? undefined : tally.line + 1
    }
  }
  host().stdout.write(
    `${JSON.stringify({ collection, ...counts, seconds: Number(seconds.toFixed(3)), ...end })}\n`
  )
}

function report(collection: string, { prunes, tally, seconds }: Outcome & { prunes: boolean }): void {
  const { created, updated, unchanged, failed, removed, passedOver, unknown } = tally
  const parts = [
    `${created} created`,
    `${updated} updated`,
    `${unchanged} unchanged`,
    ...(prunes ? [`${removed} removed`] : []),
    `${failed} failed`
  ]
  host().stdout.write(`Indexed into '${collection}': ${parts.join(', ')}, in ${seconds.toFixed(1)} s.\n`)
  for (const [end, count] of passedOver)
    host().stdout.write(
      `Skipped ${count} ${end} ${count === 1 ? 'file' : 'files'}, whose type is not supported.\n`
    )
  if (unknown.size > 0)
    host().stdout.write(
      'Skipped files of unsupported types: ' +
        `${printable([...unknown].map(([end, count]) => `${count} ${end}`).join(', '))}.\n`
    )
}

/**
 * Thumbnails, trash and snapshots of NAS systems and of operating systems. Names that begin with a dot are
 * left out in any case.
 */
const DEFAULT_EXCLUDES = [
  '@eaDir',
  '#recycle',
  '#snapshot',
  '@Recycle',
  '@Recently-Snapshot',
  '$RECYCLE.BIN',
  'System Volume Information',
  'lost+found',
  'Thumbs.db',
  'desktop.ini'
]

/**
 * Whether a path below the folder is left out. A pattern without a slash is compared with the name of a file
 * or folder wherever it is, one with a slash with the path. The defaults are names, not patterns.
 */
function excluder(patterns: string[], withDefaults: boolean): (below: string) => boolean {
  const names = new Set(withDefaults ? DEFAULT_EXCLUDES : [])
  const matches = patterns.map((pattern) =>
    picomatch(pattern.replace(/\/+$/, ''), {
      dot: true,
      basename: !pattern.replace(/\/+$/, '').includes('/')
    })
  )
  return (below) =>
    names.has(below.slice(below.lastIndexOf('/') + 1)) || matches.some((matches) => matches(below))
}
