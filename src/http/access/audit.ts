import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { describeError } from '../error-shape.js'
import { scopeOf } from './access.js'
import type { AuditLog } from '../../access/audit-log.js'

/** What became of records. */
export type Change = 'created' | 'updated' | 'deleted' | 'failed'

interface Report {
  /**
   * Made here for each request: callers choose their `request_id`, and may send one twice or that of another.
   */
  eventId: string
  changes: Partial<Record<Change, number>>
  details: Record<string, string>
  code?: string
  /** Whether the answer has been made, and whether the connection is done with it. */
  made: boolean
  closed: boolean
  written: boolean
  rest?: NodeJS.Immediate
}

declare module 'fastify' {
  interface FastifyRequest {
    auditReport?: Report
    /** Counts records that this request changed, for the audit log. */
    countChanges(change: Change, count?: number): void
    /** Says more of what was asked for than its path does, for the audit log. */
    describeChange(details: Record<string, string>): void
  }
}

/**
 * Writes a line for every request that asks for a change, and for every one that was refused (401, 403): when
 * it was answered or, where the client left before, when its work has ended. It must be registered before
 * what refuses.
 */
export const audit = plugin(async (app, { log }: { log?: AuditLog }) => {
  app.decorateRequest('auditReport')
  app.decorateRequest('countChanges', function (this: FastifyRequest, change: Change, count = 1) {
    const report = this.auditReport
    if (!log || !report || count === 0) return
    report.changes[change] = (report.changes[change] ?? 0) + count
    // What a stream was at when its client left is told of in a line of its own.
    if (report.written) report.rest ??= setImmediate(() => writeRest(log, this, report))
  })
  app.decorateRequest('describeChange', function (this: FastifyRequest, details: Record<string, string>) {
    Object.assign(this.auditReport?.details ?? {}, details)
  })
  if (!log) return
  app.addHook('onRequest', async (request, reply) => {
    const report: Report = {
      eventId: randomUUID(),
      changes: {},
      details: {},
      made: false,
      closed: false,
      written: false
    }
    request.auditReport = report
    reply.raw.once('close', () => {
      report.closed = true
      if (report.made) write(log, { request, reply, report })
    })
  })
  app.addHook('onError', async ({ auditReport }, _, error) => {
    if (auditReport) auditReport.code = describeError(error).code
  })
  app.addHook('onSend', async (request, reply) => {
    const report = request.auditReport
    if (!report) return
    report.made = true
    if (report.closed && !report.written) write(log, { request, reply, report })
  })
})

function write(
  log: AuditLog,
  { request, reply, report }: { request: FastifyRequest; reply: FastifyReply; report: Report }
): void {
  const { statusCode } = reply
  const scope = scopeOf(request)
  const isChange = !request.is404 && (scope === 'write' || scope === 'admin') && request.method !== 'OPTIONS'
  if (!isChange && statusCode !== 401 && statusCode !== 403) return
  report.written = true
  log.write({
    ...subject(request),
    status: statusCode,
    ...(report.code && { code: report.code }),
    ...records(report),
    ...(!reply.raw.writableFinished && { client_gone: true })
  })
}

function writeRest(log: AuditLog, request: FastifyRequest, report: Report): void {
  report.rest = undefined
  log.write({ ...subject(request), ...records(report), client_gone: true })
}

/** Who asked for what. Paths are told by their route: no query, no body, no key. */
function subject({
  id,
  caller,
  ip,
  method,
  routeOptions,
  params,
  auditReport
}: FastifyRequest): Record<string, unknown> {
  const { collection, id: item, name } = (params ?? {}) as { collection?: string; id?: string; name?: string }
  const { operationId } = (routeOptions.schema ?? {}) as { operationId?: string }
  return {
    event_id: auditReport?.eventId,
    request_id: id,
    key: caller?.name ?? null,
    address: ip,
    method,
    route: routeOptions.url ?? null,
    ...(operationId && { operation: operationId }),
    ...(collection !== undefined && { collection }),
    ...(item !== undefined && { id: item }),
    ...(name !== undefined && { name }),
    ...auditReport?.details
  }
}

/** The counts since the last line of this request. */
function records(report: Report): { records?: Report['changes'] } {
  const { changes } = report
  report.changes = {}
  return Object.keys(changes).length > 0 ? { records: changes } : {}
}
