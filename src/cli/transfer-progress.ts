import { bytes } from '../hub/bytes.js'
import { bar, liveLines, paceOf } from './live-lines.js'

export interface TransferProgress {
  /** Told how many bytes have been moved, of how many; of 0 where that is not known. */
  onProgress: (done: number, total: number) => void
  stop: () => void
}

/** Shows how far a file is: a bar on a terminal, else a line now and then. */
export function transferProgress(stream: NodeJS.WriteStream, label: string): TransferProgress {
  let now: { done: number; total: number; startedAt: number } | undefined
  const lines = liveLines(stream, stream.isTTY ? 'live' : 'lines', () => [lineOf(label, now!)])
  return {
    onProgress: (done, total) => {
      now = { done, total, startedAt: now?.startedAt ?? performance.now() }
      lines.start()
    },
    stop: lines.stop
  }
}

/** `pets.sqlite [=====-----] 120.3 MB of 351.7 MB, 8.2 MB/s` */
function lineOf(label: string, now: { done: number; total: number; startedAt: number }): string {
  const { done, total } = now
  const speed = `${bytes(Math.round(paceOf(now).speed))}/s`
  if (total === 0) return `${label} ${bytes(done)}, ${speed}`
  return `${label} ${bar(done, total)} ${bytes(done)} of ${bytes(total)}, ${done >= total ? 'done' : speed}`
}
