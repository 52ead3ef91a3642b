import { printable } from '../terminal/printable.js'

/** How the bars of commands look. */
export const BAR = { barsize: 24, barCompleteChar: '=', barIncompleteChar: '-', hideCursor: true, gracefulExit: false } as const

/** Prints a line, above the bar where one is shown. */
export function sayAbove(stream: NodeJS.WriteStream, line: string, isShown: boolean): void {
  if (isShown) stream.write('\r\x1b[K')
  stream.write(`${printable(line)}\n`)
}
