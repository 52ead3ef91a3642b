import './map.css'
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import { useAddress, useCollectionName } from '../../address.js'
import { collections, type Collection } from '../../collections.js'
import { Problem } from '../../problem.js'
import { Controls, SIZES } from './controls.js'
import { Legend } from './legend.js'
import { MapCanvas } from './map-canvas.js'
import { NearestList, recordLink } from './nearest-list.js'
import type { Target } from './neighbors.js'
import type { Camera } from './scatter.js'
import { useColoring } from './use-coloring.js'
import { useSample } from './use-sample.js'

/** How long the camera rests until the link and the list follow, in milliseconds. */
const REST_MS = 300
/** Opacity of what is not shown alone. */
const FADED = 14

/** A collection laid out in two dimensions: what is alike lies together. */
export function MapView() {
  const address = useAddress()
  const [, navigate] = useLocation()
  const collection = useCollectionName()
  const known = collections.value?.find(({ name }) => name === collection)
  const target = targetOf(address.get('target'), known)
  const size = Number(address.get('sample')) || SIZES[0]
  const tries = useSignal(0)
  const canvasProblem = useSignal<string | undefined>(undefined)
  const { sampled, problem } = useSample({ collection: known?.name, target, size, tries: tries.value })
  const sample = sampled.value?.sample
  const layout = sampled.value?.layout.value
  const { coloring, problem: colorProblem } = useColoring({
    collection,
    target,
    size,
    sample,
    prompt: address.get('prompt'),
    field: address.get('field')
  })
  const { camera, rested, move } = useCamera()
  const only = address.get('only')
  const colors = useMemo(() => faded(coloring.value, only), [coloring.value, only])
  if (collections.value && !known) return <NoCollection name={collection} />
  return (
    <div class="map-view" data-points={sample?.ids.length} data-done={layout?.progress === 1 || undefined}>
      <h1 class="visually-hidden">{`Map of ${collection ?? ''}`}</h1>
      <Controls collection={collection} target={target} size={size} known={known} />
      {problem.value !== undefined && <Problem message={problem.value} retry={() => tries.value++} />}
      {[colorProblem.value, canvasProblem.value].map(
        (message) => message !== undefined && <Problem message={message} />
      )}
      {sample &&
      layout &&
      colors &&
      colors.length === 2 * layout.positions.length &&
      collection !== undefined &&
      sample.ids.length > 0 ? (
        <>
          <MapCanvas
            collection={collection}
            ids={sample.ids}
            positions={layout.positions}
            colors={colors}
            camera={camera}
            onCamera={move}
            onOpen={(id) => navigate(recordLink(collection, id))}
            onProblem={(message) => (canvasProblem.value = message)}
          />
          <div class="map-foot">
            <p class="muted number" role="status">
              {summary(sample, layout.progress)}
            </p>
            {coloring.value?.legend && (
              <Legend
                legend={coloring.value.legend}
                only={only}
                onOnly={(value) => address.set({ only: value })}
              />
            )}
          </div>
          {layout.progress === 1 && (
            <NearestList
              collection={collection}
              ids={sample.ids}
              positions={layout.positions}
              camera={rested}
            />
          )}
        </>
      ) : (
        problem.value === undefined && (
          <p class="busy" role="status">
            {stateOf(sample, { collection, target })}
          </p>
        )
      )}
    </div>
  )
}

/** What is laid out: as asked, or texts where a collection has no images. */
function targetOf(asked: string, known: Collection | undefined): Target {
  return asked === 'text' || (asked === '' && known?.images === 0) ? 'text' : 'image'
}

/** What is said where there is no map yet, or none to come. */
function stateOf(
  sample: { ids: string[] } | undefined,
  { collection, target }: { collection?: string; target: Target }
): string {
  return sample?.ids.length === 0
    ? `${collection} has no ${target === 'image' ? 'pictures' : 'texts'} to lay out.`
    : 'Looking for neighbours'
}

/** In place of the map: there is no collection at all, or none of that name. */
function NoCollection({ name }: { name: string | undefined }) {
  return (
    <>
      <h1 class="visually-hidden">Map</h1>
      {name === undefined ? (
        <div class="empty">
          <p>There is nothing to lay out yet.</p>
          <Link class="button" href="/add">
            Add pictures or texts
          </Link>
        </div>
      ) : (
        <Problem message={`There is no collection '${name}'.`} />
      )}
    </>
  )
}

function summary({ ids, records }: { ids: string[]; records: number }, progress: number): string {
  const shown =
    ids.length < records
      ? `${ids.length.toLocaleString('en')} of ${records.toLocaleString('en')} records`
      : `${records.toLocaleString('en')} records`
  return progress < 1 ? `${shown}, laid out to ${Math.round(100 * progress)}%` : shown
}

/** The colours, with all but one value of the legend faded. */
function faded(
  coloring: ReturnType<typeof useColoring>['coloring']['value'],
  only: string
): Uint8Array | undefined {
  if (!coloring || only === '' || coloring.legend?.kind !== 'values' || !coloring.groups)
    return coloring?.colors
  const shown = coloring.legend.entries.findIndex(({ value }) => value === only)
  if (shown < 0) return coloring.colors
  const colors = coloring.colors.slice()
  coloring.groups.forEach((group, point) => {
    if (group !== shown) colors[4 * point + 3] = FADED
  })
  return colors
}

/** Where the map is looked at. It follows at once, and the link when it rests. */
function useCamera(): {
  camera: Camera | undefined
  rested: Camera | undefined
  move: (camera: Camera | undefined) => void
} {
  const address = useAddress()
  const linked = address.get('at')
  const camera = useSignal(parse(linked))
  const timer = useRef<ReturnType<typeof setTimeout>>()
  const written = useRef(linked)
  useEffect(() => {
    // Back, forward, or another collection.
    if (linked !== written.current) camera.value = parse(linked)
    written.current = linked
  }, [linked])
  useEffect(() => () => clearTimeout(timer.current), [])
  const move = (next: Camera | undefined) => {
    camera.value = next
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      written.current = next ? [next.x, next.y, next.zoom].map((part) => part.toFixed(3)).join(',') : ''
      address.set({ at: written.current })
    }, REST_MS)
  }
  return { camera: camera.value, rested: parse(linked), move }
}

function parse(at: string): Camera | undefined {
  const [x, y, zoom] = at.split(',').map(Number)
  return at !== '' && [x, y, zoom].every(Number.isFinite) ? { x, y, zoom } : undefined
}
