import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { Answer } from '../../../../src/client/client.js'
import { loadCollections } from '../../collections.js'
import { call } from '../../connection.js'
import { Failure } from '../../failure.js'
import { parseMetadata } from './metadata.js'
import { MetadataField, metadataProblem } from './metadata-field.js'

type Result = Answer<'/v1/collections/{collection}/records', 'post'>['results'][number]

interface TextFormProps {
  collection: string
  isReady: boolean
  prepare: () => Promise<void>
  /** Where to. */
  children: ComponentChildren
}

/** One record of words, found by pictures and by words. */
export function TextForm({ collection, isReady, prepare, children }: TextFormProps) {
  const text = useSignal('')
  const id = useSignal('')
  const metadata = useSignal('')
  const result = useSignal<Result | undefined>(undefined)
  const problem = useSignal<unknown>(undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  const submit = async () => {
    problem.value = undefined
    result.value = undefined
    try {
      await prepare()
      const values = parseMetadata(metadata.value)
      const record = {
        text: text.value,
        ...(id.value && { id: id.value }),
        ...(Object.keys(values).length > 0 && { metadata: values })
      }
      result.value = (
        await call((client) =>
          client.post('/v1/collections/{collection}/records', {
            params: { path: { collection } },
            body: { records: [record] }
          })
        )
      ).results[0]
    } catch (error) {
      problem.value = error
      return
    }
    if (result.value.status === 'failed') return
    text.value = ''
    id.value = ''
    field.current?.focus()
    await loadCollections()
  }
  return (
    <form
      class="text-form"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {children}
      <label class="field">
        <span>Text</span>
        <textarea
          ref={field}
          rows={4}
          required
          maxLength={8000}
          value={text.value}
          placeholder="A red bicycle leaning on a wall by the sea"
          onInput={({ currentTarget }) => (text.value = currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Id (left empty, the service makes one up)</span>
        <input
          value={id.value}
          maxLength={255}
          autocapitalize="none"
          spellcheck={false}
          onInput={({ currentTarget }) => (id.value = currentTarget.value)}
        />
      </label>
      <MetadataField text={metadata.value} label="Metadata" onChange={(value) => (metadata.value = value)} />
      {problem.value !== undefined && <Failure error={problem.value} />}
      {result.value?.error && <Failure error={new Error(result.value.error.message)} />}
      <div class="row">
        <button
          type="submit"
          class="primary"
          disabled={!isReady || text.value.trim() === '' || metadataProblem(metadata.value) !== undefined}
        >{`Add the text${isReady ? ` to ${collection}` : ''}`}</button>
        <span role="status">
          {result.value && result.value.status !== 'failed' && (
            <>
              {`${result.value.status}: `}
              <code>{result.value.id}</code> <Link href={`/?c=${collection}`}>Search {collection}</Link>
            </>
          )}
        </span>
      </div>
    </form>
  )
}
