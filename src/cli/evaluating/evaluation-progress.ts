import { SingleBar } from 'cli-progress'
import type { EvaluationProgress } from '../../evaluation/progress.js'
import { printable } from '../../terminal/printable.js'
import { BAR, sayAbove } from '../bar.js'

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
  const isShown = stream.isTTY && !quiet
  const bar = new SingleBar({ stream, format: '[{bar}] {step}{count}', ...BAR, emptyOnZero: true, linewrap: false })
  if (isShown) bar.start(1, 0, { step: 'beginning', count: '' })
  const update = ({ done, total, step }: EvaluationProgress) => {
    if (!isShown) return
    bar.setTotal(total)
    bar.update(done, { step: printable(step), count: total > 1 ? `: ${done} of ${total}` : '' })
  }
  return {
    begin: (step) => update({ done: 0, total: 1, step }),
    update,
    say: (line) => void (quiet || sayAbove(stream, line, isShown)),
    stop: () => void (isShown && bar.stop())
  }
}
