import type { Address } from '../../address.js'

/** Names of the sets of templates that the service knows. */
export const TEMPLATE_SETS = ['simple', 'imagenet-7', 'imagenet-80'] as const

/** A label, and its own prompts in place of the templates where there are any. */
export interface Label {
  label: string
  prompts: string[]
}

/** What is asked about an image; all of it stands in the link. */
export interface ClassifyRequest {
  labels: Label[]
  /** The name of a set, own templates, or undefined for those of the model. */
  templates: string | string[] | undefined
  multiLabel: boolean
  model: string | undefined
}

/**
 * Reads what is asked from the link: `label` (its lines after the first are its prompts), `templates`,
 * `template`, `multi`, `model`.
 */
export function readClassifyRequest(address: Address): ClassifyRequest {
  const set = address.get('templates')
  return {
    labels: address.getAll('label').map(labelOf),
    templates: set === 'own' ? address.getAll('template') : set || undefined,
    multiLabel: address.get('multi') === '1',
    model: address.get('model') || undefined
  }
}

/** The labels as values of `label`. */
export function toValues(labels: Label[]): string[] {
  return labels.map(({ label, prompts }) => [label, ...prompts].join('\n'))
}

function labelOf(value: string): Label {
  const [label] = value.split('\n', 1)
  return { label, prompts: linesOf(value.slice(label.length)) }
}

/** The lines of a text that say something. */
export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')

/**
 * The labels that a line or a pasted list names: parted by lines, or by commas where there is but one line.
 */
export function labelsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return (lines.length > 1 ? lines : text.split(','))
    .map((label) => label.trim())
    .filter((label) => label !== '')
}

/** Labels with others behind them; what is there already is not there twice, which the service refuses. */
export function withLabels(labels: Label[], more: string[]): Label[] {
  const known = new Set(labels.map(({ label }) => label))
  const fresh = [...new Set(more)].filter((label) => !known.has(label))
  return [...labels, ...fresh.map((label) => ({ label, prompts: [] }))]
}
