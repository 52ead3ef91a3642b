import { useAddress } from '../../address.js'
import type { Scores } from './use-zero-shot.js'
import { useMovedRows } from './use-moved-rows.js'

/** Rows that are shown before all are asked for. */
const SHOWN = 40

const PERCENT = new Intl.NumberFormat('en', {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1
})

/** The scores as bars, best first: a table to those who hear it. */
export function ScoreChart({ scores, isBusy }: { scores: Scores; isBusy: boolean }) {
  const address = useAddress()
  const isAll = address.get('all') === '1'
  const { labels, model } = scores
  const rows = isAll ? labels : labels.slice(0, SHOWN)
  const body = useMovedRows<HTMLTableSectionElement>(rows.map(({ label }) => label))
  return (
    <div class="score-chart">
      <table aria-busy={isBusy}>
        <caption class="visually-hidden">{`Scores of the labels by ${model}, best first`}</caption>
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">
              <span class="visually-hidden">Bar</span>
            </th>
            <th scope="col" class="number">
              Score
            </th>
            <th scope="col" class="number" title="The cosine of the picture and the label's prompts">
              Similarity
            </th>
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map(({ label, score, similarity }, place) => (
            <tr key={label} data-row={label} class={place === 0 ? 'best-score' : undefined}>
              <th scope="row">{label}</th>
              <td class="bar-cell">
                <div class="score-bar" aria-hidden="true">
                  <span style={{ '--share': score }} />
                </div>
              </td>
              <td class="number">{PERCENT.format(score)}</td>
              <td class="number muted">{similarity.toFixed(3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {labels.length > SHOWN && (
        <button type="button" onClick={() => address.set({ all: isAll ? undefined : '1' })}>
          {isAll ? 'Only the best' : `All ${labels.length.toLocaleString('en')} labels`}
        </button>
      )}
      <p class="visually-hidden" role="status">
        {isBusy ? '' : `Best: ${labels[0].label}, ${PERCENT.format(labels[0].score)}`}
      </p>
    </div>
  )
}
