import { Type } from 'typebox'
import type { Job } from '../../jobs/job.js'

/** How a job may have ended. */
export const ENDED = ['done', 'failed', 'cancelled'] as const

/** What every job has on the wire, beside its state and how far it is. */
export const jobParts = {
  id: Type.String(),
  error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: Type.String({ format: 'date-time' }),
  ended_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
}

/** These parts of a job. */
export function partsOf({ id, error, createdAt, endedAt }: Job) {
  return {
    id,
    error,
    created_at: new Date(createdAt).toISOString(),
    ended_at: endedAt === null ? null : new Date(endedAt).toISOString()
  }
}
