import type { Schema } from '../../../src/http/docs/code-samples/operation.js'
import { codesOf, type KnownError, type Place } from './description.js'
import { ErrorTable } from './error-table.js'
import { Fold } from './fold.js'
import { Prose } from './prose.js'
import { SchemaFields, typeOf } from './schema-fields.js'
import { TryIt } from './try-it.js'

const SCOPES = { open: 'no key', read: 'read key', write: 'write key', admin: 'admin key' }

/** Where there is room beside the call, what it takes is shown at once. */
const HAS_ROOM = matchMedia('(min-width: 75rem)').matches

/** A call: what it does, takes and answers, beside it the call itself to run and to copy. */
export function OperationSection({ place, errors }: { place: Place; errors: Map<string, KnownError> }) {
  const { operation, method, path } = place
  const { operationId, summary, description, requestBody, responses } = operation
  const scope = operation['x-scope']
  const [status, answer] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? []
  const answered = answer?.content?.['application/json']?.schema
  const bodies = Object.entries(requestBody?.content ?? {}).filter(([, { schema }]) => schema?.properties)
  const codes = codesOf(operation)
  const within = operation['x-inner-errors'] ?? []
  const known = (list: string[]) => list.flatMap((code) => errors.get(code) ?? [])
  return (
    <section id={operationId} class="operation" aria-labelledby={`${operationId}-title`}>
      <div class="operation-head">
        <h3 id={`${operationId}-title`}>
          <a href={`#${operationId}`}>{summary}</a>
        </h3>
        <p class="operation-path">
          <span class={`method ${method.toLowerCase()}`}>{method}</span> <code>{path}</code>
          {scope && (
            <span class="scope" title="Scope of the API key, where keys are asked for">
              {SCOPES[scope]}
            </span>
          )}
        </p>
      </div>
      <div class="operation-text">
        {description && <Prose text={description} />}
        {bodies.map(([type, { schema }], i) => (
          <Fold key={type} isOpen={HAS_ROOM && i === 0} title={`Body, ${type}`}>
            {() => <SchemaFields schema={schema!} />}
          </Fold>
        ))}
        {answer && (
          <Fold
            title={
              'Answer ' +
              `${status}${answered ? '' : `, ${Object.keys(answer.content ?? {}).join(' or ') || 'no body'}`}`
            }
          >
            {() => <AnswerText description={answer.description} schema={answered} />}
          </Fold>
        )}
        <Fold title={`Errors (${codes.length})`}>{() => <ErrorTable errors={known(codes)} />}</Fold>
        {within.length > 0 && (
          <Fold title={`Errors within an answer (${within.length})`}>
            {() => (
              <>
                <p>
                  These stand in the answer: for one record or line of many, as the last line of a stream, or
                  in a job.
                </p>
                <ErrorTable errors={known(within)} />
              </>
            )}
          </Fold>
        )}
      </div>
      <TryIt place={place} errors={errors} />
    </section>
  )
}

function AnswerText({ description, schema }: { description?: string; schema?: Schema }) {
  return (
    <>
      {description && description !== 'Default Response' && <Prose text={description} />}
      {schema?.properties ? <SchemaFields schema={schema} /> : schema && <p>{typeOf(schema)}</p>}
    </>
  )
}
