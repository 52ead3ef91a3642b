import { SemblanceError } from '../../client/semblance-error.js'
import { StoppedEarly, UsageError } from '../exit-codes.js'
import { handled, type Tally } from './tally.js'

/** What was indexed when a run was stopped. */
export interface StoppedRun {
  tally: Tally
  /** The file of lines, `-` for standard input; undefined for files. */
  lines?: string
  /** Whether what is unchanged is sent, too. */
  all: boolean
  signal: AbortSignal
}

/** What is wrong, by code: the service speaks of one call or one stream. */
const REASONS: Record<string, string> = {
  STORAGE_FULL: 'The disk of the service is full.',
  STORAGE_UNWRITABLE: "The service can't write to its data folder.",
  CLOSED: 'The service is shutting down.',
  WORKER_DIED: 'A worker of the service ended unexpectedly.',
  WORKERS_DOWN: 'The workers of the service failed repeatedly.'
}

/** What is to be done first, by code. */
const FIRST: Record<string, string> = {
  STORAGE_FULL: 'Free disk space there: enlarge the disk, or delete records or collections. Then',
  STORAGE_UNWRITABLE: 'Make it writable. Then'
}

/** The error that a run ends with, saying what was stored before it and how to continue. */
export function stoppedIndex(error: unknown, { signal, ...run }: StoppedRun): unknown {
  const code = codeOf(error) ?? ''
  if (error instanceof UsageError || (handled(run.tally) === 0 && !(code in FIRST))) return error
  const { created, updated, unchanged, failed } = run.tally
  const stored = created + updated
  const counts = `${created} created, ${updated} updated, ${unchanged} unchanged, ${failed} failed`
  const soFar = `${stored} ${stored === 1 ? 'record was' : 'records were'} stored before that: ${counts}.`
  const reason = signal.aborted
    ? 'Stopped.'
    : (REASONS[code] ?? (error as Error).message.replace(/([^.!?])$/, '$1.'))
  return new StoppedEarly(reason, {
    cause: error,
    soFar: `${soFar} ${FIRST[code] ?? 'To continue,'} ${howToGoOn(run)}`
  })
}

/** The code of an error of the service. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof SemblanceError ? error.code : undefined
}

function howToGoOn({ tally: { line }, lines, all }: Omit<StoppedRun, 'signal'>): string {
  if (lines === undefined)
    return all
      ? 'run the same command again; with --all it sends everything again.'
      : 'run the same command again: records that are already stored are not sent again.'
  const next = (line ?? 0) + 1
  if (lines !== '-' && !all) return `run the same command again: it continues from line ${next}.`
  return `pipe the lines from ${next} on into 'semblance index -', for example with 'tail -n +${next}'.`
}
