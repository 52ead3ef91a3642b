import type { KnownError } from './description.js'
import { Inline } from './prose.js'

/** Errors with what they mean and what to do. `withIds` makes each a place to link to. */
export function ErrorTable({ errors, withIds = false }: { errors: KnownError[]; withIds?: boolean }) {
  return (
    <dl class="errors">
      {errors.map(({ code, status, meaning, remedy }) => (
        <div key={code} id={withIds ? `error-${code}` : undefined}>
          <dt>
            <span class="number muted">{status}</span> <code>{code}</code>
          </dt>
          <dd>
            <Inline text={meaning} /> <Inline text={remedy} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
