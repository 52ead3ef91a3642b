import { Command } from 'commander'
import { bytes } from '../../hub/bytes.js'
import type { InstalledPackage } from '../../hub/installed.js'
import { table } from '../../terminal/table.js'
import { host } from '../host.js'

interface ListOptions {
  json?: boolean
  modelsDir?: string
}

/** `semblance models list`. */
export function listCommand(): Command {
  return new Command('list')
    .description('List the model packages under MODELS_DIR.')
    .option('--json', 'print JSON')
    .action(runList)
}

async function runList(options: ListOptions): Promise<void> {
  const { inspectPackage, packageNames } = await import('../../hub/installed.js')
  const { modelsConfig } = await import('./models-config.js')
  const { MODELS_DIR: modelsDir } = modelsConfig(options)
  const packages: InstalledPackage[] = []
  for (const name of await packageNames(modelsDir)) packages.push(await inspectPackage(modelsDir, name))
  if (options.json) host().stdout.write(`${JSON.stringify(packages, null, 2)}\n`)
  else if (packages.length === 0) host().stdout.write(`There are no packages under ${modelsDir}.\n`)
  else host().stdout.write(table([['NAME', 'VISION', 'TEXT', 'SIZE', 'SOURCE'], ...packages.map(row)]))
}

function row({ name, towers, bytes: size, source }: InstalledPackage): string[] {
  return [name, towers.vision.join(',') || '-', towers.text.join(',') || '-', bytes(size), source]
}
