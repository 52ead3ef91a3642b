import type { Took } from './find.js'

const STAGES = ['queue', 'decode', 'preprocess', 'encode', 'search'] as const

/** Milliseconds as they read: 0.4, 3.2, 48. */
export const inMilliseconds = (ms: number): string =>
  ms < 9.95 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')

/** Where the time of an answer went, stage by stage, as the service measured it. */
export function Timings({ took }: { took: Took }) {
  const stages = STAGES.filter((stage) => took[stage] >= 0.05)
  return (
    <div class="timings">
      <div class="timings-bar" aria-hidden="true">
        {stages.map((stage) => (
          <span key={stage} data-stage={stage} style={{ flexGrow: took[stage] }} />
        ))}
      </div>
      <dl>
        {stages.map((stage) => (
          <div key={stage} data-stage={stage}>
            <dt>{stage}</dt>
            <dd class="number">{inMilliseconds(took[stage])}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
