/** What the towers' images go through, read from `preprocessor_config.json`. */
export interface Preprocessing {
  /** `shortest` keeps the aspect ratio; `squash` doesn't. Sizes in pixels. */
  resize: { mode: 'shortest'; size: number } | { mode: 'squash'; width: number; height: number }
  filter: ResampleFilter
  /** The centre crop after the resize, in pixels; with `squash` it is the whole. */
  crop: { width: number; height: number }
  /** One value a channel, in the scale of 0 to 1. */
  mean: number[]
  std: number[]
}

export type ResampleFilter = 'nearest' | 'lanczos' | 'bilinear' | 'bicubic'

/** Pillow's numbers for its filters (PIL.Image.Resampling). */
const PILLOW_FILTERS: Record<number, ResampleFilter> = { 0: 'nearest', 1: 'lanczos', 2: 'bilinear', 3: 'bicubic' }

interface PreprocessorConfig {
  size?: number | { shortest_edge?: number; height?: number; width?: number }
  crop_size?: number | { height: number; width: number }
  do_center_crop?: boolean
  do_normalize?: boolean
  do_rescale?: boolean
  rescale_factor?: number
  resample?: number
  image_mean?: number[]
  image_std?: number[]
}

/** Reads a Hugging Face image processor's configuration. Throws where it asks for what is not supported. */
export function parsePreprocessing(config: PreprocessorConfig): Preprocessing {
  const filter = PILLOW_FILTERS[config.resample ?? 3]
  if (!filter) throw new Error(`preprocessor_config.json: resample ${config.resample} is not supported.`)
  const resize = parseResize(config.size)
  const normalises = config.do_normalize !== false
  // Pixels reach the tower as (value / 255 - mean) / std; another factor than 1/255 moves into both.
  const factor = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255)
  const scale = 1 / (255 * factor)
  return {
    resize,
    filter,
    crop: parseCrop(config, resize),
    mean: (normalises ? (config.image_mean ?? [0, 0, 0]) : [0, 0, 0]).map((mean) => mean * scale),
    std: (normalises ? (config.image_std ?? [1, 1, 1]) : [1, 1, 1]).map((std) => std * scale)
  }
}

function parseResize(size: PreprocessorConfig['size']): Preprocessing['resize'] {
  if (typeof size === 'number') return { mode: 'shortest', size }
  if (size?.shortest_edge) return { mode: 'shortest', size: size.shortest_edge }
  if (size?.width && size.height) return { mode: 'squash', width: size.width, height: size.height }
  throw new Error('preprocessor_config.json: size has neither shortest_edge nor width and height.')
}

function parseCrop({ crop_size: size, do_center_crop: crops }: PreprocessorConfig, resize: Preprocessing['resize']) {
  if (resize.mode === 'squash') return { width: resize.width, height: resize.height }
  if (crops === false) throw new Error('preprocessor_config.json: a shortest_edge resize needs the centre crop.')
  if (typeof size === 'number') return { width: size, height: size }
  return size ?? { width: resize.size, height: resize.size }
}
