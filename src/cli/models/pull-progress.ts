import { bytes } from '../../hub/bytes.js'
import type { PullRequest } from '../../hub/pull.js'
import { bar, liveLines, type LiveLines } from '../live-lines.js'

interface Download {
  label: string
  total: number
  /** Bytes that were there when the download began: they say nothing of the speed. */
  before: number
  done: number
}

export interface PullProgress extends Pick<PullRequest, 'onWait' | 'onStart' | 'onProgress'> {
  onRetry: (what: string, reason: string, delayMs: number) => void
  stop: () => void
}

/**
 * Shows a pull: a bar for each file that is under way and one for all on a terminal, else a line of the whole
 * now and then. Models of hundreds of files would not fit on the screen.
 */
export function pullProgress(stream: NodeJS.WriteStream): PullProgress {
  const files = new Map<string, Download>()
  const startedAt = performance.now()
  const lines: LiveLines = liveLines(stream, stream.isTTY ? 'live' : 'lines', () => {
    const underWay = [...files.values()].filter(({ done, total }) => done > 0 && done < total)
    return [...underWay, wholeOf(files.values())].map((file) => lineOf(file, startedAt))
  })
  return {
    onWait: (holder) =>
      lines.print(`Another pull of this repository is running (${holder}): waiting for it.`),
    onStart: ({ commit, missing }, partials) => {
      if (missing.length === 0) return
      for (const { path, size } of missing) {
        const before = partials.get(path) ?? 0
        files.set(path, { label: path, total: size, before, done: before })
      }
      // Called for the graphs, and again for what they name.
      const { total, before } = wholeOf(missing.map(({ path }) => files.get(path)!))
      const rest = before > 0 ? `, of which ${bytes(before)} are already downloaded` : ''
      lines.print(
        `${missing.length} files to download of commit ${commit.slice(0, 12)}, ${bytes(total)}${rest}.`
      )
      lines.start()
    },
    onProgress: (path, count) => {
      const file = files.get(path)
      if (file) file.done = count
    },
    onRetry: (what, reason, delayMs) =>
      lines.print(`${what}: ${reason}; again in ${Math.ceil(delayMs / 1000)} s.`),
    stop: lines.stop
  }
}

function wholeOf(files: Iterable<Download>): Download {
  const whole = { label: 'total', total: 0, before: 0, done: 0 }
  for (const { total, before, done } of files) {
    whole.total += total
    whole.before += before
    whole.done += done
  }
  return whole
}

/** `onnx/vision_model.onnx [=====-----] 120.3 MB of 351.7 MB, 8.2 MB/s, 28 s left` */
function lineOf({ label, total, before, done }: Download, startedAt: number): string {
  const line = `${label.padEnd(28)} ${bar(done, total)} ${bytes(done)} of ${bytes(total)}`
  if (done >= total) return `${line}, done`
  const speed = Math.max(0, done - before) / Math.max(0.001, (performance.now() - startedAt) / 1000)
  return (
    `${line}, ${bytes(Math.round(speed))}/s, ` +
    `${speed > 0 ? Math.ceil((total - done) / speed) : '-'} s left`
  )
}
