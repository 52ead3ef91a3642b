import type { DatasetReport, Flag, Report } from '../report.js'

/** What is evaluated. */
export function reportTitle(report: Pick<Report, 'models' | 'datasets'>): string {
  return `Evaluation of ${listed(modelNames(report)) || 'nothing'}`
}

/**
 * The names under which results stand: of the models that were run, then what else datasets name, as
 * embeddings that were made before.
 */
export function modelNames({ models, datasets }: Pick<Report, 'models' | 'datasets'>): string[] {
  return [
    ...new Set([
      ...models.map(({ name }) => name),
      ...datasets.flatMap(({ results }) => results.map(({ model }) => model))
    ])
  ]
}

/** How large a dataset is, and what could not be used of it. */
export function countsText({
  format,
  kind,
  counts
}: Pick<DatasetReport, 'format' | 'kind' | 'counts'>): string {
  const { images, captions, labels, faults, duplicateImages, duplicateCaptions, items } = counts
  const parts = [
    format === kind ? format : `${format}, ${kind}`,
    counted(items, 'item'),
    counted(images, 'image'),
    captions > 0 && counted(captions, 'caption'),
    labels > 0 && counted(labels, 'label'),
    duplicateImages > 0 && counted(duplicateImages, 'duplicate image'),
    duplicateCaptions > 0 && counted(duplicateCaptions, 'duplicate caption'),
    faults > 0 && `${counted(faults, 'item')} that could not be read`
  ]
  return parts.filter((part) => part !== false).join(' · ')
}

/** A model's name without its owner, unless another one is called the same. */
export function shortName(model: string, { models }: Pick<Report, 'models'>): string {
  const last = (name: string) => name.slice(name.lastIndexOf('/') + 1)
  return models.filter(({ name }) => last(name) === last(model)).length > 1 ? model : last(model)
}

export function levelText(level: Flag['level']): string {
  return level === 'warning' ? 'Warning' : 'Note'
}

/** A, B and C. */
export function listed(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
