/** A classifier as it is saved. */
export interface SavedClassifier {
  name: string
  /** JSON. */
  body: string
  /** Float32 values. */
  weights: Uint8Array
}

/** Keeps trained classifiers. */
export interface ClassifierStore {
  /** The bodies of all classifiers, in the order of their names. */
  list(): Promise<string[]>
  /** A classifier with its weights; undefined where there is none of the name. */
  get(name: string): Promise<SavedClassifier | undefined>
  /** Puts a classifier under its name, durably; resolves to whether one was there. */
  save(classifier: SavedClassifier): Promise<boolean>
  /** Removes a classifier; resolves to whether it was there. */
  remove(name: string): Promise<boolean>
}
