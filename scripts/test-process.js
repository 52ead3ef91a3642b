// Runs test files one after the other in this process, each as a subtest. What it runs is in the
// environment, since tap names the folders of `t.testdir()` after the arguments.
import { pathToFileURL } from 'node:url'
import t from 'tap'

const files = JSON.parse(process.env.TEST_FILES)
const timeout = Number(process.env.TEST_TIMEOUT) * 1000
t.setTimeout(0)
t.plan(files.length)
for (const file of files)
  void t.test(file, { timeout }, async (t) => {
    // What `import t from 'tap'` is in the file: see typescript-hooks.js.
    globalThis[Symbol.for('semblance.test')] = t
    await import(pathToFileURL(file).href)
  })
