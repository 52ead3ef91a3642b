import { formatCount, formatNumber } from '../../format.js'
import type { SearchRequest } from './search-request.js'
import { inMilliseconds } from './timings.js'
import type { Results } from './use-results.js'

/** How much was found, in one line that screen readers hear. */
export function Summary({
  results,
  request,
  total
}: {
  results: Results
  request: SearchRequest
  total: number
}) {
  return (
    <p class="summary number" role="status" aria-busy={results.isBusy}>
      {tell(results, request, total)}
    </p>
  )
}

function tell(
  { found, first, hasMore, problem }: Results,
  { conditions }: SearchRequest,
  total: number
): string {
  if (problem !== undefined && found.length === 0) return 'No results'
  if (!first) return 'Searching'
  if (!first.took)
    return conditions.length === 0
      ? formatNumber(total, 'record')
      : `${hasMore ? 'The first ' : ''}${formatNumber(found.length, 'record')} that pass the filter`
  const { passed = 0, total: all = 0, strategy } = first.explanation ?? {}
  const among =
    passed < all ? ` · ${formatNumber(passed, 'record')} of ${formatCount(all)} pass the filter` : ''
  const how =
    strategy === 'exact' ? `each of ${formatCount(passed)} compared` : `by the graph of ${formatCount(all)}`
  return `${formatNumber(found.length, 'result')} in ${inMilliseconds(first.took.total)} ms${among} · ${how}`
}
