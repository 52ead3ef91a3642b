import { useMemo } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { RecordCard } from './record-card.js'
import { fit, type Camera } from './scatter.js'

const SHOWN = 12

/** The points nearest to the middle of the map, for those who can't point at it. */
export function NearestList({
  collection,
  ids,
  positions,
  camera
}: {
  collection: string
  ids: string[]
  positions: Float32Array
  camera: Camera | undefined
}) {
  // Each point is looked at: not again for each step of a drag.
  const nearest = useMemo(
    () => nearestTo(camera ?? fit(positions, { width: 1, height: 1 }), positions),
    [positions, camera?.x, camera?.y]
  )
  return (
    <section class="card map-nearest" aria-labelledby="nearest-title">
      <h2 id="nearest-title">In the middle of the map</h2>
      <ul>
        {nearest.map((point) => (
          <li key={ids[point]}>
            <Link href={recordLink(collection, ids[point])}>
              <RecordCard collection={collection} id={ids[point]} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Where a record is shown whole. */
export function recordLink(collection: string, id: string): string {
  return `/?${new URLSearchParams({ c: collection, r: id })}`
}

function nearestTo({ x, y }: Camera, positions: Float32Array): number[] {
  const distance = (point: number) => (positions[2 * point] - x) ** 2 + (positions[2 * point + 1] - y) ** 2
  const nearest: { point: number; distance: number }[] = []
  for (let point = 0; point < positions.length / 2; point++) {
    const here = distance(point)
    if (Number.isNaN(here) || (nearest.length === SHOWN && here >= nearest[SHOWN - 1].distance)) continue
    nearest.push({ point, distance: here })
    nearest.sort((a, b) => a.distance - b.distance)
    nearest.length = Math.min(nearest.length, SHOWN)
  }
  return nearest.map(({ point }) => point)
}
