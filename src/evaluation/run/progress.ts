import type { EmbedProgress } from '../embedding/create-embedder.js'

/** How far a step of an evaluation is. How many steps there are is not known beforehand. */
export interface EvaluationProgress {
  done: number
  total: number
  /** `photos: images (mini)`, say. */
  step: string
}

/** Tells of an evaluation's steps. */
export interface ProgressTeller {
  /** A step that is not counted begins. */
  begin(step: string): void
  /** How far a model is with embedding, for the step that began last. */
  embedding(model: string, progress: EmbedProgress): void
}

/** How often at most it is told of one step, in milliseconds; of its end always. */
const EVERY_MS = 50

export function progressTeller(
  onProgress: (progress: EvaluationProgress) => void = () => undefined
): ProgressTeller {
  let current = ''
  let toldAt = 0
  return {
    begin: (step) => onProgress({ done: 0, total: 1, step: (current = step) }),
    embedding: (model, { done, total, what, corruption }) => {
      const now = performance.now()
      if (done > 0 && done < total && now - toldAt < EVERY_MS) return
      toldAt = now
      onProgress({
        done,
        total,
        step:
          `${current}, ${what}${corruption ? ` with ${Object.values(corruption).join(' ')}` : ''} ` +
          `(${model})`
      })
    }
  }
}
