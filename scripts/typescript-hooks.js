import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/typescript/', import.meta.url))
/** Goes into the names in the cache: one more whenever what is made of a source changes. */
const EDITION = 1

const TEST_OF_FILE = new URL('./test-of-file.js', import.meta.url).href

/**
 * TypeScript imports what will be compiled: `./a.js` is `./a.ts` if there is no such file. In a test file
 * 'tap' is the subtest of that file.
 */
export async function resolve(specifier, context, next) {
  if (specifier === 'tap' && context.parentURL && new URL(context.parentURL).pathname.endsWith('.test.ts'))
    return { url: `${TEST_OF_FILE}?${encodeURIComponent(context.parentURL)}`, shortCircuit: true }
  if (/^(\.|file:).*\.js$/.test(specifier)) {
    const url = new URL(specifier, context.parentURL)
    const source = new URL(url.href.replace(/\.js$/, '.ts'))
    if (url.protocol === 'file:' && existsSync(source) && !existsSync(url)) return next(source.href, context)
  }
  return next(specifier, context)
}

/** TypeScript without its types, made once for each text of a file. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', source: await compiled(path, await readFile(path, 'utf8')), shortCircuit: true }
}

async function compiled(path, text) {
  const cached = `${CACHE}${createHash('sha256').update(`${EDITION}\0${path}\0${text}`).digest('hex')}.js`
  try {
    return await readFile(cached, 'utf8')
  } catch {
    const code = await compile(path, text)
    await mkdir(CACHE, { recursive: true })
    // Several threads may be at it at once, and none is to read a half.
    const partial = `${cached}.${process.pid}-${threadId}`
    await writeFile(partial, code)
    await rename(partial, cached)
    return code
  }
}

async function compile(path, text) {
  const { default: ts } = await import('typescript')
  const { ESNext } = ts.ModuleKind
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ESNext,
    verbatimModuleSyntax: true,
    inlineSourceMap: true,
    inlineSources: true
  }
  return ts.transpileModule(text, { fileName: path, compilerOptions }).outputText
}
