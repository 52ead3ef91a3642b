import { Command } from 'commander'
import { bytes } from '../hub/bytes.js'
import { inspectPackage, packageNames, type InstalledPackage } from '../hub/installed.js'
import { modelsConfig } from './models-config.js'

interface ListOptions {
  json?: boolean
  modelsDir?: string
}

/** `semblance models list`. */
export function listCommand(): Command {
  return new Command('list').description('List the model packages under MODELS_DIR.').option('--json', 'as JSON').action(runList)
}

async function runList(options: ListOptions): Promise<void> {
  const { MODELS_DIR: modelsDir } = modelsConfig(options)
  const packages: InstalledPackage[] = []
  for (const name of await packageNames(modelsDir)) packages.push(await inspectPackage(modelsDir, name))
  if (options.json) process.stdout.write(`${JSON.stringify(packages, null, 2)}\n`)
  else if (packages.length === 0) process.stdout.write(`There are no packages under ${modelsDir}.\n`)
  else process.stdout.write(table([['NAME', 'VISION', 'TEXT', 'SIZE', 'SOURCE'], ...packages.map(row)]))
}

function row({ name, towers, bytes: size, source }: InstalledPackage): string[] {
  return [name, towers.vision.join(',') || '-', towers.text.join(',') || '-', bytes(size), source]
}

function table(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)))
  return rows.map((cells) => `${cells.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}\n`).join('')
}
