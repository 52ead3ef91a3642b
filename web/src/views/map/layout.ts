import { signal, type ReadonlySignal } from '@preact/signals'
import { get, set } from 'idb-keyval'
import type { Neighbors } from './neighbors.js'
import type { LayoutStep, LayoutTask } from './umap-layout.js'

export interface Layout {
  /** Shape `[n, 2]`; NaN for points that have no place. */
  positions: Float32Array
  /** 0 to 1. */
  progress: number
}

export interface RunningLayout {
  layout: ReadonlySignal<Layout | undefined>
  /** Resolves when it is done; rejects when the worker fails. */
  done: Promise<void>
  stop(): void
}

/**
 * Lays out a sample in a worker, so that the page continues, and keeps what came out in the browser under
 * `key`, by which it is there at once the next time.
 */
export function layOut(task: LayoutTask, key: string): RunningLayout {
  const layout = signal<Layout | undefined>()
  const identity = identify(task.all)
  let worker: Worker | undefined
  let isStopped = false
  const done = kept(key, identity).then((positions) => {
    if (positions) {
      layout.value = { positions, progress: 1 }
      return
    }
    if (isStopped) return
    worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' })
    return new Promise<void>((resolve, reject) => {
      worker!.onmessage = ({ data: { positions, progress, done } }: MessageEvent<LayoutStep>) => {
        layout.value = { positions, progress }
        if (!done) return
        worker!.terminate()
        // A browser that keeps nothing lays out again.
        void set(key, { identity, positions } satisfies Kept).catch(() => {})
        resolve()
      }
      worker!.onerror = (event) => reject(new Error(`The map could not be laid out: ${event.message}`))
      worker!.postMessage(task)
    })
  })
  return {
    layout,
    done,
    stop: () => {
      isStopped = true
      worker?.terminate()
    }
  }
}

/** What is kept of a layout: nothing that names a record. */
interface Kept {
  identity: string
  positions: Float32Array
}

/** The layout that was kept, if it is of the same neighbours. */
async function kept(key: string, identity: string): Promise<Float32Array | undefined> {
  const found = await get<Kept>(key).catch(() => undefined)
  return found?.identity === identity ? found.positions : undefined
}

/**
 * Stands for who is near whom: FNV-1a (RFC 9923) over the words of the neighbours. Other embeddings have
 * others.
 */
function identify({ ids, k, nearest }: Neighbors): string {
  let hash = 0x811c9dc5
  for (const point of nearest) hash = Math.imul(hash ^ point, 0x01000193)
  return `${ids.length} ${k} ${hash >>> 0}`
}
