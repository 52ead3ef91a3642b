import { Command } from 'commander'

/**
 * `semblance serve`: what `npm start` does. Its module is loaded only when it runs, with ONNX Runtime and
 * all.
 */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the HTTP service, configured by the environment.')
    .action(async () => {
      await import('./serve.js')
    })
}
