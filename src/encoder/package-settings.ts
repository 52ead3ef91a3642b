import type { Layout } from '../packages/layouts.js'
import type { Preprocessing } from './preprocessing.js'

/** What a layout's files say of a model. */
export interface PackageSettings {
  /** What it was trained by: a softmax over the batch (CLIP), or a sigmoid for each pair (SigLIP). */
  family: Family
  preprocessing: Preprocessing
  text: TextSettings
  zeroShot: ZeroShotSettings
}

export const FAMILIES = ['clip', 'siglip'] as const
export type Family = (typeof FAMILIES)[number]

export interface TextSettings {
  tokenizer: { tokenizerJson: string; config: string }
  /** What is done to a text before it is tokenized. */
  cleaning: 'none' | 'lowercase' | 'whitespace' | 'canonical'
  /** Longest sequence in tokens, the special ones included. */
  maxTokens: number
  /** The padding where the tokenizer names no padding token. */
  padId: number
  /**
   * Whether every sequence is padded to `maxTokens`; where this is false the tower is asked whether it may be
   * shorter.
   */
  padsToMax: boolean
}

export interface ZeroShotSettings {
  activation: 'softmax' | 'sigmoid'
  /** The factor on the cosine; undefined where the package does not say. */
  logitScale?: number
  logitBias?: number
  /** The prompt template used where a request names none. */
  template: string
}

/** `semblance.json`: what the other files leave out, and what overrides them. */
export interface Supplement {
  layout?: Layout
  family?: Family
  logit_scale?: number
  logit_bias?: number
  template?: string
  max_tokens?: number
}
