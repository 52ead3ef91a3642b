import { useId } from 'preact/hooks'
import {
  ownParameters,
  type Operation,
  type Parameter,
  type Schema
} from '../../../src/http/docs/code-samples/operation.js'
import type { Draft, DraftBody, FormField } from './draft.js'
import { Fold } from './fold.js'
import { Inline } from './prose.js'
import { boundsOf, typeOf } from './schema-fields.js'

interface DraftProps {
  draft: Draft
  onChange: (draft: Draft) => void
}

/** What a call takes in its path, query and headers. */
export function ParameterFields({ operation, draft, onChange }: DraftProps & { operation: Operation }) {
  const change = ({ in: place, name }: Parameter, value: string) =>
    onChange({ ...draft, values: { ...draft.values, [place]: { ...draft.values[place], [name]: value } } })
  // Those of the path first, as it is read.
  const parameters = ownParameters(operation).sort(
    (a, b) => Number(b.in === 'path') - Number(a.in === 'path')
  )
  return (
    <>
      {parameters.map((parameter) => (
        <Field
          key={`${parameter.in} ${parameter.name}`}
          name={parameter.name}
          schema={parameter.schema}
          where={parameter.in}
          description={parameter.description}
          required={parameter.required}
          value={draft.values[parameter.in][parameter.name]}
          onValue={(value) => change(parameter, value)}
        />
      ))}
    </>
  )
}

/** The body of a call: one of the kinds that it takes. */
export function BodyFields({ draft, onChange }: DraftProps) {
  const id = useId()
  const body = draft.bodies[draft.chosen]
  if (!body) return null
  const change = (changed: DraftBody) =>
    onChange({ ...draft, bodies: draft.bodies.map((each) => (each === body ? changed : each)) })
  return (
    <>
      {draft.bodies.length > 1 && (
        <div class="row" role="group" aria-label="Kind of body">
          {draft.bodies.map(({ type }, i) => (
            <button
              key={type}
              type="button"
              aria-pressed={i === draft.chosen}
              onClick={() => onChange({ ...draft, chosen: i })}
            >
              {type}
            </button>
          ))}
        </div>
      )}
      {(body.kind === 'json' || body.kind === 'text') && (
        <label class="field">
          <span>Body, {body.type}</span>
          <textarea
            class="mono"
            wrap="off"
            spellcheck={false}
            rows={Math.min(18, body.text.split('\n').length + 1)}
            value={body.text}
            onInput={({ currentTarget }) => change({ ...body, text: currentTarget.value })}
          />
        </label>
      )}
      {(body.kind === 'form' || body.kind === 'file') && (
        <div class="field parameter">
          <label for={id}>
            <code>{body.kind === 'form' ? 'image' : 'Body'}</code> <span class="muted small">file</span>
          </label>
          <input
            id={id}
            type="file"
            multiple={body.kind === 'form'}
            accept={body.kind === 'form' ? 'image/*' : undefined}
            onChange={({ currentTarget }) => change({ ...body, files: [...(currentTarget.files ?? [])] })}
          />
          {body.kind === 'form' && body.files.length === 0 && (
            <p class="muted small">
              Until one is chosen it is the example,{' '}
              <a href="/docs/apple.png" download>
                apple.png
              </a>
              .
            </p>
          )}
        </div>
      )}
      {body.kind === 'form' && (
        <FormFields fields={body.fields} onFields={(fields) => change({ ...body, fields })} />
      )}
    </>
  )
}

function FormFields({ fields, onFields }: { fields: FormField[]; onFields: (fields: FormField[]) => void }) {
  const change = (field: FormField, value: string) =>
    onFields(fields.map((each) => (each === field ? { ...field, value } : each)))
  const toField = (field: FormField) => (
    <Field
      key={field.name}
      name={field.name}
      schema={field.schema}
      where={field.isList ? 'one a line' : 'field'}
      description={field.schema.description}
      value={field.value}
      isLong={field.isList}
      onValue={(value) => change(field, value)}
    />
  )
  const more = fields.filter(({ isUsual }) => !isUsual)
  return (
    <>
      {fields.filter(({ isUsual }) => isUsual).map(toField)}
      {more.length > 0 && <Fold title={`More fields (${more.length})`}>{() => more.map(toField)}</Fold>}
    </>
  )
}

interface FieldProps {
  name: string
  schema: Schema
  where: string
  description?: string
  required?: boolean
  value: string
  isLong?: boolean
  onValue: (value: string) => void
}

function Field({ name, schema, where, description, required, value, isLong, onValue }: FieldProps) {
  const id = useId()
  const choices = schema.enum ?? (schema.type === 'boolean' ? [true, false] : undefined)
  const shared = {
    id,
    value,
    required,
    'aria-describedby': `${id}-text`,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => onValue(currentTarget.value)
  }
  return (
    <div class="field parameter">
      <label for={id}>
        <code>{name}</code>{' '}
        <span class="muted small">
          {where}, {typeOf(schema)}
        </span>
      </label>
      {choices && !isLong ? (
        <select {...shared}>
          {!required && <option value="">not sent</option>}
          {choices.map((choice) => (
            <option key={String(choice)}>{String(choice)}</option>
          ))}
        </select>
      ) : isLong ? (
        <textarea {...shared} rows={Math.max(1, value.split('\n').length)} spellcheck={false} />
      ) : (
        <input
          {...shared}
          type={schema.type === 'integer' || schema.type === 'number' ? 'number' : 'text'}
          step={schema.type === 'number' ? 'any' : undefined}
          spellcheck={false}
          autocomplete="off"
          placeholder={required ? '' : 'not sent'}
        />
      )}
      <p id={`${id}-text`} class="muted small">
        {description && <Inline text={description} />} {boundsOf(schema)}
      </p>
    </div>
  )
}
