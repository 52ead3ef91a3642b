import { Command } from 'commander'
import type { Verification } from '../../hub/verify.js'
import { host } from '../host.js'

interface VerifyOptions {
  json?: boolean
  modelsDir?: string
}

/** `semblance models verify`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('Compare one or all packages with the checksums they were pulled with.')
    .argument('[name]', "name of the package, as 'models list' shows it")
    .option('--json', 'print JSON')
    .action(runVerify)
}

async function runVerify(name: string | undefined, options: VerifyOptions): Promise<void> {
  const { packageNames } = await import('../../hub/installed.js')
  const { verifyPackage } = await import('../../hub/verify.js')
  const { modelsConfig } = await import('./models-config.js')
  const { MODELS_DIR: modelsDir } = modelsConfig(options)
  const names = await packageNames(modelsDir)
  if (name !== undefined && !names.includes(name))
    throw new Error(`There is no package '${name}' under ${modelsDir}: see 'semblance models list'.`)
  const verifications: Verification[] = []
  for (const one of name === undefined ? names : [name])
    verifications.push(await verifyPackage(modelsDir, one))
  if (options.json) host().stdout.write(`${JSON.stringify(verifications, null, 2)}\n`)
  else host().stdout.write(verifications.map(report).join(''))
  const different = verifications
    .filter(({ status }) => status === 'different')
    .map((verification) => verification.name)
  if (different.length > 0)
    throw new Error(
      `${different.join(', ')} differ${different.length === 1 ? 's' : ''} from what was pulled: ` +
        `run 'semblance models pull' to repair.`
    )
}

function report({ name, status, missing, changed, extra }: Verification): string {
  const lines = [
    ...missing.map((path) => `missing  ${path}`),
    ...changed.map((path) => `changed  ${path}`),
    ...extra.map((path) => `extra    ${path}`)
  ]
  const verdict =
    status === 'unverifiable' ? 'unverifiable: it was not pulled, so there are no checksums' : status
  return [`${name}: ${verdict}`, ...lines.map((line) => `  ${line}`)].join('\n') + '\n'
}
