import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { readConfig, type Config } from '../config.js'
import { startFailure } from './start-failure.js'
import { startServer } from '../server.js'
import { bar, liveLines, paceOf } from './live-lines.js'

/** After so long, beside the delay and the drain, a close that does not end is given up, in milliseconds. */
const GIVE_UP_MS = 20_000

/** Serves until SIGTERM or SIGINT; exits with 1 and the reason when it can't start. */
async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.LOG_LEVEL })
  const server = await startServer({ config, logger, onDemoProgress: demoProgress() })
  // Where there is something to read again a hang-up asks for that; else it ends the service, as a terminal's
  // does.
  const isReloadable = config.API_KEYS_FILE !== '' || config.AUDIT_LOG !== ''
  if (isReloadable) process.on('SIGHUP', () => void server.reload())
  const delay = config.SHUTDOWN_DELAY_MS + config.DRAIN_TIMEOUT_MS + GIVE_UP_MS
  closeWithGrace({ delay, logger, ...(isReloadable && { skip: ['SIGHUP'] }) }, async ({ signal, err }) => {
    if (err) logger.fatal({ err }, 'closing after an error')
    else logger.info({ signal }, 'draining')
    await server.close()
    logger.info('closed')
  })
}

/**
 * A bar on the terminal, or a line now and then: where the log goes to the same terminal it would be drawn
 * over.
 */
function demoProgress(): (loaded: number, total: number) => void {
  const { stdout, stderr } = process
  let [done, total] = [0, 0]
  const startedAt = performance.now()
  const lines = liveLines(stderr, stderr.isTTY && !stdout.isTTY ? 'live' : 'lines', () => {
    const { secondsLeft = '-' } = paceOf({ done, total, startedAt })
    return [`Indexing the demo ${bar(done, total)} ${done}/${total} pictures, ${secondsLeft} s left`]
  })
  return (loaded, of) => {
    ;[done, total] = [loaded, of]
    lines.start()
    if (loaded === of) lines.stop()
  }
}

try {
  await serve(readConfig())
} catch (error) {
  process.stderr.write(`Semblance can't start: ${startFailure(error)}\n`)
  process.exit(1)
}
