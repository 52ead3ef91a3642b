import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { suffices } from '../../access/api-key.js'
import { CollectionForbidden, EvaluationNotDone, EvaluationNotFound, Forbidden } from '../../errors.js'
import type { Report } from '../../evaluation/report.js'
import { ReportJson, toJson } from '../../evaluation/report/json.js'
import { renderPage } from '../../evaluation/report/page.js'
import type { EvaluationJob, Job, EvaluationAsked } from '../../jobs/job.js'
import { responses } from '../schemas.js'
import {
  EvaluationBody,
  EvaluationRequest,
  toEvaluationBody,
  type EvaluationRequestBody
} from './evaluation-body.js'
import { knowledgeOf, mayKnow } from './collection-reach.js'
import type { App, Services } from './services.js'

const EvaluationParams = Type.Object({
  id: Type.String({
    format: 'uuid',
    description: 'Id of the evaluation and of its job.',
    examples: ['3f0e8a52-8c38-4b7e-8f2a-6d0f4f8f7a11']
  })
})
const EvaluationWithReport = Type.Object({
  ...EvaluationBody.properties,
  report: Type.Union([ReportJson, Type.Null()], { description: 'Null until it is done.' })
})
const tags = ['Evaluations']

/** Records of a collection that are looked at where no limit is given. */
const USUAL_RECORDS = 10_000

/**
 * The report is one file: its styles and pictures are in it, and nothing of it runs, or asks for anything
 * elsewhere.
 */
const REPORT_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  'sandbox'
].join('; ')

/** Measuring models on datasets and collections. */
export function evaluationRoutes(app: App, services: Services): void {
  startRoute(app, services)
  const { jobs, reports, collections } = services
  const evaluationOf = async (
    request: Pick<FastifyRequest, 'reaches' | 'caller'> & { params: { id: string } }
  ): Promise<EvaluationJob> => {
    const job = jobs.list().find(({ id }) => id === request.params.id)
    // Of collections that the caller may not know of there are no evaluations.
    if (!isEvaluation(job) || !(await mayKnow(request, job, collections)))
      throw new EvaluationNotFound(request.params.id)
    return job
  }
  const reportOf = async (job: EvaluationJob) => {
    if (job.state !== 'done') throw new EvaluationNotDone(job.id, job.state)
    const report = await reports.read(job.id)
    if (!report) throw new EvaluationNotFound(job.id)
    return JSON.parse(report) as Report
  }
  app.get(
    '/v1/evaluations',
    {
      schema: {
        tags,
        operationId: 'listEvaluations',
        summary: 'List the evaluations, the latest first',
        description: 'Without their reports. The last 100 are kept.',
        response: responses({ 200: Type.Object({ evaluations: Type.Array(EvaluationBody) }) })
      }
    },
    async (request) => ({
      evaluations: jobs
        .list()
        .filter(isEvaluation)
        .filter(await knowledgeOf(request, collections))
        .map(toEvaluationBody)
    })
  )
  app.get(
    '/v1/evaluations/:id',
    {
      schema: {
        tags,
        operationId: 'getEvaluation',
        summary: 'Show an evaluation, with its report',
        params: EvaluationParams,
        response: responses({ 200: EvaluationWithReport })
      }
    },
    async (request) => {
      const job = await evaluationOf(request)
      return { ...toEvaluationBody(job), report: job.state === 'done' ? toJson(await reportOf(job)) : null }
    }
  )
  app.get(
    '/v1/evaluations/:id/report',
    {
      schema: {
        tags,
        operationId: 'getEvaluationReport',
        summary: "Get an evaluation's report as a web page",
        description: 'A single HTML file with all plots and pictures, to view, archive and share.',
        params: EvaluationParams,
        response: {
          200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
          ...responses({})
        }
      }
    },
    async (request, typedReply) => {
      const reply: FastifyReply = typedReply
      const job = await evaluationOf(request)
      const page = renderPage(await reportOf(job))
      return reply
        .type('text/html; charset=utf-8')
        .headers({
          'content-security-policy': REPORT_POLICY,
          'cache-control': 'private, no-store',
          'content-disposition': `inline; filename="evaluation-${job.id}.html"`
        })
        .send(page)
    }
  )
  app.delete(
    '/v1/evaluations/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'deleteEvaluation',
        summary: 'Delete an evaluation',
        description:
          'Cancels a waiting or running evaluation, and deletes it with its report. Deleting the ' +
          'evaluation of a folder needs a key with the scope admin.',
        params: EvaluationParams,
        response: responses({ 204: Type.Null() })
      }
    },
    async (request, reply) => {
      const job = await evaluationOf(request)
      requireAllowed(request, job.collection)
      // One that is about to end has its report written and its end kept first: nothing comes back after it
      // is removed.
      await jobs.cancel(job.id)
      await jobs.forget(job.id)
      await reports.remove(job.id)
      return reply.code(204).send(null)
    }
  )
}

function startRoute(app: App, { jobs }: Services): void {
  app.post(
    '/v1/evaluations',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'startEvaluation',
        summary: 'Measure a model on a dataset or a collection',
        description:
          'Runs in the background: retrieval, zero-shot and more, as the dataset supports, each figure ' +
          'with its interval. One evaluation runs at a time, up to 16 wait in order, and they survive ' +
          'restarts. Images and texts are encoded when no other request waits for the encoder. A ' +
          'folder needs a key with the scope admin and a DATASETS_DIR set by the operator. A ' +
          'collection needs a key with the scope write and access to it, and is evaluated with its ' +
          'stored embeddings. Follow the evaluation as a job: `/v1/jobs/{id}/events`.',
        body: EvaluationRequest,
        response: responses({ 202: EvaluationBody })
      }
    },
    async (request, reply) => {
      const asked = toAsked(request.body)
      requireAllowed(request, 'folder' in asked.dataset ? null : asked.dataset.collection)
      const job = await jobs.start('evaluation', asked)
      request.describeChange({
        evaluation: job.id,
        ...('folder' in asked.dataset
          ? { folder: asked.dataset.folder }
          : { collection: asked.dataset.collection })
      })
      return reply.code(202).header('location', `/v1/evaluations/${job.id}`).send(toEvaluationBody(job))
    }
  )
}

function isEvaluation(job?: Job): job is EvaluationJob {
  return job?.kind === 'evaluation'
}

/** Folders of the server are for those that may all, a collection is for those whose key reaches it. */
function requireAllowed(
  request: Pick<FastifyRequest, 'caller' | 'reaches'>,
  collection: string | null
): void {
  const { caller } = request
  if (collection !== null && !request.reaches(collection))
    throw new CollectionForbidden(`collection '${collection}'`)
  if (collection === null && caller && !suffices(caller.scope, 'admin'))
    throw new Forbidden(caller.scope, 'admin')
  if (collection === null && caller?.collections)
    throw new CollectionForbidden('all collections, which evaluating a folder needs')
}

function toAsked({ dataset, model, against, tasks, ...options }: EvaluationRequestBody): EvaluationAsked {
  if ('folder' in dataset) return { dataset, model, against, tasks, options }
  const { collection, label_field: labelField, limit = USUAL_RECORDS } = dataset
  return { dataset: { collection, labelField, limit }, model, against, tasks, options }
}
