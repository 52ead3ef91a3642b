import type { EvaluationProgress } from '../../evaluation/run/evaluate-dataset.js'
import { printable } from '../../terminal/printable.js'
import { bar, liveLines } from '../live-lines.js'

/** Shows how far an evaluation is, on a terminal. */
export interface ShownProgress {
  /** A step that is not counted. */
  begin(step: string): void
  update(progress: EvaluationProgress): void
  /** Prints a line above the bar. */
  say(line: string): void
  stop(): void
}

/** A bar on a terminal that is not to be quiet; else lines only. */
export function evaluationProgress(stream: NodeJS.WriteStream, quiet: boolean): ShownProgress {
  let progress: EvaluationProgress = { done: 0, total: 1, step: 'beginning' }
  const lines = liveLines(stream, stream.isTTY && !quiet ? 'live' : 'none', () => {
    const { done, total, step } = progress
    return [`${bar(done, total)} ${printable(step)}${total > 1 ? `: ${done} of ${total}` : ''}`]
  })
  lines.start()
  return {
    begin: (step) => void (progress = { done: 0, total: 1, step }),
    update: (now) => void (progress = now),
    say: (line) => void (quiet || lines.print(line)),
    stop: lines.stop
  }
}
