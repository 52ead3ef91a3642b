import type { Logger } from 'pino'
import type { Config } from '../config.js'
import { openAuditLog, type AuditLog } from './audit-log.js'
import { openKeyRing, type KeyRing, type KeysReload } from './key-ring.js'

export interface Access {
  keys: KeyRing
  auditLog?: AuditLog
  /** Reads the keys again, and opens the audit log again. */
  reload(): Promise<void>
  close(): void
}

/**
 * Opens the keys and the audit log, and says in the log, and in the audit, what becomes of them. Throws an
 * Error where one can't be opened.
 */
export async function openAccess(
  config: Config,
  { logger, onAuditFailure }: { logger: Logger; onAuditFailure: () => void }
): Promise<Access> {
  const auditLog =
    config.AUDIT_LOG === ''
      ? undefined
      : openAuditLog(config.AUDIT_LOG, (error) => {
          logger.error({ err: error }, "the audit log can't be written to")
          onAuditFailure()
        })
  const onReload = (reload: KeysReload) => {
    if ('error' in reload)
      logger.error(
        { reason: reload.error.message },
        "API_KEYS_FILE can't be used: the previous keys stay in force"
      )
    else logger.info(reload, 'API keys changed')
    auditLog?.write({ operation: 'reloadKeys', ...('error' in reload ? { code: 'KEYS_INVALID' } : reload) })
  }
  const keys = await openKeyRing({
    entries: config.API_KEYS,
    path: config.API_KEYS_FILE,
    onReload,
    onExposure: (warning) => logger.warn(warning)
  }).catch((error) => {
    auditLog?.close()
    throw error
  })
  if (keys.isLocked && keys.size === 0)
    logger.warn('API_KEYS_FILE holds no key: all requests that need a key are rejected')
  return {
    keys,
    auditLog,
    reload: async () => {
      auditLog?.reopen()
      await keys.reload()
    },
    close: () => {
      keys.close()
      auditLog?.close()
    }
  }
}
