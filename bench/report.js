// What the benches print and write: tables on the terminal, and the same in a JSON file.
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The machine and the versions that figures depend on. */
export function machine() {
  return {
    processor: cpus()[0].model,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version
  }
}

/** Prints named tables of rows, and writes all of it to bench/results/NAME.json. */
export function report(name, tables, notes = {}) {
  const { processor, cores, node } = machine()
  console.log(`${name}: ${processor}, ${cores} cores, Node ${node}`)
  for (const [title, rows] of Object.entries(tables)) {
    console.log(`\n${title}`)
    console.table(rows)
  }
  const file = resolve(fileURLToPath(new URL('./results', import.meta.url)), `${name}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    JSON.stringify({ name, at: new Date().toISOString(), machine: machine(), ...notes, tables }, null, 2) +
      '\n'
  )
  console.log(`\nwritten to ${file}`)
}
