import { signal, useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { SampleCall } from '../../../src/http/docs/code-samples/sample-call.js'
import { apiKey, isAbort, messageOf } from '../connection.js'
import { Problem } from '../problem.js'
import { AnswerView } from './answer-view.js'
import type { KnownError, Place } from './description.js'
import { draftOf, faultOf, toSampleCall, type Draft } from './draft.js'
import { BodyFields, ParameterFields } from './draft-fields.js'
import { Samples } from './samples.js'
import { send, type Received } from './send.js'

/**
 * The job, and the evaluation, that was started last from this page: calls about jobs and evaluations are
 * about these. An evaluation is a job, too.
 */
const latest = signal<Record<string, string>>({})

/** A call to be changed, run and copied. */
export function TryIt({ place, errors }: { place: Place; errors: Map<string, KnownError> }) {
  const { operation, path } = place
  const draft = useSignal<Draft>(useMemo(() => draftOf(place), [place]))
  // While what is written is no call the code stays as it was.
  const sample = useRef<SampleCall>()
  sample.current =
    toSampleCall(draft.value, {
      ...place,
      withKey: apiKey.value !== '' && operation['x-scope'] !== 'open'
    }) ?? sample.current
  const [, kind = ''] = /^\/v1\/(\w+)\/\{id\}/.exec(path) ?? []
  const id = latest.value[kind]
  useEffect(() => {
    const { values } = draft.value
    if (id) draft.value = { ...draft.value, values: { ...values, path: { id } } }
  }, [id])
  const onChange = (changed: Draft) => (draft.value = changed)
  const { isRunning, received, problem, run, stop } = useRun(place, draft.value)
  const { answer } = draft.value
  return (
    <div class="try">
      {sample.current && <Samples call={sample.current} name={operation.summary} />}
      <form
        aria-label={`Run: ${operation.summary}`}
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <ParameterFields operation={operation} draft={draft.value} onChange={onChange} />
        <BodyFields draft={draft.value} onChange={onChange} />
        <div class="row">
          <button type="submit" class="primary" aria-disabled={isRunning}>
            {isRunning ? 'Running' : 'Run'}
          </button>
          {isRunning && (
            <button type="button" onClick={stop}>
              Stop
            </button>
          )}
        </div>
      </form>
      {problem && <Problem message={problem} />}
      <p class="visually-hidden" role="status">
        {received ? `Answered ${received.status}` : ''}
      </p>
      {received && (
        <AnswerView
          received={received}
          errors={errors}
          fileName={answer.kind === 'file' ? answer.name : `${operation.operationId}.txt`}
        />
      )}
    </div>
  )
}

/** Runs a draft, one run at a time. */
function useRun({ operation, method, path }: Place, draft: Draft) {
  const received = useSignal<Received | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  const isRunning = useSignal(false)
  const controller = useRef<AbortController>()
  const run = async () => {
    if (isRunning.value) return
    received.value = undefined
    problem.value = faultOf(draft)
    if (problem.value !== undefined) return
    isRunning.value = true
    controller.current = new AbortController()
    try {
      await send(draft, {
        method,
        path,
        signal: controller.current.signal,
        onReceived: (what) => (received.value = what)
      })
      const [, kind, id] = /^\/v1\/(jobs|evaluations)\/([^/]+)$/.exec(received.peek()?.location ?? '') ?? []
      if (['reindexCollection', 'startEvaluation'].includes(operation.operationId) && id)
        latest.value = { ...latest.value, [kind]: id, jobs: id }
    } catch (error) {
      if (!isAbort(error)) problem.value = messageOf(error)
    } finally {
      isRunning.value = false
    }
  }
  return {
    isRunning: isRunning.value,
    received: received.value,
    problem: problem.value,
    run,
    stop: () => controller.current?.abort()
  }
}
