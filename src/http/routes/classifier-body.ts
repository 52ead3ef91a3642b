import type { Static } from 'typebox'
import type { StoredClassifier } from '../../classifiers/classifiers.js'
import { CONFUSION_CLASSES } from '../../classifiers/quality.js'
import type { ClassifierBody } from './classifier-schemas.js'

/** A classifier as it stands in responses. */
export function toClassifierBody({
  name,
  model,
  fingerprint,
  method,
  layout,
  collection,
  labels,
  setting,
  prior,
  templates,
  validation,
  seed,
  createdAt
}: StoredClassifier): Static<typeof ClassifierBody> {
  return {
    name,
    model,
    fingerprint,
    method,
    inputs: layout === 'image+text' ? ['image', 'text'] : [layout],
    collection,
    labels: labels.map((label) => ({ ...label, validated: validation !== null && label.examples > 1 })),
    c: method === 'linear-probe' ? setting : null,
    scale: method === 'nearest-class-mean' ? setting : null,
    prior,
    templates,
    folds: validation?.folds ?? null,
    validated_examples: validation?.examples ?? 0,
    accuracy: validation?.accuracy ?? null,
    auroc: validation?.auroc ?? null,
    confusion: validation && labels.length <= CONFUSION_CLASSES ? validation.confusion : null,
    most_confused: (validation?.confused ?? []).map(({ actual, predicted, count }) => ({
      label: labels[actual].label,
      predicted: labels[predicted].label,
      count
    })),
    seed,
    created_at: new Date(createdAt).toISOString()
  }
}
