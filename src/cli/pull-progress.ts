import { MultiBar, type Options, type Params, type SingleBar } from 'cli-progress'
import { bytes } from '../hub/bytes.js'
import type { PullRequest } from '../hub/pull.js'

/** How often a line is printed where there is no terminal, in milliseconds. */
const LINE_EVERY_MS = 5000

interface Payload {
  label: string
  /** Bytes that were there when the download began: they say nothing of the speed. */
  before: number
}

export interface PullProgress extends Pick<PullRequest, 'onWait' | 'onStart' | 'onProgress'> {
  onRetry: (what: string, reason: string, delayMs: number) => void
  stop: () => void
}

/** Shows a pull: a bar for each file and one for all on a terminal, else a line of the whole now and then. */
export function pullProgress(stream: NodeJS.WriteStream): PullProgress {
  const bars = new MultiBar({ stream, format: formatBar, noTTYOutput: true, notTTYSchedule: LINE_EVERY_MS, hideCursor: stream.isTTY || null, gracefulExit: false })
  const counts = new Map<string, number>()
  const byPath = new Map<string, SingleBar>()
  let whole: SingleBar | undefined
  const print = (line: string) => void (bars.isActive && stream.isTTY ? bars.log(`${line}\n`) : stream.write(`${line}\n`))
  return {
    onWait: (holder) => print(`Another pull of this repository runs (${holder}): waiting for it.`),
    onStart: ({ commit, missing }, partials) => {
      if (missing.length === 0) return
      const before = sum(partials.values())
      const total = sum(missing.map(({ size }) => size))
      print(`${missing.length} files to download of commit ${commit.slice(0, 12)}, ${bytes(total)}${before > 0 ? `, of which ${bytes(before)} are there from before` : ''}.`)
      for (const { path, size } of stream.isTTY ? missing : []) byPath.set(path, bars.create(size, partials.get(path) ?? 0, { label: path, before: partials.get(path) ?? 0 }))
      for (const [path, count] of partials) counts.set(path, count)
      whole = bars.create(total, before, { label: 'total', before })
    },
    onProgress: (path, count) => {
      counts.set(path, count)
      byPath.get(path)?.update(count)
      whole?.update(sum(counts.values()))
    },
    onRetry: (what, reason, delayMs) => print(`${what}: ${reason}; again in ${Math.ceil(delayMs / 1000)} s.`),
    stop: () => whole && bars.stop()
  }
}

/** `onnx/vision_model.onnx [=====-----] 120.3 MB of 351.7 MB, 8.2 MB/s, 28 s left` */
function formatBar({ barsize = 20 }: Options, { progress, value, total, startTime }: Params, { label, before }: Payload): string {
  const width = Math.min(barsize, 20)
  const done = Math.round(progress * width)
  const bar = `${label.padEnd(28)} [${'='.repeat(done)}${'-'.repeat(width - done)}] ${bytes(value)} of ${bytes(total)}`
  if (value >= total) return `${bar}, done`
  const speed = Math.max(0, value - before) / Math.max(0.001, (Date.now() - startTime) / 1000)
  return `${bar}, ${bytes(Math.round(speed))}/s, ${speed > 0 ? Math.ceil((total - value) / speed) : '-'} s left`
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0)
}
