import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call, messageOf } from '../../connection.js'
import type { SearchRequest } from './search-request.js'
import { toFilter } from './condition.js'
import { toQuery } from './find.js'
import { inMilliseconds } from './timings.js'

/** Of each answer how many of the best are compared. */
const TOP = 10

interface Compared {
  agree: number
  of: number
  exactMs: number
  approximateMs: number
  /** Whether the service compared with every embedding both times, since there are few. */
  isSame: boolean
}

async function compare(request: SearchRequest, collection: string): Promise<Compared> {
  const query = await toQuery(request)
  const search = async (exact: boolean) => {
    const body = {
      query,
      target: request.target,
      limit: TOP,
      filter: toFilter(request.conditions),
      exact,
      explain: true,
      with: []
    }
    const { matches, took_ms, explanation } = await call((client) =>
      client.post('/v1/collections/{collection}/search', { params: { path: { collection } }, body })
    )
    return { ids: matches.map(({ id }) => id), ms: took_ms.search, strategy: explanation?.strategy }
  }
  // One after the other, that they do not wait for each other.
  const exact = await search(true)
  const approximate = await search(false)
  const agree = exact.ids.filter((id) => approximate.ids.includes(id)).length
  return {
    agree,
    of: exact.ids.length,
    exactMs: exact.ms,
    approximateMs: approximate.ms,
    isSame: approximate.strategy === 'exact'
  }
}

/** How far the approximate answer agrees with the exact one, and what each takes. */
export function Comparison({ request, collection }: { request: SearchRequest; collection: string }) {
  const state = useSignal<{ compared?: Compared; problem?: string; isBusy?: boolean }>({})
  const key = JSON.stringify([request, collection])
  useEffect(() => {
    state.value = {}
  }, [key])
  const run = async () => {
    if (state.peek().isBusy) return
    const busy = { isBusy: true }
    state.value = busy
    const next = await compare(request, collection).then(
      (compared) => ({ compared }),
      (error: unknown) => ({ problem: messageOf(error) })
    )
    // Of a query that was left meanwhile no one wants to know.
    if (state.peek() === busy) state.value = next
  }
  const { compared, problem, isBusy } = state.value
  return (
    <div class="comparison">
      <button
        type="button"
        class="quiet"
        aria-disabled={isBusy}
        title={`Search both ways and see how many of the best ${TOP} agree`}
        onClick={run}
      >
        Compare both
      </button>
      <span role="status">
        {problem}
        {compared && (
          <>
            <strong>{`${compared.agree} of the best ${compared.of} agree`}</strong>
            {` · exact ${inMilliseconds(compared.exactMs)} ms, approximate ` +
              `${inMilliseconds(compared.approximateMs)} ms`}
            {compared.isSame && ' (so few records are always compared one by one)'}
          </>
        )}
      </span>
    </div>
  )
}
