import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { JobNotFound } from '../../errors.js'
import { isOpen, type Job, type ReindexJob } from '../../jobs/job.js'
import { OwnCollectionParams, responses } from '../schemas.js'
import { EvaluationBody, toEvaluationBody } from './evaluation-body.js'
import { knowledgeOf, mayKnow } from './collection-reach.js'
import { ENDED, jobParts, partsOf } from './job-body.js'
import { optionalBody } from './optional-body.js'
import type { App, Services } from './services.js'

const ReindexJobBody = Type.Object({
  ...jobParts,
  kind: Type.Literal('reindex'),
  state: Type.Enum(['running', ...ENDED]),
  progress: Type.Object({ done: Type.Integer(), total: Type.Integer() }, { description: 'Records.' }),
  collection: Type.String(),
  model: Type.String({ description: 'The model that encodes the collection.' }),
  fingerprint: Type.String(),
  skip_missing: Type.Boolean(),
  missing: Type.Object(
    {
      count: Type.Integer(),
      records: Type.Array(
        Type.Object({ id: Type.String(), modality: Type.Enum(['image', 'text']), reason: Type.String() })
      )
    },
    { description: 'Embeddings that cannot be computed again: their number, and the first 1,000.' }
  )
})

const JobBody = Type.Union([ReindexJobBody, EvaluationBody], {
  description: 'By `kind`: a re-index or an evaluation.'
})

const ReindexBody = Type.Object(
  {
    model: Type.Optional(Type.String({ description: 'By default the first loaded model.' })),
    skip_missing: Type.Optional(
      Type.Boolean({
        description:
          'Continue without the embeddings of images that were not kept; by default the job fails and ' +
          'lists them.'
      })
    )
  },
  { additionalProperties: false, examples: [{ model: 'mini' }] }
)

const JobParams = Type.Object({
  id: Type.String({
    format: 'uuid',
    description: 'Id of a job.',
    examples: ['3f0e8a52-8c38-4b7e-8f2a-6d0f4f8f7a11']
  })
})
const tags = ['Jobs']

/** Event streams are kept open through proxies by a comment this often. */
const HEARTBEAT_MS = 15_000

/** Re-indexing, and following what runs in the background. */
export function jobRoutes(app: App, { jobs, collections }: Services): void {
  // Of collections that the caller may not know of there are no jobs.
  const jobOf = async (
    request: Pick<FastifyRequest, 'reaches' | 'caller'> & { params: { id: string } }
  ): Promise<Job> => {
    const job = jobs.get(request.params.id)
    if (!(await mayKnow(request, job, collections))) throw new JobNotFound(job.id)
    return job
  }
  app.post(
    '/v1/collections/:collection/reindex',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        operationId: 'reindexCollection',
        summary: 'Re-index a collection with a loaded model',
        description:
          'Runs in the background: kept images and texts are encoded again while the old embeddings ' +
          'keep serving, until the new ones replace them at once. The job survives restarts. To search ' +
          'by text and image in the meantime, the old model must stay loaded.',
        params: OwnCollectionParams,
        body: ReindexBody,
        response: responses({ 202: ReindexJobBody })
      },
      preValidation: optionalBody
    },
    async ({ params, body }, reply) => {
      const { model, skip_missing: skipMissing = false } = body as Static<typeof ReindexBody>
      const job = await jobs.start('reindex', { collection: params.collection, model, skipMissing })
      return reply.code(202).header('location', `/v1/jobs/${job.id}`).send(toReindexBody(job))
    }
  )
  app.get(
    '/v1/jobs',
    {
      schema: {
        tags,
        operationId: 'listJobs',
        summary: 'List the jobs, the latest first',
        response: responses({ 200: Type.Object({ jobs: Type.Array(JobBody) }) })
      }
    },
    async (request) => ({
      jobs: jobs
        .list()
        .filter(await knowledgeOf(request, collections))
        .map(toBody)
    })
  )
  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        tags,
        operationId: 'getJob',
        summary: 'Show a job',
        params: JobParams,
        response: responses({ 200: JobBody })
      }
    },
    async (request) => toBody(await jobOf(request))
  )
  app.get(
    '/v1/jobs/:id/events',
    {
      config: { streams: true },
      schema: {
        tags,
        operationId: 'followJob',
        summary: 'Follow a job',
        description:
          'Server-sent events: `progress` after each change of the job, `end` when it has ended; the ' +
          'data is the job.',
        params: JobParams,
        produces: ['text/event-stream'],
        response: responses({
          200: Type.Unsafe<Readable>({ type: 'string', description: 'text/event-stream' })
        })
      }
    },
    async (request, reply) => {
      const { params, callOptions } = request
      // Before the first byte, so that one that is not there gets its 404.
      await jobOf(request)
      reply
        .header('content-type', 'text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
      return reply.send(eventStream(jobs.watch(params.id, callOptions.signal)))
    }
  )
  app.delete(
    '/v1/jobs/:id',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        operationId: 'cancelJob',
        summary: 'Cancel a job',
        params: JobParams,
        response: responses({ 200: JobBody })
      }
    },
    async (request) => toBody(await jobs.cancel((await jobOf(request)).id))
  )
}

/**
 * Server-sent events of a job. One is made when the one before is taken, from the job as it is then: a slow
 * reader misses states, and none pile up.
 */
function eventStream(states: AsyncGenerator<Job>): Readable {
  let wake: (() => void) | undefined
  const stream = new Readable({ read: () => wake?.() })
  const heartbeat = setInterval(() => stream.readableLength === 0 && stream.push(':\n\n'), HEARTBEAT_MS)
  stream.once('close', () => {
    clearInterval(heartbeat)
    wake?.()
  })
  const pump = async () => {
    for await (const job of states) {
      if (stream.destroyed) return
      const isTaken = new Promise<void>((resolve) => (wake = resolve))
      if (
        !stream.push(
          `event: ${isOpen(job) ? 'progress' : 'end'}\ndata: ${JSON.stringify(toBody(job))}\n\n`
        ) &&
        isOpen(job)
      )
        await isTaken
    }
    stream.push(null)
  }
  pump().catch((error: Error) => stream.destroy(error))
  return stream
}

function toBody(job: Job): Static<typeof JobBody> {
  return job.kind === 'reindex' ? toReindexBody(job) : toEvaluationBody(job)
}

function toReindexBody(job: ReindexJob): Static<typeof ReindexJobBody> {
  const { kind, collection, model, fingerprint, skipMissing, state, progress, missing } = job
  // None waits for another.
  return {
    ...partsOf(job),
    kind,
    collection,
    model,
    fingerprint,
    skip_missing: skipMissing,
    state: state as Exclude<typeof state, 'queued'>,
    progress,
    missing
  }
}
