import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Target } from './search-request.js'
import { ResultCard } from './result-card.js'
import type { SearchControls } from './use-search-request.js'
import type { Results } from './use-results.js'

/** How far below the window the next page is asked for already. */
const AHEAD = '600px'

/** Which result a key leads to from another one; undefined for keys that lead nowhere. */
function ledTo(key: string, from: number, cards: HTMLElement[]): number | undefined {
  const columns = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length
  const steps: Record<string, number> = {
    ArrowRight: from + 1,
    ArrowLeft: from - 1,
    ArrowDown: from + columns,
    ArrowUp: from - columns,
    Home: 0,
    End: cards.length - 1
  }
  const to = steps[key]
  if (to === undefined) return undefined
  // Down from the last row but one leads to the last, shorter as it may be.
  if (
    key === 'ArrowDown' &&
    to >= cards.length &&
    Math.floor(from / columns) < Math.floor((cards.length - 1) / columns)
  )
    return cards.length - 1
  return to >= 0 && to < cards.length ? to : undefined
}

interface ResultGridProps {
  results: Results
  target: Target
  controls: SearchControls
}

/** The results as a list in a grid: arrows move over it, and Tab enters and leaves it. */
export function ResultGrid({
  results: { found, first, isBusy, hasMore, problem, loadMore },
  target,
  controls
}: ResultGridProps) {
  const current = useSignal(0)
  const list = useRef<HTMLUListElement>(null)
  const end = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    current.value = 0
  }, [first])
  useEffect(() => {
    if (!end.current || !hasMore || problem !== undefined) return
    const watcher = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && loadMore(), {
      rootMargin: AHEAD
    })
    watcher.observe(end.current)
    return () => watcher.disconnect()
  }, [found.length, hasMore, problem])
  const onKeyDown = (event: KeyboardEvent) => {
    const cards = [...list.current!.querySelectorAll<HTMLElement>('.result')]
    const from = cards.findIndex((card) => card.contains(event.target as Node))
    const to = event.altKey || event.ctrlKey || event.metaKey ? undefined : ledTo(event.key, from, cards)
    if (to !== undefined) {
      event.preventDefault()
      cards[to].querySelector<HTMLElement>('.result-open')!.focus()
    } else if (event.key === 'ArrowUp') {
      event.preventDefault()
      document.querySelector<HTMLElement>('.search-box input[type="search"]')?.focus()
    }
  }
  return (
    <>
      <ul
        ref={list}
        class="results"
        data-target={target}
        role="list"
        aria-label="Results"
        aria-busy={isBusy}
        onKeyDown={onKeyDown}
      >
        {found.map((match, at) => (
          <ResultCard
            key={match.id}
            match={match}
            target={target}
            isCurrent={at === current.value}
            onFocus={() => (current.value = at)}
            onOpen={() => controls.open(match.id)}
            onMoreLike={() => controls.moreLike(match.id)}
          />
        ))}
      </ul>
      {hasMore && (
        <button ref={end} type="button" class="load-more" onClick={loadMore}>
          {isBusy ? 'Loading' : 'Load more'}
        </button>
      )}
    </>
  )
}
