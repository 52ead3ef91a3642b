import { closeSync, openSync, writeSync } from 'node:fs'
import { pino } from 'pino'

/** Where one line is written for every change that was asked for. */
export interface AuditLog {
  write(entry: Record<string, unknown>): void
  /** Opens the file again, after it was moved away. */
  reopen(): void
  close(): void
}

/** Where lines go. A `write` throws what keeps it from it. */
interface Destination {
  write(line: string): void
  reopen(): void
  close(): void
}

/**
 * Opens the audit log: a file that is appended to, or `stdout`. Each line goes to the system at once, so that
 * a kill loses none; one that can't be written is lost, and `onFailure` is told. Throws an Error when the
 * file can't be opened.
 */
export function openAuditLog(path: string, onFailure: (error: Error) => void): AuditLog {
  const destination = path === 'stdout' ? standardOutput() : appendedFile(path)
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      onFailure(error as Error)
    }
  }
  const stream = { write: (line: string) => attempt(() => destination.write(line)) }
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: () => ({ audit: true }) } },
    stream
  )
  return {
    write: (entry) => logger.info(entry),
    reopen: () => attempt(destination.reopen),
    close: () => attempt(destination.close)
  }
}

function standardOutput(): Destination {
  return { write: (line) => void process.stdout.write(line), reopen: () => undefined, close: () => undefined }
}

/**
 * Not pino's own destination: its flush at the end of the process tries for ever on a full disk (sonic-boom
 * 4.2).
 */
function appendedFile(path: string): Destination {
  let file = open(path)
  let isTorn = false
  return {
    write: (line) => {
      let rest = Buffer.from(isTorn ? `\n${line}` : line)
      while (rest.length > 0) {
        const written = writeSync(file, rest)
        rest = rest.subarray(written)
        isTorn = rest.length > 0
      }
    },
    reopen: () => {
      // Where the new one can't be opened the old one continues.
      const next = open(path)
      closeSync(file)
      file = next
      isTorn = false
    },
    close: () => {
      closeSync(file)
      // The system gives the number to the next file that is opened.
      file = -1
    }
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new Error(`AUDIT_LOG can't be written to: ${(error as Error).message}`)
  }
}
