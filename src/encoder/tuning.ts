/** A choice that was made for this machine, or by its operator, and why. */
export interface Tuned {
  setting: string
  value: number
  reason: string
}

/** A run of a tower: inputs in the batch, and the milliseconds it took. */
export interface MeasuredRun {
  size: number
  ms: number
}

/** Threads of one run of a tower past which it hardly gets faster. */
const MOST_THREADS = 8
/** Longest run of a batch, in milliseconds: who comes meanwhile waits for it. */
export const LONGEST_RUN_MS = 300
/** By how much a doubled batch must raise the rate. */
const LEAST_GAIN = 1.03

/**
 * Worker threads, and threads of ONNX Runtime in the one beside them that takes what someone waits for (0:
 * there is none).
 */
export function tuneWorkers(
  { workers, ortThreads, express }: { workers: number; ortThreads: number; express: boolean },
  { cores, onCpu }: { cores: number; onCpu: boolean }
): { workers: number; expressThreads: number; tuning: Tuned[] } {
  const spread = Math.max(1, Math.floor(cores / ortThreads))
  const chosen = workers || (onCpu ? spread : 1)
  const expressThreads = express && onCpu && cores > 1 ? Math.min(cores, MOST_THREADS) : 0
  const why = workers
    ? 'as set'
    : onCpu
      ? `${cores} ${cores === 1 ? 'core' : 'cores'}, ${ortThreads} for each`
      : 'one worker keeps a device busy'
  return {
    workers: chosen,
    expressThreads,
    tuning: [
      { setting: 'workers', value: chosen, reason: why },
      {
        setting: 'threads of a worker',
        value: ortThreads,
        reason: ortThreads === 1 ? 'single-threaded workers have the highest throughput' : 'as set'
      },
      {
        setting: 'threads of the express worker',
        value: expressThreads,
        reason: expressThreads
          ? 'all cores, for single requests and for those that arrive during ingest'
          : !express
            ? 'switched off'
            : onCpu
              ? "one core can't run a second worker"
              : 'a device is fast for single requests too'
      }
    ]
  }
}

/** The size from which on batches gain next to nothing, of runs of doubling sizes. */
export function bestBatchSize(runs: MeasuredRun[]): number {
  let best = runs[0]
  for (const run of runs.slice(1)) if (run.size / run.ms >= LEAST_GAIN * (best.size / best.ms)) best = run
  return best.size
}

/** Says which sizes were tried, and what they gave. */
export function describeRuns(runs: MeasuredRun[]): string {
  return (
    'measured: ' +
    `${runs.map(({ size, ms }) => `${size} at ${((size * 1000) / ms).toFixed(1)}/s`).join(', ')}`
  )
}
