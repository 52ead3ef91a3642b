import type { Static } from 'typebox'
import type { StoredClassifier } from '../classifiers/classifiers.js'
import type { ClassifierBody } from './classifier-schemas.js'

/** Labels up to which the confusions are told: of more they are a million numbers. */
const CONFUSION_LABELS = 100

/** A classifier as it stands in responses. */
export function toClassifierBody({ name, model, fingerprint, method, layout, collection, labels, setting, prior, templates, validation, seed, createdAt }: StoredClassifier): Static<typeof ClassifierBody> {
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
    confusion: validation && labels.length <= CONFUSION_LABELS ? validation.confusion : null,
    seed,
    created_at: new Date(createdAt).toISOString()
  }
}
