import { Option, type Command } from 'commander'
import type { Client } from '../client/client.js'

/** A running service that a command speaks to. */
export interface Service {
  /** Without a slash at its end. */
  url: string
  /** Its API. */
  api: Client
  /**
   * A plain call, for what is streamed in or out. Answers with a status of 2xx, or throws as the API does.
   */
  send(path: string, init?: Sending): Promise<Response>
  close(): Promise<void>
}

export interface Sending {
  method?: string
  headers?: Record<string, string>
  body?: ReadableStream<Uint8Array>
  signal?: AbortSignal
}

export interface ServiceOptions {
  url?: string
  apiKey?: string
  quiet?: boolean
}

/** Where a service is by default. */
export const USUAL_URL = 'http://localhost:8080'

/** Adds the options that say which service is meant. */
export function withService(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--url <url>',
        `URL of the running service (default: ${USUAL_URL} if a service runs there, else one that this ` +
          'command starts over DATA_DIR)'
      ).env('SEMBLANCE_URL')
    )
    .addOption(
      new Option(
        '--api-key <key>',
        'API key; prefer SEMBLANCE_API_KEY, because other users can see the command line'
      ).env('SEMBLANCE_API_KEY')
    )
    .option('-q, --quiet', 'print only errors and the result')
}
