import { SingleBar } from 'cli-progress'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { readConfig, type Config } from '../config.js'
import { startServer } from '../server.js'

/** After so long, beside the delay and the drain, a close that does not end is given up, in milliseconds. */
const GIVE_UP_MS = 20_000

/** Serves until SIGTERM or SIGINT; exits with 1 and the reason when it can't start. */
async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.LOG_LEVEL })
  const server = await startServer({ config, logger, onDemoProgress: progressBar() })
  // Where there is something to read again a hang-up asks for that; else it ends the service, as a terminal's does.
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

/** A progress bar on the terminal, or a line now and then where there is none. */
function progressBar(): (loaded: number, total: number) => void {
  const bar = new SingleBar({ format: 'Indexing the demo [{bar}] {value}/{total} pictures, {eta} s left', noTTYOutput: true, notTTYSchedule: 5000, hideCursor: null })
  return (loaded, total) => {
    if (!bar.isActive) bar.start(total, 0)
    bar.update(loaded)
    if (loaded === total) bar.stop()
  }
}

try {
  await serve(readConfig())
} catch (error) {
  process.stderr.write(`Semblance can't start: ${(error as Error).message}\n`)
  process.exit(1)
}
