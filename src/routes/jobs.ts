import { Readable } from 'node:stream'
import { Type, type Static } from 'typebox'
import type { Job } from '../jobs.js'
import { CollectionParams, responses } from '../schemas.js'
import { optionalBody } from './optional-body.js'
import type { App, Services } from './services.js'

const JobBody = Type.Object({
  id: Type.String(),
  kind: Type.Literal('reindex'),
  collection: Type.String(),
  model: Type.String({ description: 'The model that the collection is encoded with.' }),
  fingerprint: Type.String(),
  skip_missing: Type.Boolean(),
  state: Type.Enum(['running', 'done', 'failed', 'cancelled']),
  progress: Type.Object({ done: Type.Integer(), total: Type.Integer() }, { description: 'Records.' }),
  missing: Type.Object(
    { count: Type.Integer(), records: Type.Array(Type.Object({ id: Type.String(), modality: Type.Enum(['image', 'text']), reason: Type.String() })) },
    { description: 'Embeddings that can\'t be made anew: how many, and the first 1,000 of them.' }
  ),
  error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: Type.String({ format: 'date-time' }),
  ended_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
})

const ReindexBody = Type.Object(
  {
    model: Type.Optional(Type.String({ description: 'The first of the loaded models, by default.' })),
    skip_missing: Type.Optional(Type.Boolean({ description: 'Go on without the embeddings of images that were not kept; by default the job fails, and names them.' }))
  },
  { additionalProperties: false, examples: [{ model: 'mini' }] }
)

const JobParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'Of a job.', examples: ['3f0e8a52-8c38-4b7e-8f2a-6d0f4f8f7a11'] }) })
const tags = ['Jobs']

/** Event streams are kept open through proxies by a comment this often. */
const HEARTBEAT_MS = 15_000

/** Re-indexing, and following it. */
export function jobRoutes(app: App, { jobs }: Services): void {
  app.post(
    '/v1/collections/:collection/reindex',
    {
      schema: {
        tags,
        operationId: 'reindexCollection',
        summary: 'Encode a collection anew with a loaded model',
        description: 'In the background: kept images and texts are encoded anew, while the old embeddings go on serving until the new ones take their place at once. It survives restarts. For texts and images to be searched meanwhile, the old model must be loaded too.',
        params: CollectionParams,
        body: ReindexBody,
        response: responses({ 202: JobBody })
      },
      preValidation: optionalBody
    },
    async ({ params, body }, reply) => {
      const { model, skip_missing: skipMissing = false } = body as Static<typeof ReindexBody>
      const job = await jobs.start({ collection: params.collection, model, skipMissing })
      return reply.code(202).header('location', `/v1/jobs/${job.id}`).send(toBody(job))
    }
  )
  app.get(
    '/v1/jobs',
    { schema: { tags, operationId: 'listJobs', summary: 'List the jobs, the latest first', response: responses({ 200: Type.Object({ jobs: Type.Array(JobBody) }) }) } },
    async () => ({ jobs: jobs.list().map(toBody) })
  )
  app.get('/v1/jobs/:id', { schema: { tags, operationId: 'getJob', summary: 'Show a job', params: JobParams, response: responses({ 200: JobBody }) } }, async ({ params }) => toBody(jobs.get(params.id)))
  app.get(
    '/v1/jobs/:id/events',
    {
      schema: {
        tags,
        operationId: 'followJob',
        summary: 'Follow a job',
        description: 'Server-sent events: `progress` whenever the job has changed, `end` when it has ended; the data is the job.',
        params: JobParams,
        produces: ['text/event-stream'],
        response: responses({ 200: Type.Unsafe<Readable>({ type: 'string', description: 'text/event-stream' }) })
      }
    },
    async ({ params, gone }, reply) => {
      // Before the first byte, so that one that is not there gets its 404.
      jobs.get(params.id)
      reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no')
      return reply.send(eventStream(jobs.watch(params.id, gone)))
    }
  )
  app.delete('/v1/jobs/:id', { schema: { tags, operationId: 'cancelJob', summary: 'Cancel a job', params: JobParams, response: responses({ 200: JobBody }) } }, async ({ params }) => toBody(await jobs.cancel(params.id)))
}

function eventStream(states: AsyncGenerator<Job>): Readable {
  const stream = new Readable({ read: () => undefined })
  const heartbeat = setInterval(() => stream.push(':\n\n'), HEARTBEAT_MS)
  stream.once('close', () => clearInterval(heartbeat))
  const pump = async () => {
    for await (const job of states) stream.push(`event: ${job.state === 'running' ? 'progress' : 'end'}\ndata: ${JSON.stringify(toBody(job))}\n\n`)
    stream.push(null)
  }
  pump().catch((error: Error) => stream.destroy(error))
  return stream
}

function toBody({ id, collection, model, fingerprint, skipMissing, state, progress, missing, error, createdAt, endedAt }: Job): Static<typeof JobBody> {
  return {
    id,
    kind: 'reindex',
    collection,
    model,
    fingerprint,
    skip_missing: skipMissing,
    state,
    progress,
    missing,
    error,
    created_at: new Date(createdAt).toISOString(),
    ended_at: endedAt === null ? null : new Date(endedAt).toISOString()
  }
}
