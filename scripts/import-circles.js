import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

// Fails where files of src or web/src import each other in a circle, be it for types alone.
const files = ['src', 'web/src'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name))
)
const circles = circlesOf(new Map(files.map((file) => [file, importsOf(file)])))
for (const circle of circles)
  process.stderr.write(`These files import each other:\n  ${circle.join('\n  ')}\n`)
process.exit(circles.length === 0 ? 0 : 1)

/** The files of this repository that a file imports, by `import`, `export from` and `import()`. */
function importsOf(file) {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .flatMap(({ fileName }) => {
      const path = join(dirname(file), fileName)
      const candidates = [
        path.replace(/\.js$/, '.ts'),
        path.replace(/\.js$/, '.tsx'),
        `${path}.ts`,
        `${path}.tsx`
      ]
      return candidates.find((candidate) => existsSync(candidate)) ?? []
    })
}

/** The strongly connected components of more than one file, by Tarjan's algorithm. */
function circlesOf(graph) {
  const found = []
  const order = new Map()
  const stack = []
  const visit = (file) => {
    const index = order.size
    order.set(file, index)
    stack.push(file)
    let lowest = index
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next))
      else if (stack.includes(next)) lowest = Math.min(lowest, order.get(next))
    }
    if (lowest === index) {
      const component = stack.splice(stack.indexOf(file))
      if (component.length > 1) found.push(component.sort())
    }
    return lowest
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}
