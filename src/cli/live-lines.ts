import { createLogUpdate } from 'log-update'
import { printable } from '../terminal/printable.js'

const REDRAW_MS = 100
const LINE_EVERY_MS = 5000
const BAR_WIDTH = 20

/**
 * `live`: drawn again in place; `lines`: the last line is printed every few seconds, as for a log; `none`:
 * nothing.
 */
export type Display = 'live' | 'lines' | 'none'

/** Lines at the bottom of a terminal that show how far something is. */
export interface LiveLines {
  start(): void
  /** Prints a line above them, with or without a start. */
  print(line: string): void
  /** Draws them for the last time and leaves them there. */
  stop(): void
}

/** Shows what `render` returns. Nothing else may write to the terminal between `start` and `stop`. */
export function liveLines(stream: NodeJS.WriteStream, display: Display, render: () => string[]): LiveLines {
  // Hiding the cursor would install signal handlers, which end the process on Ctrl-C.
  const update = createLogUpdate(stream, { showCursor: true })
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    const lines = render()
    if (display === 'live') update(lines.join('\n'))
    else stream.write(`${lines.at(-1)}\n`)
  }
  return {
    start: () => {
      if (timer || display === 'none') return
      draw()
      timer = setInterval(draw, display === 'live' ? REDRAW_MS : LINE_EVERY_MS).unref()
    },
    print: (line) => {
      const isDrawn = timer !== undefined && display === 'live'
      if (isDrawn) update.clear()
      // The terminal wraps a long line; wrapped here, a path copied from it would contain line breaks.
      stream.write(`${printable(line)}\n`)
      if (isDrawn) draw()
    },
    stop: () => {
      if (!timer) return
      clearInterval(timer)
      timer = undefined
      draw()
      update.done()
    }
  }
}

/** `[======------]`; empty where the total is not known. */
export function bar(done: number, total: number, width = BAR_WIDTH): string {
  const filled = total > 0 ? Math.round(Math.min(1, done / total) * width) : 0
  return `[${'='.repeat(filled)}${'-'.repeat(width - filled)}]`
}

/**
 * Units done a second since `startedAt` (of performance.now()), and the seconds that the rest takes at that
 * speed.
 */
export function paceOf({ done, total, startedAt }: { done: number; total: number; startedAt: number }) {
  const speed = done / Math.max(0.001, (performance.now() - startedAt) / 1000)
  return { speed, secondsLeft: speed > 0 ? Math.ceil(Math.max(0, (total - done) / speed)) : undefined }
}
