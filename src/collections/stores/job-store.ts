/** A job as it is saved. */
export interface SavedJob {
  id: string
  /** JSON. */
  body: string
  /** Milliseconds since 1970. */
  createdAt: number
}

/** Keeps jobs from one process to the next. */
export interface JobStore {
  /** The bodies of all jobs, in the order of their creation. */
  list(): Promise<string[]>
  /** Puts a job under its id; it is durable when this resolves. */
  save(job: SavedJob): Promise<void>
  /** Removes a job, if it is there. */
  remove(id: string): Promise<void>
}
