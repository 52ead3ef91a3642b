// Writes the card of a model from a report that `semblance evaluate --json` wrote, with the pictures of the
// datasets that are named:
//   npm run card -- report.json models/mini scenes
import { readFile } from 'node:fs/promises'

const [report, folder, ...pictures] = process.argv.slice(2)
if (folder === undefined) {
  console.error(
    'usage: npm run card -- <report.json> <folder of the model> [datasets whose pictures may be passed on...]'
  )
  process.exit(64)
}
const [{ writeCard }, { fromJson }] = await Promise.all([
  import('../dist/evaluation/report/card.js'),
  import('../dist/evaluation/report/json.js')
])
const read = fromJson(JSON.parse(await readFile(report, 'utf8')))
const unknown = pictures.find((name) => !read.datasets.some((dataset) => dataset.name === name))
if (unknown !== undefined) {
  console.error(
    `There is no dataset '${unknown}' in ${report}; there are ` +
      `${read.datasets.map(({ name }) => `'${name}'`).join(', ')}.`
  )
  process.exit(64)
}
await writeCard(read, folder, { pictures })
