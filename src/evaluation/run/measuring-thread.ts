import { isPublicError } from '../../errors.js'
import { abortable } from '../../threading/abortable.js'
import { startThreadPool, type ThreadPool } from '../../threading/thread-pool.js'
import type { Compared } from '../statistics/compare-models.js'
import { DatasetError } from '../datasets/dataset.js'
import type { Measurement } from './evaluation-worker.js'
import type { Comparison, Figure, TaskResult } from '../report.js'
import type { TaskOptions } from '../tasks/task.js'

/** The thread in which figures are computed. */
export interface MeasuringThread {
  measure(measurement: Measurement): Promise<TaskResult>
  compare(compared: Compared): Promise<Comparison[]>
  /** The mean of each list of values, with its interval. */
  figures(values: Record<string, Float64Array>, options: TaskOptions): Promise<Record<string, Figure>>
  close(): Promise<void>
}

/**
 * Starts it; a signal ends it whatever it is at. Its calls throw a DatasetError for what is wrong with a
 * dataset, and an Error that says what failed for all else.
 */
export async function startMeasuringThread(signal?: AbortSignal): Promise<MeasuringThread> {
  const threads: ThreadPool<typeof import('./evaluation-worker.js')> = await startThreadPool(
    new URL('./evaluation-worker.js', import.meta.url),
    { name: 'evaluation', count: 1, workerData: null }
  )
  const heard = async <T>(work: Promise<T>, of: string): Promise<T> => {
    try {
      return await (signal ? abortable(work, signal) : work)
    } catch (error) {
      if (signal?.aborted) throw error
      if (isPublicError(error) && error.code === 'EVALUATION_INVALID') throw new DatasetError(error.message)
      // What the thread says of it is a whole stack; its first line is the message.
      const [reason] = String((error as Error).cause ?? (error as Error).message).split('\n')
      throw new Error(`${of} failed: ${reason}`, { cause: error })
    }
  }
  return {
    measure: (measurement) => heard(threads.call('measure', measurement), `The task ${measurement.task}`),
    compare: (compared) =>
      heard(threads.call('compare', compared), `The comparison of ${compared.first.report.task}`),
    figures: (values, options) => heard(threads.call('figures', { values, options }), 'A figure'),
    close: () => threads.close()
  }
}
