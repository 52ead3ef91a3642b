import { resolve } from 'node:path'
import { pino } from 'pino'
import { readConfig } from '../config.js'
import { startServer } from '../server.js'
import type { Announcement } from './own-service.js'

/** Serves for the command that started this: it is told the address, and when it goes, so does this. */
async function serveParent(): Promise<void> {
  // Ctrl-C reaches both; the command ends first, with what it has under way.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  const left = new Promise<void>((done) => process.once('disconnect', done).once('SIGTERM', done))
  const config = readConfig()
  const server = await startServer({ config, logger: pino({ level: config.LOG_LEVEL }) })
  await announce({ url: server.url, dataDir: resolve(config.DATA_DIR) })
  await left
  await server.close()
}

function announce(announcement: Announcement): Promise<void> {
  // Whoever left meanwhile hears nothing; that is seen by the disconnect.
  return new Promise((sent) => (process.connected ? process.send!(announcement, () => sent()) : sent()))
}

try {
  await serveParent()
  process.exit(0)
} catch (error) {
  await announce({ error: (error as Error).message })
  process.exit(1)
}
