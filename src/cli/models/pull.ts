import { Command, Option } from 'commander'
import { bytes } from '../../hub/bytes.js'
import type { Pulled } from '../../hub/pull.js'
import { parseRepo } from '../../hub/repo-name.js'
import { VARIANTS, type Variant } from '../../packages/variants.js'
import { host } from '../host.js'
import { stopSignal } from '../stop-signal.js'

interface PullOptions {
  variant?: Variant
  modelsDir?: string
}

/** `semblance models pull`. */
export function pullCommand(): Command {
  return new Command('pull')
    .description(
      'Download a model from the Hugging Face hub, or from HF_ENDPOINT, into MODELS_DIR; run it ' +
        'again to continue.'
    )
    .argument('<repo[@revision]>', 'owner/name, with a branch, tag or commit if not main')
    .addOption(
      new Option(
        '--variant <variant>',
        'precision of the towers (default: MODEL_VARIANT, else fp32)'
      ).choices(VARIANTS)
    )
    .action(runPull)
}

async function runPull(repoRevision: string, options: PullOptions): Promise<void> {
  const { repo, revision } = parseRepo(repoRevision)
  const { closeHub, openHub } = await import('../../hub/hub.js')
  const { pull } = await import('../../hub/pull.js')
  const { modelsConfig } = await import('./models-config.js')
  const {
    MODELS_DIR: modelsDir,
    MODEL_VARIANT,
    HF_ENDPOINT: endpoint,
    HF_TOKEN: token
  } = modelsConfig(options)
  const variant = options.variant ?? MODEL_VARIANT
  const { pullProgress } = await import('./pull-progress.js')
  const progress = pullProgress(host().stderr)
  const { signal, exitCode, release } = stopSignal()
  const hub = openHub({ endpoint, signal, onRetry: progress.onRetry, ...(token && { token }) })
  try {
    const pulled = await pull(hub, { repo, revision, variant, modelsDir, ...progress })
    progress.stop()
    host().stdout.write(`${summary(repo, variant, pulled)}\n`)
  } catch (error) {
    progress.stop()
    if (!signal.aborted) throw error
    host().stderr.write('Stopped. Downloaded data is kept: run the same command again to continue.\n')
    host().exitCode = exitCode()
  } finally {
    release()
    await closeHub(hub)
  }
}

function summary(repo: string, variant: Variant, { commit, downloaded, changed, folder }: Pulled): string {
  const name = `${repo}@${commit.slice(0, 12)} (${variant})`
  if (!changed) return `${name} is already up to date.`
  const size = bytes(downloaded.reduce((sum, file) => sum + file.size, 0))
  return `Pulled ${name}: ${downloaded.length} files downloaded, ${size}, into ${folder}.`
}
