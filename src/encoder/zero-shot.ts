import { countCharacters } from '../validation/code-points.js'
import { LabelsInvalid, TemplateInvalid, ZeroShotUnsupported } from '../errors.js'
import { cosine, meanEmbedding, type Embedding } from './embedding.js'
import type { Encoder } from './encoder.js'
import type { ZeroShotSettings } from './package-settings.js'
import { TEMPLATES } from './templates.js'
import { MAX_TEXT_LENGTH } from './tokenizer.js'
import type { EncodeOptions } from './encode-options.js'

/** A label, or a label with its own prompts in place of the templates. */
export type Label = string | { label: string; prompts: string[] }

export interface LabelScore {
  label: string
  /** A probability, by the model's activation. */
  score: number
  /** The cosine of the image and the label's prompts. */
  similarity: number
}

export interface Classifier {
  activation: 'softmax' | 'sigmoid'
  /** The templates in use, written out. */
  templates: string[]
  /** Scores of all labels for one image embedding, best first. */
  classify(image: Embedding): LabelScore[]
}

export interface ClassifierOptions {
  labels: Label[]
  /** Own templates, each with {label}, or the name of a set of TEMPLATES. By default the model package's. */
  templates?: string | string[]
  /** Scores each label on its own, so that several may hold, or none. */
  multiLabel?: boolean
}

/** Most prompts (labels times templates) of one classifier. */
export const MAX_PROMPTS = 20_000
/** Most characters of all its prompts. */
const MAX_PROMPT_CHARACTERS = 4_000_000

/** Stands for the label in the prompts that a softmax model's labels are held against one by one. */
const BACKGROUND = 'something'

/**
 * Encodes the prompts of the labels into a classifier; a label's embedding is the normalised mean of its
 * prompts' (Radford et al. 2021, 3.1.4). Throws LABELS_INVALID, TEMPLATE_INVALID or ZERO_SHOT_UNSUPPORTED.
 *
 * With `multiLabel`, a softmax model weighs each label against its templates with "something" in the label's
 * place: a two-way softmax. A sigmoid model scores labels on their own in any case.
 */
export async function createClassifier(
  encoder: Encoder,
  options: ClassifierOptions,
  encodeOptions: EncodeOptions = {}
): Promise<Classifier> {
  const { name, zeroShot: settings } = encoder.model
  requireScale(name, settings)
  const { labels, templates } = writePrompts(options, settings)
  const weighsBackground = options.multiLabel === true && settings.activation === 'softmax'
  const prompts = [
    ...labels.map((label) => label.prompts),
    ...(weighsBackground ? [fill(templates, BACKGROUND)] : [])
  ]
  const digests: string[] = []
  const embeddings = await encodePrompts(encoder, prompts, { ...encodeOptions, digests })
  requireTold(labels, digests)
  const background = weighsBackground ? embeddings.pop() : undefined
  const activate = activation(settings, background)
  return {
    activation: background ? 'sigmoid' : settings.activation,
    templates,
    classify: (image) => {
      const similarities = embeddings.map((embedding) => cosine(image, embedding))
      const scores = activate(similarities, image)
      return labels
        .map(({ label }, i) => ({ label, score: scores[i], similarity: similarities[i] }))
        .sort((a, b) => b.score - a.score || b.similarity - a.similarity)
    }
  }
}

/**
 * The embedding of each label, the normalised mean of its prompts', with the templates in use. Throws
 * LABELS_INVALID or TEMPLATE_INVALID.
 */
export async function labelEmbeddings(
  encoder: Encoder,
  options: Omit<ClassifierOptions, 'multiLabel'>,
  encodeOptions: EncodeOptions = {}
): Promise<{ embeddings: Embedding[]; templates: string[] }> {
  const { labels, templates } = writePrompts(options, encoder.model.zeroShot)
  return {
    embeddings: await encodePrompts(
      encoder,
      labels.map(({ prompts }) => prompts),
      encodeOptions
    ),
    templates
  }
}

function writePrompts(
  options: ClassifierOptions,
  { template }: ZeroShotSettings
): { labels: { label: string; prompts: string[] }[]; templates: string[] } {
  const templates = resolveTemplates(options.templates ?? [template])
  requireBounded(options.labels, templates)
  requireDistinct(options.labels.map(nameOf))
  return {
    labels: options.labels.map((label) =>
      typeof label === 'string' ? { label, prompts: fill(templates, label) } : label
    ),
    templates
  }
}

