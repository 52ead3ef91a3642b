import { SingleBar, type Options, type Params } from 'cli-progress'
import { bytes } from '../hub/bytes.js'

/** How often a line is printed where there is no terminal, in milliseconds. */
const LINE_EVERY_MS = 5000

export interface TransferProgress {
  /** Told how many bytes have been moved, of how many; of 0 where that is not known. */
  onProgress: (done: number, total: number) => void
  stop: () => void
}

/** Shows how far a file is: a bar on a terminal, else a line now and then. */
export function transferProgress(stream: NodeJS.WriteStream, label: string): TransferProgress {
  const bar = new SingleBar({ stream, format: (options, params) => formatBar(label, options, params), noTTYOutput: true, notTTYSchedule: LINE_EVERY_MS, hideCursor: stream.isTTY || null, gracefulExit: false })
  return {
    onProgress: (done, total) => {
      if (!bar.isActive) bar.start(total, done)
      bar.update(done)
    },
    stop: () => void (bar.isActive && bar.stop())
  }
}

/** `pets.sqlite [=====-----] 120.3 MB of 351.7 MB, 8.2 MB/s` */
function formatBar(label: string, { barsize = 20 }: Options, { progress, value, total, startTime }: Params): string {
  const speed = `${bytes(Math.round(value / Math.max(0.001, (Date.now() - startTime) / 1000)))}/s`
  if (total === 0) return `${label} ${bytes(value)}, ${speed}`
  const width = Math.min(barsize, 20)
  const done = Math.round(progress * width)
  return `${label} [${'='.repeat(done)}${'-'.repeat(width - done)}] ${bytes(value)} of ${bytes(total)}, ${value >= total ? 'done' : speed}`
}
