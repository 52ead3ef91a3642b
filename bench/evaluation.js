// Retrieval of embeddings that were computed before, evaluated in a process of its own: seconds and memory by
// the number of pairs, beside a plain NumPy script that ranks the same (no intervals, no ties, float32).
// Needs Debian's python3-numpy; with libopenblas0-pthread NumPy is as fast as it can be, without it tens of
// times slower.
// node bench/evaluation.js [--pairs 25000,50000,100000] [--dimension 256] [--noise 3.5] [--resamples 1000]
//   The service must be built (npm run build).
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { report } from './report.js'
import { newFolder } from './service.js'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '25000,50000,100000' },
    dimension: { type: 'string', default: '256' },
    noise: { type: 'string', default: '3.5' },
    resamples: { type: 'string', default: '1000' },
    /** A folder of embeddings, for the process that is measured. */
    evaluate: { type: 'string' }
  }
})

/** Highest resident memory so far, in MiB. */
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024

if (values.evaluate) {
  const [{ openDataset }, { runEvaluation }] = await Promise.all([
    import('../dist/evaluation/datasets/open-dataset.js'),
    import('../dist/evaluation/run/run-evaluation.js')
  ])
  const startMiB = peak()
  const atStart = process.cpuUsage()
  const { seconds, datasets } = await runEvaluation({
    datasets: [await openDataset(values.evaluate)],
    encoders: [],
    tasks: ['retrieval'],
    options: { resamples: Number(values.resamples) }
  })
  const { user, system } = process.cpuUsage(atStart)
  const cpuSeconds = (user + system) / 1e6
  console.log(
    JSON.stringify({
      seconds,
      cpuSeconds,
      startMiB,
      peakMiB: peak(),
      figures: datasets[0].results[0].tasks[0].figures
    })
  )
  process.exit()
}

const run = async (file, args) => (await promisify(execFile)(file, args, { maxBuffer: 1 << 26 })).stdout
const python = (...args) =>
  run('/usr/bin/python3', [fileURLToPath(new URL('./evaluation.py', import.meta.url)), ...args.map(String)])
const round = (value, digits = 1) => Number(value.toFixed(digits))

const rows = []
const figures = {}
for (const pairs of values.pairs.split(',').map(Number)) {
  const folder = await newFolder()
  try {
    await python('make', folder, pairs, values.dimension, values.noise)
    const ours = JSON.parse(
      await run(process.execPath, [
        fileURLToPath(import.meta.url),
        '--evaluate',
        folder,
        '--resamples',
        values.resamples
      ])
    )
    const plain = JSON.parse(await python('rank', folder))
    // Ranks of the whole are much larger than shares of it.
    const differences = Object.entries(plain.figures).map(([name, value]) =>
      Math.abs(ours.figures[name].value / value - 1)
    )
    rows.push({
      pairs,
      seconds: round(ours.seconds),
      'NumPy seconds': round(plain.seconds),
      'times NumPy': round(ours.seconds / plain.seconds, 2),
      'processor seconds': round(ours.cpuSeconds),
      'NumPy processor seconds': round(plain.cpuSeconds),
      'start MiB': round(ours.startMiB, 0),
      'peak MiB': round(ours.peakMiB, 0),
      'beyond start MiB': round(ours.peakMiB - ours.startMiB, 0),
      'NumPy peak MiB': round(plain.peakMiB, 0),
      'largest relative difference': Math.max(...differences)
    })
    figures[pairs] = ours.figures
    console.log(rows.at(-1))
  } finally {
    await rm(folder, { recursive: true })
  }
}
const first = figures[rows.at(-1).pairs]
report(
  'evaluation',
  {
    retrieval: rows,
    figures: Object.entries(first).map(([name, { value, low, high }]) => ({
      name,
      value: round(value, 4),
      low: round(low, 4),
      high: round(high, 4)
    }))
  },
  { dimension: Number(values.dimension), noise: Number(values.noise), resamples: Number(values.resamples) }
)
