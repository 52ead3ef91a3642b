import { narrow, type Taps } from './narrow.js'
import type { ResampleFilter } from './preprocessing.js'

/** 8-bit RGB, interleaved, row by row: `data.length` is width * height * 3. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

export interface ResampleOptions {
  filter: ResampleFilter
  /** The size of the whole resized picture, in pixels. */
  width: number
  height: number
  /** The part of it that is wanted. */
  window: { left: number; top: number; width: number; height: number }
}

/**
 * Resizes as Pillow does, to the bit, and computes only a window of the result.
 *
 * Two passes with 8 bits between them, kernels widened by the scale (antialias), coefficients in fixed point
 * with 22 fractional bits: Pillow's `Resample.c`. libvips differs where it shrinks by boxes first or
 * enlarges, by enough to move an embedding (cosine 0.93 for 223x224 to 224x225).
 */
export function resample(pixels: Pixels, { filter, width, height, window }: ResampleOptions): Pixels {
  if (filter === 'nearest') return resampleNearest(pixels, { filter, width, height, window })
  const columns = taps(filter, { from: pixels.width, to: width, start: window.left, count: window.width })
  const rows = taps(filter, { from: pixels.height, to: height, start: window.top, count: window.height })
  return { data: narrow(pixels, columns, rows), width: window.width, height: window.height }
}

const PRECISION_BITS = 22

const KERNELS: Record<Exclude<ResampleFilter, 'nearest'>, { support: number; at: (x: number) => number }> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) }
}

/** Keys' cubic convolution kernel with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5
  const t = Math.abs(x)
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function taps(
  filter: Exclude<ResampleFilter, 'nearest'>,
  axis: { from: number; to: number; start: number; count: number }
): Taps {
  const kernel = KERNELS[filter]
  const scale = axis.from / axis.to
  const widening = Math.max(scale, 1)
  const support = kernel.support * widening
  const stride = Math.ceil(support) * 2 + 1
  const { count } = axis
  const result = {
    starts: new Int32Array(count),
    counts: new Int32Array(count),
    weights: new Int32Array(count * stride),
    stride
  }
  for (let i = 0; i < count; i++) {
    const centre = (axis.start + i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(axis.from, Math.trunc(centre + support + 0.5))
    const values = Array.from({ length: end - first }, (_, j) =>
      kernel.at((first + j - centre + 0.5) / widening)
    )
    const sum = values.reduce((total, value) => total + value, 0)
    values.forEach((value, j) => (result.weights[i * stride + j] = toFixedPoint(value / sum)))
    result.starts[i] = first
    result.counts[i] = end - first
  }
  return result
}

function toFixedPoint(weight: number): number {
  return Math.trunc(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5))
}

function resampleNearest({ data, width, height }: Pixels, target: ResampleOptions): Pixels {
  const { window } = target
  const columns = nearest({ from: width, to: target.width, start: window.left, count: window.width })
  const rows = nearest({ from: height, to: target.height, start: window.top, count: window.height })
  const result = new Uint8Array(window.width * window.height * 3)
  let out = 0
  for (const y of rows) {
    for (const x of columns) {
      const p = (y * width + x) * 3
      result[out++] = data[p]
      result[out++] = data[p + 1]
      result[out++] = data[p + 2]
    }
  }
  return { data: result, width: window.width, height: window.height }
}

/**
 * Input positions by adding up the scale, as Pillow's `Geometry.c` does: a product rounds otherwise now and
 * then.
 */
function nearest(axis: { from: number; to: number; start: number; count: number }): number[] {
  const scale = axis.from / axis.to
  const positions: number[] = []
  let position = scale * 0.5
  for (let i = 0; i < axis.start + axis.count; i++, position += scale)
    if (i >= axis.start) positions.push(Math.min(axis.from - 1, Math.trunc(position)))
  return positions
}
