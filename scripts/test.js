// Runs test files, each in a process of its own:
//
//   node scripts/test.js [--jobs N] [--timeout SECONDS] [--tap] FOLDER or FILE...
//
// Prints a line for each file, and all of one that failed; with --tap all of all. `tap run` does the same,
// with loaders in every thread of every process that look at each module: tests that start many threads take
// three times as long with them.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { parseArgs } from 'node:util'

// Of the run as a whole there is none: read when tap is loaded.
process.env.TAP_TIMEOUT = '0'
const { default: t } = await import('tap')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string', default: '2' },
    // For each file.
    timeout: { type: 'string', default: '480' },
    tap: { type: 'boolean', default: false }
  }
})

function testFiles(path) {
  if (statSync(path).isFile()) return [path]
  const names = readdirSync(path, { recursive: true }).filter((name) => name.endsWith('.test.ts'))
  return names.sort().map((name) => join(path, name))
}

/** Prints the result of each file, and all that a file said that failed. */
async function printFailures(results) {
  let said = []
  for await (const line of createInterface({ input: results })) {
    if (line.startsWith(' ') || line.startsWith('# Subtest')) said.push(line)
    else if (line !== '' && !line.startsWith('1..')) {
      if (line.startsWith('not ok')) said.forEach((each) => console.log(each))
      said = []
      console.log(line)
    }
  }
}

if (values.tap) t.pipe(process.stdout)
else void printFailures(t.pipe(new PassThrough()))
t.jobs = Number(values.jobs)
const files = positionals.flatMap(testFiles)
t.plan(files.length)
const timeout = Number(values.timeout) * 1000
for (const file of files) {
  const args = ['--import=./scripts/run-typescript.js', '--enable-source-maps', file]
  const env = { ...process.env, TAP_TIMEOUT: values.timeout }
  t.spawn(process.execPath, args, { buffered: true, timeout, env }, file)
}
