import { createInterface } from 'node:readline/promises'
import { showCollection } from '../collection-option.js'
import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import { withStop } from '../with-stop.js'
import type { DropOptions } from './options.js'

/** `semblance collections drop`. */
export async function drop(name: string, { yes = false, quiet, ...options }: DropOptions): Promise<void> {
  if (!yes && !host().stdin.isTTY)
    throw new UsageError(
      `Standard input is not a terminal, so the deletion can't be confirmed; use --yes to drop ` +
        `'${name}' without confirmation.`
    )
  await withStop({ ...options, quiet }, async (service, signal) => {
    const { records } = await showCollection(service, name, signal)
    if (!yes && !(await isMeant(`Permanently delete '${name}' with its ${records} records? [y/N] `, signal)))
      throw new Error(`'${name}' was not dropped.`)
    await service.api.delete('/v1/collections/{collection}', {
      params: { path: { collection: name } },
      signal
    })
    if (!quiet) host().stdout.write(`Dropped '${name}' with ${records} records.\n`)
  })
}

async function isMeant(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: host().stdin, output: host().stderr })
  const stop = new AbortController()
  // On a terminal readline takes Ctrl-C.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT')).once('close', () => stop.abort())
  try {
    return /^y(es)?$/i.test(
      (await terminal.question(question, { signal: AbortSignal.any([signal, stop.signal]) })).trim()
    )
  } catch (error) {
    signal.throwIfAborted()
    // Ctrl-D is no yes.
    if (stop.signal.aborted) return false
    throw error
  } finally {
    terminal.close()
  }
}
