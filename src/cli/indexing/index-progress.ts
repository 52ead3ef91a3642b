import { SingleBar } from 'cli-progress'
import { BAR, sayAbove } from '../bar.js'
import { handled, type Tally } from './tally.js'

/** Shows how far a run is, on a terminal. */
export interface IndexProgress {
  update(tally: Tally): void
  /** Told how many there are, once that is known. */
  total(count: number): void
  /** Prints a line above the bar. */
  say(line: string): void
  stop(): void
}

/** A bar on a terminal that is not to be quiet; else lines only. */
export function indexProgress(stream: NodeJS.WriteStream, quiet: boolean): IndexProgress {
  const isShown = stream.isTTY && !quiet
  const bar = new SingleBar({ stream, format: 'Indexing [{bar}] {value}/{total}, {speed}/s, {left}', ...BAR, emptyOnZero: true })
  const startedAt = performance.now()
  let done = 0
  const payload = () => {
    const speed = done / Math.max(0.001, (performance.now() - startedAt) / 1000)
    const left = speed > 0 ? (bar.getTotal() - done) / speed : Infinity
    return { speed: speed.toFixed(speed < 10 ? 1 : 0), left: Number.isFinite(left) ? `${Math.ceil(Math.max(0, left))} s left` : '' }
  }
  if (isShown) bar.start(0, 0, { speed: '0', left: 'counting' })
  return {
    update: (tally) => {
      done = handled(tally)
      if (!isShown) return
      // What is not counted beforehand grows as it goes.
      if (done > bar.getTotal()) bar.setTotal(done)
      bar.update(done, payload())
    },
    total: (count) => void (isShown && bar.setTotal(Math.max(count, done))),
    say: (line) => sayAbove(stream, line, isShown),
    stop: () => void (isShown && bar.stop())
  }
}
