import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../icon.js'
import { RecordCard } from './record-card.js'
import { fit, openScatter, type Camera, type Scatter } from './scatter.js'

interface MapCanvasProps {
  collection: string
  ids: string[]
  positions: Float32Array
  colors: Uint8Array
  /** Where the link looks; else all points are in view, and stay so while they are laid out. */
  camera: Camera | undefined
  onCamera: (camera: Camera | undefined) => void
  onOpen: (id: string) => void
  onProblem: (message: string) => void
}

const ZOOM_STEP = 0.5
/** How far an arrow key goes, in pixels. */
const PAN_STEP = 60

/** The map itself. */
export function MapCanvas({
  collection,
  ids,
  positions,
  colors,
  camera,
  onCamera,
  onOpen,
  onProblem
}: MapCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const scatter = useRef<Scatter>()
  const hovered = useSignal<{ id: string; x: number; y: number; isRight: boolean } | undefined>(undefined)
  // The events of one canvas see what was rendered last.
  const latest = useRef({ ids, onCamera, onOpen })
  latest.current = { ids, onCamera, onOpen }
  const size = () => ({ width: canvas.current!.clientWidth || 1, height: canvas.current!.clientHeight || 1 })
  const seen = () => camera ?? fit(positions, size())
  useEffect(() => {
    if (!canvas.current!.getContext('webgl2')) {
      onProblem('This browser draws no WebGL, which the map needs. The records are listed below.')
      return
    }
    scatter.current = openScatter(canvas.current!, seen(), {
      onCamera: (next) => latest.current.onCamera(next),
      onHover: (point, { x, y }) =>
        (hovered.value =
          point === undefined
            ? undefined
            : { id: latest.current.ids[point], x, y, isRight: x > size().width / 2 }),
      onClick: (point) => latest.current.onOpen(latest.current.ids[point]),
      onProblem: ({ message }) => onProblem(message)
    })
    return () => scatter.current?.close()
  }, [])
  useEffect(() => scatter.current?.draw({ positions, colors }), [positions, colors])
  useEffect(() => scatter.current?.look(seen()), [positions, camera?.x, camera?.y, camera?.zoom])
  const move = ({ x = 0, y = 0, zoom = 0 }: Partial<Camera>) => {
    const from = seen()
    const unit = PAN_STEP / 2 ** from.zoom
    onCamera({ x: from.x + x * unit, y: from.y + y * unit, zoom: from.zoom + zoom * ZOOM_STEP })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => move({ x: -1 }),
      ArrowRight: () => move({ x: 1 }),
      ArrowUp: () => move({ y: 1 }),
      ArrowDown: () => move({ y: -1 }),
      '+': () => move({ zoom: 1 }),
      '=': () => move({ zoom: 1 }),
      '-': () => move({ zoom: -1 }),
      '0': () => onCamera(undefined)
    }
    if (!moves[event.key] || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    moves[event.key]()
  }
  return (
    <div class="map-frame">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Map of ${ids.length} records. Arrow keys move, plus and minus zoom, 0 shows all.`}
        onKeyDown={onKeyDown}
        onPointerLeave={() => (hovered.value = undefined)}
      />
      <div class="map-zoom">
        <button type="button" class="icon-button" aria-label="Zoom in" onClick={() => move({ zoom: 1 })}>
          <Icon name="add" />
        </button>
        <button type="button" class="icon-button" aria-label="Zoom out" onClick={() => move({ zoom: -1 })}>
          <Icon name="minus" />
        </button>
        <button type="button" class="icon-button" aria-label="Show all" onClick={() => onCamera(undefined)}>
          <Icon name="refresh" />
        </button>
      </div>
      {hovered.value && (
        <div
          class="map-card"
          data-right={hovered.value.isRight || undefined}
          style={{ left: `${hovered.value.x}px`, top: `${hovered.value.y}px` }}
        >
          <RecordCard collection={collection} id={hovered.value.id} />
        </div>
      )}
    </div>
  )
}
