import type { Preprocessing } from './preprocessing.js'
import { resample, type Pixels } from './resample.js'

/**
 * Resizes and centre-crops upright RGB pixels to the size that the vision tower takes, as its reference
 * implementation does: the long side of a `shortest` resize is truncated, the crop offset is floored.
 */
export function preprocess(pixels: Pixels, { resize, filter, crop }: Preprocessing): Pixels {
  const size = resize.mode === 'squash' ? resize : shortest(pixels, resize.size)
  const left = Math.floor((size.width - crop.width) / 2)
  const top = Math.floor((size.height - crop.height) / 2)
  if (left < 0 || top < 0) throw new Error(`A crop of ${crop.width}x${crop.height} does not fit ${size.width}x${size.height}.`)
  return resample(pixels, { filter, width: size.width, height: size.height, window: { left, top, ...crop } })
}

function shortest({ width, height }: Pixels, size: number): { width: number; height: number } {
  return width <= height
    ? { width: size, height: Math.trunc((size * height) / width) }
    : { width: Math.trunc((size * width) / height), height: size }
}

/**
 * Writes 8-bit interleaved pixels as the tower's `pixel_values`: float32 `[3, height, width]`, value / 255 less the
 * mean, over the standard deviation of its channel.
 */
export function writePixelValues(pixels: Uint8Array, { mean, std }: Preprocessing, target: Float32Array): void {
  const plane = pixels.length / 3
  for (let channel = 0; channel < 3; channel++) {
    const values = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean[channel]) / std[channel])
    const start = channel * plane
    for (let i = 0, p = channel; i < plane; i++, p += 3) target[start + i] = values[pixels[p]]
  }
}
