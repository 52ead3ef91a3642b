import { bar, liveLines, paceOf } from '../live-lines.js'
import { handled, newTally, type Tally } from './tally.js'

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
  const startedAt = performance.now()
  let tally = newTally()
  let counted: number | undefined
  const lines = liveLines(stream, stream.isTTY && !quiet ? 'live' : 'none', () => {
    const done = handled(tally)
    // What cannot be counted beforehand grows as it goes.
    const total = Math.max(counted ?? 0, done)
    const { speed, secondsLeft } = paceOf({ done, total, startedAt })
    const left = counted === undefined ? 'counting' : secondsLeft === undefined ? '' : `${secondsLeft} s left`
    return [
      `Indexing ${bar(done, total)} ${done}/${total}, ` +
        `${speed.toFixed(speed < 10 ? 1 : 0)}/s${left && `, ${left}`}`
    ]
  })
  lines.start()
  return {
    update: (now) => void (tally = now),
    total: (count) => void (counted = count),
    say: lines.print,
    stop: lines.stop
  }
}
