/** Keeps the reports of evaluations, as JSON. */
export interface ReportStore {
  /** Undefined where there is no report of the id. */
  read(id: string): Promise<string | undefined>
  /**
   * Puts a report under its id; it is durable when this resolves. Throws STORAGE_FULL and STORAGE_UNWRITABLE,
   * and then the report that was there stays.
   */
  write(id: string, report: string): Promise<void>
  /** Removes a report, if it is there. */
  remove(id: string): Promise<void>
  /** Removes what a crash left behind: half-written reports, and those of other ids than the known ones. */
  sweep(known: string[]): Promise<void>
}
