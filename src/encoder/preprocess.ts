import type { Size } from './decode-image.js'
import type { Preprocessing } from './preprocessing.js'
import { resample, type Pixels } from './resample.js'

/**
 * Resizes and centre-crops upright RGB pixels to the size that the vision tower takes, as its reference
 * implementation does: the long side of a `shortest` resize is truncated, the crop offset is floored or
 * rounded.
 */
export function preprocess(pixels: Pixels, { resize, filter, crop, cropOffset }: Preprocessing): Pixels {
  const size = resize.mode === 'squash' ? resize : shortest(pixels, resize.size)
  const offset = cropOffset === 'floor' ? Math.floor : roundToEven
  const left = offset((size.width - crop.width) / 2)
  const top = offset((size.height - crop.height) / 2)
  return resample(pixels, { filter, width: size.width, height: size.height, window: { left, top, ...crop } })
}

/** The size that pictures are resized to, or for a `shortest` resize the least they are, in pixels. */
export function neededSize({ resize }: Preprocessing): Size {
  return resize.mode === 'squash' ? resize : { width: resize.size, height: resize.size }
}

/** Rounds a multiple of a half as Python's `round` does, which torchvision's crop uses. */
function roundToEven(halves: number): number {
  return Number.isInteger(halves) ? halves : 2 * Math.round(halves / 2)
}

function shortest({ width, height }: Pixels, size: number): { width: number; height: number } {
  return width <= height
    ? { width: size, height: Math.trunc((size * height) / width) }
    : { width: Math.trunc((size * width) / height), height: size }
}
