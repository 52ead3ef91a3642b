// Everyday queries to the demo collection of a running service: how often the first match, or one of the
// first three, is right, by what is searched. A query is right where the name of the record fits its pattern.
//
//   node bench/everyday.js --queries <file> [--url http://localhost:8080] [--collection emoji] [--misses]
//
// The file is a JSON array of {"kind", "query", "right"}, `right` a regular expression for the record's text.
// --misses prints the queries whose first match is wrong.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    queries: { type: 'string' },
    url: { type: 'string', default: 'http://localhost:8080' },
    collection: { type: 'string', default: 'emoji' },
    misses: { type: 'boolean', default: false }
  }
})
if (values.queries === undefined) {
  console.error(
    'usage: node bench/everyday.js --queries <file> [--url <url>] [--collection <name>] [--misses]'
  )
  process.exit(64)
}

/** What is searched, by the name of the row. */
const MODES = {
  'pictures (default)': {},
  texts: { target: 'text' },
  'record, rrf': { target: 'record' },
  'record, weighted z-score': { target: 'record', fusion: { method: 'weighted', normalisation: 'z-score' } },
  'record, joint': { target: 'record', fusion: { method: 'joint' } }
}
const TOP = 3

/** The texts of the first matches. */
async function search(query, mode) {
  const response = await fetch(`${values.url}/v1/collections/${values.collection}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: { text: query }, limit: TOP, with: ['text'], ...mode })
  })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()).matches.map(({ text }) => text)
}

const queries = JSON.parse(await readFile(values.queries, 'utf8'))
const kinds = [...new Set(queries.map(({ kind }) => kind))]
const share = (list, holds) => (list.filter(holds).length / list.length).toFixed(2)
const rows = {}
for (const [name, mode] of Object.entries(MODES)) {
  const asked = []
  for (const { kind, query, right } of queries) {
    const found = await search(query, mode)
    const rank = found.findIndex((text) => new RegExp(right, 'i').test(text))
    asked.push({ kind, rank })
    if (values.misses && rank !== 0) console.log(`${name}: ${query} -> ${found.join(', ')}`)
  }
  const [first, top] = [({ rank }) => rank === 0, ({ rank }) => rank >= 0]
  rows[name] = {
    'right at rank 1': share(asked, first),
    [`in the top ${TOP}`]: share(asked, top),
    ...Object.fromEntries(
      kinds.map((kind) => [
        kind,
        share(
          asked.filter((each) => each.kind === kind),
          first
        )
      ])
    )
  }
}
console.log(`${queries.length} queries; by kind: right at rank 1`)
console.table(rows)
