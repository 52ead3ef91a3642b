import type { Static } from 'typebox'
import { sumSteps, type OnStep, type Step } from '../../telemetry/stages.js'
import type { SearchTook } from './search-schemas.js'

const STAGES = ['queue', 'decode', 'preprocess', 'encode', 'search'] as const

/** Follows a search from now on: what is told continues to another listener, and is summed by stage. */
export function followSearch(onStep: OnStep): { tell: OnStep; took: () => Static<typeof SearchTook> } {
  const startedAt = performance.now()
  const steps: Step[] = []
  return {
    tell: (step) => {
      steps.push(step)
      onStep(step)
    },
    took: () => {
      const took = { ...sumSteps(STAGES, steps), total: performance.now() - startedAt }
      return Object.fromEntries(
        Object.entries(took).map(([stage, ms]) => [stage, rounded(ms)])
      ) as typeof took
    }
  }
}

/** Milliseconds as they stand in answers, to a microsecond. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
