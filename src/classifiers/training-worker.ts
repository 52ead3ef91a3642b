import { isStopped, type StopFlag } from '../collections/slices.js'
import { handler, reportReady } from '../threading/thread-pool.js'
import type { TrainingSet } from './cross-validation.js'
import { trainClassifier, type Trained, type TrainOptions } from './train-classifier.js'

export interface TrainCall {
  set: TrainingSet
  options: Omit<TrainOptions, 'onPass'>
  stop: StopFlag
}

/** What was trained, as it is kept: W row by row, then b. */
export interface TrainedWeights extends Omit<Trained, 'classifier'> {
  weights: Float32Array
}

// A thread that trains one classifier.

/** Trains a classifier, until it is stopped. */
export const train = handler(({ set, options, stop }: TrainCall): TrainedWeights => {
  const onPass = () => {
    if (isStopped(stop)) throw new Error('The training was stopped.')
  }
  const {
    classifier: { weights, intercepts },
    ...trained
  } = trainClassifier(set, { ...options, onPass })
  const kept = new Float32Array(weights.length + intercepts.length)
  kept.set(weights)
  kept.set(intercepts, weights.length)
  return { ...trained, weights: kept }
})

reportReady()
