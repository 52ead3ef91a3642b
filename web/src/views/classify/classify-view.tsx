import './classify.css'
import { useEffect } from 'preact/hooks'
import { useAddress, useCollectionName } from '../../address.js'
import { Failure } from '../../failure.js'
import { LinkNote } from '../../link-note.js'
import { loadModels, models } from '../../models.js'
import { ActivationNote } from './activation-note.js'
import { readClassifyRequest, toValues, withLabels, type Label } from './classify-request.js'
import { LabelEditor } from './label-editor.js'
import { LabelOffers } from './label-offers.js'
import { RecordStrip } from './record-strip.js'
import { ScoreChart } from './score-chart.js'
import { Subject } from './subject.js'
import { TemplateChoice } from './template-choice.js'
import { useSubject } from './use-subject.js'
import { useZeroShot } from './use-zero-shot.js'

/** What one may begin with. */
const FIRST_LABELS = ['a person', 'an animal', 'food', 'a vehicle', 'a building', 'a plant']

/** A picture and labels in words, with a score for each while they are edited. */
export function ClassifyView() {
  const address = useAddress()
  const collection = useCollectionName()
  const record = address.get('record')
  const request = readClassifyRequest(address)
  const subject = useSubject(collection, record)
  const { scores, error, isBusy, retry } = useZeroShot(subject.bytes, request)
  useEffect(() => void loadModels().catch(() => {}), [])
  const setLabels = (labels: Label[]) => address.set({ label: toValues(labels) })
  return (
    <>
      <h1>Classify</h1>
      <div class="classify">
        <div class="classify-side">
          {subject.error !== undefined && <Failure error={subject.error} />}
          <Subject bytes={subject.bytes} record={record} onOwn={() => address.set({ record: undefined })} />
          {collection && (
            <RecordStrip
              collection={collection}
              current={record}
              onChoose={(id) => address.set({ c: collection, record: id }, { replace: false })}
            />
          )}
        </div>
        <div class="classify-main">
          <LabelEditor labels={request.labels} onChange={setLabels} />
          <LinkNote />
          {request.labels.length === 0 && (
            <div class="empty">
              <p>
                Name what may be on the picture, in words of your own. Nothing was trained for these labels:
                the model compares words with pictures.
              </p>
              <div class="row row-middle">
                <button type="button" onClick={() => setLabels(withLabels([], FIRST_LABELS))}>
                  Begin with a few
                </button>
                {collection && (
                  <LabelOffers
                    collection={collection}
                    onChoose={(values) => setLabels(withLabels([], values))}
                  />
                )}
              </div>
            </div>
          )}
          {request.labels.length > 0 && !subject.bytes && record === '' && (
            <p class="empty">Now a picture: drop one, paste one, or take one of the collection.</p>
          )}
          {error !== undefined && <Failure error={error} retry={retry} />}
          {scores && <ScoreChart scores={scores} isBusy={isBusy || subject.isLoading} />}
          {scores && (
            <ActivationNote
              activation={scores.activation}
              labels={request.labels}
              onAdd={(label) => setLabels([...request.labels, label])}
            />
          )}
          <Options used={scores?.templates} />
        </div>
      </div>
    </>
  )
}

function Options({ used }: { used: string[] | undefined }) {
  const address = useAddress()
  const { templates, multiLabel, model } = readClassifyRequest(address)
  const known = models.value ?? []
  return (
    <section class="classify-options card" aria-label="How it is asked">
      <TemplateChoice
        templates={templates}
        used={used}
        onChange={(value) =>
          address.set(
            Array.isArray(value)
              ? { templates: 'own', template: value }
              : { templates: value, template: undefined }
          )
        }
      />
      <div class="classify-options-end">
        {known.length > 1 && (
          <label class="field">
            <span>Model</span>
            <select
              value={model ?? ''}
              onChange={({ currentTarget }) => address.set({ model: currentTarget.value })}
            >
              {known.map(({ name }, place) => (
                <option key={name} value={place === 0 ? '' : name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={multiLabel}
            onChange={({ currentTarget }) => address.set({ multi: currentTarget.checked ? '1' : undefined })}
          />{' '}
          Score each label on its own
        </label>
        {known.length === 1 && (
          <p class="muted">
            Model: <code>{known[0].name}</code>
          </p>
        )}
      </div>
    </section>
  )
}
