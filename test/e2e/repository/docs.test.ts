import { existsSync } from 'node:fs'
import { cp, readFile, readdir, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { blocksOf, difference, runSteps, stepsOf } from '../../fixtures/pages.js'
import { demoSlice } from '../../fixtures/demo-slice.js'
import { testServer } from '../../fixtures/server.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFile(new URL(path, root), 'utf8')
const folder = async (path: string) =>
  (await readdir(new URL(path, root)))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${path}/${name}`)

/** What a block may be: run, shown as an output, or run by a test of its own (test/e2e/nginx.test.ts). */
const LANGUAGES = ['sh', 'python', 'js', 'json', 'text', 'nginx']
/** How many blocks of the pages can't run here; each says why. */
const NOT_RUN: Record<string, number> = {
  'README.md': 3,
  'docs/tutorial.md': 2,
  'docs/operations.md': 4,
  'docs/how-to/choose-a-model.md': 3,
  'docs/how-to/evaluate.md': 1,
  'docs/how-to/gpu.md': 3,
  'docs/how-to/move-here.md': 3,
  'docs/how-to/nginx.md': 2,
  'docs/explanation/limits.md': 1
}
const pages = [
  'README.md',
  ...(await folder('docs')),
  ...(await folder('docs/how-to')),
  ...(await folder('docs/explanation'))
]

t.test('the commands of the docs run as they stand', async (t) => {
  const base = t.testdir(
    Object.fromEntries(['data', ...pages.map((page) => page.replaceAll('/', '-'))].map((name) => [name, {}]))
  )
  const { url, api } = await testServer(t, { DATA_DIR: `${base}/data` })
  await demoSlice(api)
  for (const page of pages) {
    await t.test(page, async (t) => {
      const cwd = `${base}/${page.replaceAll('/', '-')}`
      if (page === 'docs/tutorial.md')
        await symlink(fileURLToPath(new URL('node_modules', root)), `${cwd}/node_modules`)
      if (page === 'docs/how-to/evaluate.md')
        await cp(new URL('../../fixtures/datasets/small/images', import.meta.url), `${cwd}/photos`, {
          recursive: true
        })
      if (page === 'docs/how-to/move-here.md')
        await cp(new URL('../../fixtures/exports', import.meta.url), cwd, { recursive: true })
      const blocks = blocksOf(await read(page))
      t.equal(blocks.filter(({ notRun }) => notRun).length, NOT_RUN[page] ?? 0, 'blocks that are not run')
      t.same(
        blocks.filter(({ language }) => !LANGUAGES.includes(language)),
        [],
        'blocks of another language, which nothing would run'
      )
      const steps = stepsOf(blocks)
      const { outputs, code, stderr } = await runSteps(steps, { url, cwd })
      t.equal(code, 0, `to the last command: ${stderr.slice(-1000)} ${outputs.at(-1)?.slice(-1000)}`)
      t.equal(outputs.length, steps.length, 'each block')
      for (const [i, output] of outputs.entries()) {
        const { block, shown } = steps[i]
        if (shown) t.equal(difference(shown, output), undefined, `what ${block.code.split('\n')[0]} prints`)
        if (!shown?.includes('{"error"')) t.notMatch(output, /^\{"error"/m, block.code.split('\n')[0])
      }
    })
  }
})

/** What a heading is called in links to it, as GitHub makes it. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll('`', '')
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

t.test('links between the pages lead somewhere', async (t) => {
  const below = await readdir(new URL('docs', root), { recursive: true })
  const all = [...(await readdir(root)), ...below.map((name) => `docs/${name}`)].filter((name) =>
    name.endsWith('.md')
  )
  const headings = async (path: string) =>
    [...(await read(path)).replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      anchor(heading)
    )
  let links = 0
  for (const page of all) {
    const text = (await read(page)).replaceAll(/^```[\s\S]*?^```$/gm, '')
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file, fragment] = target.split('#')
      const path = file ? new URL(file, new URL(page, root)).href.slice(root.href.length) : page
      t.ok(existsSync(new URL(path, root)), `${page}: ${target}`)
      if (fragment) t.ok((await headings(path)).includes(fragment), `${page}: ${target}`)
      links++
    }
  }
  t.ok(links > 50, `${links} links`)
})
