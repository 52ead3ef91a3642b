import { Command } from 'commander'
import { bytes } from '../hub/bytes.js'
import { host } from './host.js'
import { withService, type ServiceOptions } from './service.js'
import { table } from '../terminal/table.js'
import { withStop } from './with-stop.js'

const EXAMPLES = `
Examples:
  $ semblance snapshot images
  $ semblance snapshot images --json | jq '.snapshots[].bytes'`

/** `semblance snapshot`. */
export function snapshotCommand(): Command {
  return withService(new Command('snapshot'))
    .description(
      'Save the HNSW graphs of a collection now, so that the next start of the service does not build ' +
        "them. To copy the records, see 'semblance backup'."
    )
    .argument('<collection>')
    .option('--json', 'print the service\'s response: {"snapshots": [...]}')
    .addHelpText('after', EXAMPLES)
    .action(runSnapshot)
}

async function runSnapshot(
  collection: string,
  { json, ...options }: ServiceOptions & { json?: boolean }
): Promise<void> {
  await withStop(options, async ({ api }, signal) => {
    const answer = await api.post('/v1/collections/{collection}/snapshot', {
      params: { path: { collection } },
      signal
    })
    const { snapshots } = answer
    if (json) host().stdout.write(`${JSON.stringify(answer)}\n`)
    else if (snapshots.length === 0) host().stdout.write(`'${collection}' has no embeddings to save.\n`)
    else
      host().stdout.write(
        table([
          ['GRAPH', 'RECORDS', 'SIZE', 'TOOK'],
          ...snapshots.map(({ modality, records, bytes: size, took_ms: took }) => [
            modality,
            String(records),
            bytes(size),
            `${(took / 1000).toFixed(1)} s`
          ])
        ])
      )
  })
}
