/** One measure of a dataset's own task, with the images as they are. */
export interface SightedMeasure {
  values: Float64Array
  chance: number
  /** Of each value, which are drawn together. */
  clusters?: Uint32Array
}

/** The same task without looking at the right image, or at any. */
export interface BlindRun {
  /** As in `blind[name].measure`. */
  name: string
  /** What gives the answers, as the subject of a sentence. */
  what: string
  values: Record<string, Float64Array>
  /** What guessing gives, where a run can know more than that the answers are equally frequent. */
  chance?: number
}

/** A dataset's own task, and what is done without its images. */
export interface Blinded {
  sighted: Record<string, SightedMeasure>
  runs: BlindRun[]
  method: string[]
  /** Each image and whose was in its place, by their ids; of pairs, their first ones. */
  swapped: [string, string][]
  /** What else a repetition needs. */
  details?: Record<string, unknown>
}
