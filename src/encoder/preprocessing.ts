/** What the towers' images go through, as a package's configuration says. */
export interface Preprocessing {
  /** `shortest` keeps the aspect ratio; `squash` doesn't. Sizes in pixels. */
  resize: { mode: 'shortest'; size: number } | { mode: 'squash'; width: number; height: number }
  filter: ResampleFilter
  /** The centre crop after the resize, in pixels; with `squash` it is the whole. */
  crop: { width: number; height: number }
  /** What becomes of half a pixel in the crop's offset; `round` goes to the even one. */
  cropOffset: 'floor' | 'round'
  /** One value a channel, in the scale of 0 to 1. */
  mean: number[]
  std: number[]
}

export type ResampleFilter = 'nearest' | 'lanczos' | 'bilinear' | 'bicubic'

/** Pillow's numbers for its filters (PIL.Image.Resampling). */
const PILLOW_FILTERS: Record<number, ResampleFilter> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic'
}
const FILTERS = Object.values(PILLOW_FILTERS)

/**
 * The channels' means and deviations of CLIP's training images (Radford et al. 2021), which its processors
 * take by default.
 */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
/** The default of the processors of ViT and SigLIP: -1 to 1. */
const HALF = [0.5, 0.5, 0.5]

/**
 * The image processors whose settings mean what is read here; others (Qwen2-VL's, BLIP's) use the same names
 * for other things.
 */
const PROCESSORS = /^(CLIP|ChineseCLIP|ViT|Bit|Siglip)(ImageProcessor|ImageProcessorFast|FeatureExtractor)$/

interface PreprocessorConfig {
  image_processor_type?: string
  feature_extractor_type?: string
  do_resize?: boolean
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

/** OpenCLIP's `preprocess_cfg`. */
export interface OpenClipPreprocessing {
  size?: number | number[]
  mean?: number | number[]
  std?: number | number[]
  interpolation?: string
  resize_mode?: string
}

/**
 * Reads a Hugging Face image processor's configuration, or one that is written as OpenCLIP's (jina-clip's).
 * Throws where it asks for what is not supported.
 */
export function parsePreprocessing(config: PreprocessorConfig | OpenClipPreprocessing): Preprocessing {
  if ('resize_mode' in config) return parseOpenClipPreprocessing(config, 'round')
  const {
    image_processor_type: type = (config as PreprocessorConfig).feature_extractor_type ?? '',
    ...processor
  } = config as PreprocessorConfig
  if (/^Siglip2/.test(type))
    throw new Error(
      'preprocessor_config.json: images of any size (NaFlex) are not supported; use a checkpoint with ' +
        'a fixed resolution.'
    )
  if (type !== '' && !PROCESSORS.test(type)) {
    throw new Error(
      `preprocessor_config.json: image_processor_type '${type}' is not supported; the types of CLIP, ` +
        'ChineseCLIP, ViT, Bit and Siglip are.'
    )
  }
  if (processor.do_resize === false)
    throw new Error('preprocessor_config.json: do_resize false is not supported.')
  const squashes = /^(ViT|Siglip)/.test(type)
  const filter = PILLOW_FILTERS[processor.resample ?? (/^ViT/.test(type) ? 2 : 3)]
  if (!filter) throw new Error(`preprocessor_config.json: resample ${processor.resample} is not supported.`)
  const resize = parseResize(processor.size, squashes)
  const normalises = processor.do_normalize !== false
  // Pixels reach the tower as (value / 255 - mean) / std; another factor than 1/255 moves into both.
  const factor = processor.do_rescale === false ? 1 : (processor.rescale_factor ?? 1 / 255)
  const scale = 1 / (255 * factor)
  const [mean, std] = squashes ? [HALF, HALF] : [CLIP_MEAN, CLIP_STD]
  return {
    resize,
    filter,
    crop: parseCrop(processor, resize),
    cropOffset: 'floor',
    mean: (normalises ? (processor.image_mean ?? mean) : [0, 0, 0]).map((value) => value * scale),
    std: (normalises ? (processor.image_std ?? std) : [1, 1, 1]).map((value) => value * scale)
  }
}

function parseResize(size: PreprocessorConfig['size'], squashes: boolean): Preprocessing['resize'] {
  if (typeof size === 'number')
    return squashes ? { mode: 'squash', width: size, height: size } : { mode: 'shortest', size }
  if (size?.shortest_edge) return { mode: 'shortest', size: size.shortest_edge }
  if (size?.width && size.height) return { mode: 'squash', width: size.width, height: size.height }
  throw new Error('preprocessor_config.json: size must have shortest_edge, or width and height.')
}

function parseCrop(
  { crop_size: size, do_center_crop: crops }: PreprocessorConfig,
  resize: Preprocessing['resize']
) {
  if (resize.mode === 'squash') return { width: resize.width, height: resize.height }
  if (crops === false)
    throw new Error('preprocessor_config.json: a resize by shortest_edge needs the centre crop.')
  const crop =
    typeof size === 'number'
      ? { width: size, height: size }
      : (size ?? { width: resize.size, height: resize.size })
  if (Math.max(crop.width, crop.height) > resize.size)
    throw new Error(
      `preprocessor_config.json: a crop of ${crop.width}x${crop.height} is larger than the shortest ` +
        `side of ${resize.size}.`
    )
  return crop
}

/** Reads OpenCLIP's preprocessing, with its defaults. Throws where it asks for what is not supported. */
export function parseOpenClipPreprocessing(
  {
    size = 224,
    mean = CLIP_MEAN,
    std = CLIP_STD,
    interpolation = 'bicubic',
    resize_mode: mode = 'shortest'
  }: OpenClipPreprocessing,
  cropOffset: Preprocessing['cropOffset']
): Preprocessing {
  const [height, width = height] = [size].flat()
  // `random` is of training; OpenCLIP reads it as bicubic otherwise.
  const filter = FILTERS.find((name) => name === (interpolation === 'random' ? 'bicubic' : interpolation))
  if (!filter) throw new Error(`preprocess_cfg: interpolation '${interpolation}' is not supported.`)
  const channels = (values: number | number[]) =>
    typeof values === 'number' ? [values, values, values] : values
  const rest = { filter, cropOffset, crop: { width, height }, mean: channels(mean), std: channels(std) }
  if (mode === 'squash') return { ...rest, resize: { mode, width, height } }
  if (mode === 'shortest' && width === height) return { ...rest, resize: { mode, size: width } }
  throw new Error(`preprocess_cfg: resize_mode '${mode}' to ${width}x${height} is not supported.`)
}
