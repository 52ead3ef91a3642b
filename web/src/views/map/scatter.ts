import { Deck, OrthographicView, type OrthographicViewState } from '@deck.gl/core'
import { ScatterplotLayer } from '@deck.gl/layers'

/** What is in the middle, and how many pixels a unit of the layout takes, as a power of two. */
export interface Camera {
  x: number
  y: number
  zoom: number
}

export interface ScatterEvents {
  onCamera: (camera: Camera) => void
  onHover: (point: number | undefined, at: { x: number; y: number }) => void
  onClick: (point: number) => void
  onProblem: (error: Error) => void
}

export interface Scatter {
  /** Positions, shape `[n, 2]`, and colours, shape `[n, 4]`. */
  draw(points: { positions: Float32Array; colors: Uint8Array }): void
  look(camera: Camera): void
  close(): void
}

/** Closest and farthest that one may look. */
const ZOOMS = { minZoom: -2, maxZoom: 14 }

/** Points on a canvas, by WebGL: dragged, zoomed by wheel and pinch, and picked under the pointer. */
export function openScatter(
  canvas: HTMLCanvasElement,
  camera: Camera,
  { onCamera, onHover, onClick, onProblem }: ScatterEvents
): Scatter {
  let at = camera
  const viewState = (): OrthographicViewState => ({ target: [at.x, at.y], zoom: at.zoom, ...ZOOMS })
  const deck = new Deck({
    canvas,
    width: '100%',
    height: '100%',
    views: new OrthographicView({
      flipY: false,
      controller: {
        scrollZoom: { smooth: false, speed: 0.01 },
        doubleClickZoom: true,
        keyboard: false,
        inertia: 250
      }
    }),
    viewState: viewState(),
    pickingRadius: 6,
    getCursor: ({ isDragging, isHovering }) => (isDragging ? 'grabbing' : isHovering ? 'pointer' : 'grab'),
    onViewStateChange: ({ viewState: next }) => {
      const { target, zoom } = next as unknown as { target: number[]; zoom: number | number[] }
      onCamera({ x: target[0], y: target[1], zoom: [zoom].flat()[0] })
    },
    onHover: ({ index, x, y }) => onHover(index >= 0 ? index : undefined, { x, y }),
    onClick: ({ index }) => {
      if (index >= 0) onClick(index)
    },
    onError: onProblem
  })
  return {
    draw: ({ positions, colors }) => {
      const length = positions.length / 2
      deck.setProps({
        layers: [
          new ScatterplotLayer({
            id: 'points',
            data: {
              length,
              attributes: {
                getPosition: { value: positions, size: 2 },
                getFillColor: { value: colors, size: 4, normalized: true }
              }
            },
            radiusUnits: 'common',
            getRadius: radiusFor(length),
            radiusMinPixels: length > 20_000 ? 1.2 : 2.5,
            radiusMaxPixels: 14,
            pickable: true,
            autoHighlight: true,
            highlightColor: [255, 255, 255, 150]
          })
        ]
      })
    },
    look: (camera) => {
      at = camera
      deck.setProps({ viewState: viewState() })
    },
    close: () => deck.finalize()
  }
}

/** Smaller points where there are many, in units of the layout. */
function radiusFor(n: number): number {
  return 1.5 / Math.sqrt(Math.max(n, 50))
}

/** Part of the canvas that all points take, so that none lies on its edge. */
const FILLED = 0.92

/** The camera from which all points are seen on a canvas of that size. */
export function fit(positions: Float32Array, { width, height }: { width: number; height: number }): Camera {
  const least = [Infinity, Infinity]
  const most = [-Infinity, -Infinity]
  positions.forEach((value, at) => {
    // A point without a place is NaN, which is neither less nor more.
    if (value < least[at % 2]) least[at % 2] = value
    if (value > most[at % 2]) most[at % 2] = value
  })
  if (least[0] > most[0]) return { x: 0, y: 0, zoom: 0 }
  const [across, down] = [0, 1].map((axis) => most[axis] - least[axis] || 1)
  return {
    x: (least[0] + most[0]) / 2,
    y: (least[1] + most[1]) / 2,
    zoom: Math.log2(FILLED * Math.min(width / across, height / down))
  }
}
