/** Remembers what a service does once in the life of its store. */
export interface MarkerStore {
  has(name: string): Promise<boolean>
  /** Sets a marker, with a note for people. */
  set(name: string, note: string): Promise<void>
}
