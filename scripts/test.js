// Runs test files:
//
//   node scripts/test.js [--jobs N] [--timeout SECONDS] [--isolate] [--tap] FOLDER or FILE...
//
// Several files share a process, since it takes longer to load the service and its encoder than most files
// take; with --isolate each file has its own. Prints a line for each file, and everything that a failed file
// printed; with --tap it prints the TAP output of all files.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { parseArgs } from 'node:util'

// The run as a whole has no timeout. tap reads this variable when it is loaded.
process.env.TAP_TIMEOUT = '0'
const { default: t } = await import('tap')

const FILES_PER_PROCESS = 10

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string', default: '2' },
    // For each file.
    timeout: { type: 'string', default: '480' },
    isolate: { type: 'boolean', default: false },
    tap: { type: 'boolean', default: false }
  }
})

function testFiles(path) {
  if (statSync(path).isFile()) return [path]
  const names = readdirSync(path, { recursive: true }).filter((name) => name.endsWith('.test.ts'))
  return names.sort().map((name) => join(path, name))
}

/** Prints the result of each file, and everything that a failed file printed. */
async function printFailures(results) {
  let lines = []
  for await (const line of createInterface({ input: results })) {
    const isFileResult = /^ {4}(not )?ok /.test(line)
    if (isFileResult || /^(?! |# Subtest)./.test(line)) {
      if (/^ *not ok/.test(line)) lines.forEach((each) => console.log(each))
      lines = []
      if (isFileResult || /^(not ok|#|TAP)/.test(line)) console.log(line)
    } else lines.push(line)
  }
}

if (values.tap) t.pipe(process.stdout)
else void printFailures(t.pipe(new PassThrough()))

const files = positionals.flatMap(testFiles)
// What begins last keeps the others waiting for its end: large files tend to take long, and go first.
if (values.isolate) files.sort((a, b) => statSync(b).size - statSync(a).size)
const size = values.isolate ? 1 : FILES_PER_PROCESS
const groups = Array.from({ length: Math.ceil(files.length / size) }, (_, n) =>
  files.slice(n * size, (n + 1) * size)
)
t.jobs = Number(values.jobs)
t.plan(groups.length)
for (const group of groups)
  t.spawn(
    'env',
    [
      // tap sets this to have each process and each of its threads followed, and their coverage measured:
      // files took twice as long.
      '--unset=NODE_OPTIONS',
      process.execPath,
      '--import=./scripts/run-typescript.js',
      '--enable-source-maps',
      'scripts/test-process.js'
    ],
    {
      buffered: true,
      timeout: (group.length * Number(values.timeout) + 60) * 1000,
      env: { ...process.env, TEST_FILES: JSON.stringify(group), TEST_TIMEOUT: values.timeout }
    },
    group.length === 1 ? group[0] : `${group[0]} to ${group.at(-1)}`
  )