function requireScale(name: string, { activation, logitScale, logitBias }: ZeroShotSettings): void {
  if (logitScale === undefined)
    throw new ZeroShotUnsupported(name, 'its package gives no logit scale (logit_scale in semblance.json)')
  if (activation === 'sigmoid' && logitBias === undefined)
    throw new ZeroShotUnsupported(name, 'its package gives no logit bias (logit_bias in semblance.json)')
}

/** The templates of a set by its name, or own ones as they are. Throws TEMPLATE_INVALID. */
export function resolveTemplates(templates: string | string[]): string[] {
  if (typeof templates === 'string') {
    if (!Object.hasOwn(TEMPLATES, templates))
      throw new TemplateInvalid(
        `There is no template set '${templates}'; the sets are ${Object.keys(TEMPLATES).join(', ')}.`
      )
    return TEMPLATES[templates]
  }
  const wrong = templates.find((template) => !template.includes('{label}'))
  if (wrong !== undefined)
    throw new TemplateInvalid(`The template '${wrong}' has no {label}; add it where the label goes.`)
  return templates
}

function requireDistinct(labels: string[]): void {
  const seen = new Set<string>()
  for (const label of labels) {
    if (label.trim() === '') throw new LabelsInvalid('A label is empty; remove it or give it a text.')
    if (seen.has(label)) throw new LabelsInvalid(`The label '${label}' appears twice; send it once.`)
    seen.add(label)
  }
}

function nameOf(label: Label): string {
  return typeof label === 'string' ? label : label.label
}

/** Throws before any prompt is written out: a short request can stand for gigabytes of them. */
function requireBounded(labels: Label[], templates: string[]): void {
  let [prompts, characters] = [0, 0]
  const count = (length: number) => {
    if (length > MAX_TEXT_LENGTH)
      throw new LabelsInvalid(`A prompt has ${length} characters; at most ${MAX_TEXT_LENGTH} are allowed.`)
    characters += length
    if (++prompts > MAX_PROMPTS)
      throw new LabelsInvalid(
        `Labels times templates are more than ${MAX_PROMPTS} prompts; send fewer labels or templates.`
      )
    if (characters > MAX_PROMPT_CHARACTERS)
      throw new LabelsInvalid(
        `The prompts have more than ${MAX_PROMPT_CHARACTERS} characters in all; send fewer or shorter ones.`
      )
  }
  const slots = templates.map((template) => template.split('{label}').length - 1)
  const lengths = templates.map(countCharacters)
  for (const label of labels) {
    if (typeof label !== 'string') label.prompts.forEach((prompt) => count(countCharacters(prompt)))
    else {
      const length = countCharacters(label)
      slots.forEach((slot, i) => count(lengths[i] + slot * (length - '{label}'.length)))
    }
  }
}

/** The prompts of a label. */
export function fill(templates: string[], label: string): string[] {
  return templates.map((template) => template.replaceAll('{label}', () => label))
}

async function encodePrompts(
  encoder: Encoder,
  prompts: string[][],
  options: EncodeOptions
): Promise<Embedding[]> {
  const embeddings = await Promise.all(encoder.encodeTexts(prompts.flat(), options))
  let start = 0
  return prompts.map(({ length }) => meanEmbedding(embeddings.slice(start, (start += length))))
}

/**
 * Throws LABELS_INVALID for labels that are the same to the model, by the digests of their prompts' tokens:
 * `cat`, `Cat` and `cat `.
 */
function requireTold(labels: { label: string; prompts: string[] }[], digests: string[]): void {
  const known = new Map<string, string>()
  let start = 0
  for (const { label, prompts } of labels) {
    const tokens = digests
      .slice(start, (start += prompts.length))
      .sort()
      .join()
    const same = known.get(tokens)
    if (same !== undefined)
      throw new LabelsInvalid(
        `The model reads the labels '${same}' and '${label}' as the same tokens; send only one of them.`
      )
    known.set(tokens, label)
  }
}

/** Scores of the labels from their cosines with one image. */
export type Activate = (similarities: number[], image: Embedding) => number[]

/**
 * How a model's cosines become scores; softmax models weigh each label against the background where there is
 * one.
 */
export function activation(
  { activation: kind, logitScale: scale = 1, logitBias: bias = 0 }: ZeroShotSettings,
  background?: Embedding
): Activate {
  if (background) {
    return (similarities, image) => {
      const floor = cosine(image, background)
      return similarities.map((similarity) => sigmoid(scale * (similarity - floor)))
    }
  }
  if (kind === 'sigmoid')
    return (similarities) => similarities.map((similarity) => sigmoid(scale * similarity + bias))
  return (similarities) => softmax(similarities.map((similarity) => scale * similarity))
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

function softmax(logits: number[]): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  const weights = logits.map((logit) => Math.exp(logit - largest))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}
