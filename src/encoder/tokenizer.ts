import { readFile } from 'node:fs/promises'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { TextInvalid } from '../errors.js'
import { countCharacters, isLonger } from '../validation/code-points.js'
import type { ModelPackage } from './model-package.js'
import type { TextSettings } from './package-settings.js'

/** Longest text that is tokenized at all, in characters: far more than any tower reads. */
export const MAX_TEXT_LENGTH = 8000

/** A package's tokenizer. */
export interface Tokenizer {
  /** Text to token ids, special tokens included, cut to what the tower takes. */
  tokenize(text: string): Int32Array
  /** The id that sequences are padded with. */
  padId: number
}

/** Throws TEXT_INVALID for too long a text. */
export function requireShort(text: string): void {
  if (isLonger(text, MAX_TEXT_LENGTH))
    throw new TextInvalid(
      `The text has ${countCharacters(text)} characters; at most ${MAX_TEXT_LENGTH} are allowed.`
    )
}

/**
 * Reads a package's tokenizer. The library neither truncates nor pads: the cut is here, the padding beside
 * the tower.
 */
export async function loadTokenizer({ text }: ModelPackage, maxTokens: number): Promise<Tokenizer> {
  const [tokenizerJson, config] = await Promise.all(
    [text.tokenizer.tokenizerJson, text.tokenizer.config].map(async (file) =>
      JSON.parse(await readFile(file, 'utf8'))
    )
  )
  const tokenizer = new HuggingFaceTokenizer(tokenizerJson, config)
  const padToken: string | undefined = config.pad_token?.content ?? config.pad_token ?? undefined
  return {
    tokenize: (input) => truncate(tokenizer.encode(clean(input, text.cleaning)).ids, maxTokens),
    padId: (padToken === undefined ? undefined : tokenizer.token_to_id(padToken)) ?? text.padId
  }
}

/** Cuts a sequence, keeping its last token: the towers pool at the end-of-text token, or expect it. */
function truncate(ids: number[], maxTokens: number): Int32Array {
  const kept = Int32Array.from(ids.slice(0, maxTokens))
  if (ids.length > maxTokens) kept[maxTokens - 1] = ids[ids.length - 1]
  return kept
}

/** Python's `string.punctuation`, which OpenCLIP's canonical text is without. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g

/**
 * A text as a model's tokenizer expects it: as it is, in lower case, with plain white space, or canonical
 * (OpenCLIP's `canonicalize_text`).
 */
function clean(text: string, cleaning: TextSettings['cleaning']): string {
  switch (cleaning) {
    case 'none':
      return text
    case 'lowercase':
      return text.toLowerCase()
    case 'whitespace':
      return collapse(text)
    case 'canonical':
      return collapse(text.replaceAll('_', ' ').replace(PUNCTUATION, '').toLowerCase())
  }
}

function collapse(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
