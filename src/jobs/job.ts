import type { ErrorShape } from '../errors.js'
import type { TaskName } from '../evaluation/report.js'
import type { TaskOptions } from '../evaluation/tasks/task.js'
import type { FolderAsked } from './evaluation/dataset-folders.js'
import type { Unencodable } from './reindex.js'

export interface CollectionAsked {
  collection: string
  labelField?: string
  limit: number
}

export interface EvaluationAsked {
  dataset: FolderAsked | CollectionAsked
  model?: string
  against?: string
  tasks?: TaskName[]
  options: Partial<Pick<TaskOptions, 'seed' | 'resamples' | 'templates' | 'duplicates'>>
}

/** What an evaluation has beside what every job has. Its progress is that of the step it is at. */
export interface EvaluationPart {
  /** Null where the dataset is a folder. */
  collection: string | null
  /** When that was created: a later one of its name is another. */
  collectionCreatedAt?: number
  dataset: FolderAsked | CollectionAsked
  model: string
  fingerprint: string
  against: string | null
  tasks: TaskName[] | null
  options: EvaluationAsked['options']
}

export interface ReindexAsked {
  collection: string
  model?: string
  skipMissing: boolean
}

/** What a re-indexing has beside what every job has. Its progress is in records. */
export interface ReindexPart {
  collection: string
  /** When that was created: a later one of its name is another. */
  collectionCreatedAt?: number
  /** The model that the collection is encoded with. */
  model: string
  fingerprint: string
  skipMissing: boolean
  /** What can't be encoded again: how many, and the first of them. */
  missing: { count: number; records: Unencodable[] }
}

/** What every job has. */
export interface JobState {
  id: string
  /** `queued` while others of its kind go first. */
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  progress: { done: number; total: number; step?: string }
  /**
   * Processes that began or continued with it and did not stop it themselves: the one that runs it, and those
   * that crashed.
   */
  crashes?: number
  error: Pick<ErrorShape, 'code' | 'message'> | null
  /** Milliseconds since 1970. */
  createdAt: number
  endedAt: number | null
}

export type ReindexJob = JobState & { kind: 'reindex' } & ReindexPart
export type EvaluationJob = JobState & { kind: 'evaluation' } & EvaluationPart
/** Work in the background, and what became of it. */
export type Job = ReindexJob | EvaluationJob

/** What one kind of job does. */
export interface JobKind<Request, Part> {
  /** Set where one of the kind runs at a time: how many others may wait for it. */
  mayWait?: number
  /** Processes that may end unasked while such a job runs; it is not begun again after so many. */
  mostCrashes: number
  /** What a new job has beside its state. Throws what stands against it. */
  plan(request: Request): Promise<Part>
  /** Throws what stands against a planned job beside the others; no other is admitted before it is added. */
  admit?(part: Part, jobs: Job[]): void
  /** Does the work, or continues with it after a restart; it may change the job's own part and progress. */
  run(job: JobState & Part, work: Work): Promise<void>
  /** Removes what a job made that was cancelled or has failed. */
  undo?(job: JobState & Part): Promise<void>
  /** Is given the jobs at the start, before those that are open continue. */
  onResume?(jobs: Job[]): Promise<void>
}

export interface Work {
  signal: AbortSignal
  /** Tells those who watch the job that it has changed. */
  onChange: () => void
}

export interface JobKinds {
  reindex: JobKind<ReindexAsked, ReindexPart>
  evaluation: JobKind<EvaluationAsked, EvaluationPart>
}

/** Whether a job has not ended yet. */
export function isOpen({ state }: Pick<Job, 'state'>): boolean {
  return state === 'queued' || state === 'running'
}
