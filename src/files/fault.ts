/** What was found and can't be used, and why. */
export interface Fault {
  /** As it is named to people: a path below the folder, or a file with a line. */
  name: string
  reason: string
  /** The id of the record that it may have from before. */
  id?: string
  /** Whether there may be files behind it that no one sees. */
  hides?: boolean
}
