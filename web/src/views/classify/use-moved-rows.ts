import { useLayoutEffect, useRef } from 'preact/hooks'

const MOVE_MS = 220

/** Lets rows that change places glide there, by their `data-row`. Gives the ref of what holds them. */
export function useMovedRows<E extends HTMLElement>(order: string[]) {
  const holder = useRef<E>(null)
  const tops = useRef(new Map<string, number>())
  useLayoutEffect(() => {
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches
    const rows = [...(holder.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
    const now = new Map(rows.map((row) => [row.dataset.row!, row.offsetTop]))
    for (const row of rows) {
      const moved = (tops.current.get(row.dataset.row!) ?? row.offsetTop) - row.offsetTop
      if (moved !== 0 && !isStill)
        row.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], {
          duration: MOVE_MS,
          easing: 'ease-out'
        })
    }
    tops.current = now
  }, [order.join('\n')])
  return holder
}
