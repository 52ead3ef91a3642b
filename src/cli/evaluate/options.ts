import type { DatasetFormat } from '../../evaluation/datasets/dataset.js'
import type { TaskName } from '../../evaluation/report.js'
import type { ServiceOptions } from '../service.js'

/** The options of `semblance evaluate`. */
export interface EvaluateOptions extends ServiceOptions {
  collection?: string
  labelField?: string
  format?: DatasetFormat
  images?: string
  split?: string
  limit?: number
  tasks?: TaskName[]
  model?: string
  against?: string
  templates?: string[]
  seed?: number
  resamples?: number
  confidence?: number
  duplicates?: 'merge' | 'keep'
  m?: number
  efConstruction?: number
  efSearch?: number
  json?: string | true
  html?: string
  card?: string
  saveEmbeddings?: string
  /** A folder; false is none; without it, the one in DATA_DIR. */
  cache?: string | false
}
