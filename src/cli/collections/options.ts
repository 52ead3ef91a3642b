import type { ServiceOptions } from '../service.js'

export interface ShowOptions extends ServiceOptions {
  json?: boolean
}

export interface CreateOptions extends ShowOptions {
  /** False for none. */
  model?: string | false
  dimension?: number
  storage?: 'original' | 'thumbnail' | 'none'
  efSearch?: number
}

export interface DropOptions extends ServiceOptions {
  yes?: boolean
}

export interface ReindexOptions extends ShowOptions {
  model?: string
  skipMissing?: boolean
}
