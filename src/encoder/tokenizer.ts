import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { TextInvalid } from '../errors.js'
import type { ModelPackage } from './model-package.js'

/** Longest text that is tokenized at all, in UTF-16 code units: far more than any tower reads. */
export const MAX_TEXT_LENGTH = 8000

/** Text to token ids, special tokens included, cut to what the tower takes. */
export type Tokenize = (text: string) => Int32Array

/** Throws TEXT_INVALID for too long a text. */
export function requireShort(text: string): void {
  if (text.length > MAX_TEXT_LENGTH) throw new TextInvalid(`The text has ${text.length} characters, of ${MAX_TEXT_LENGTH} allowed.`)
}

/** Reads a package's tokenizer. The library neither truncates nor pads: the cut is here, the padding beside the tower. */
export async function loadTokenizer({ folder, text: { maxTokens } }: ModelPackage): Promise<Tokenize> {
  const [tokenizerJson, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')))
  )
  const tokenizer = new HuggingFaceTokenizer(tokenizerJson, config)
  return (text) => truncate(tokenizer.encode(text).ids, maxTokens)
}

/** Cuts a sequence, keeping its last token: the towers pool at the end-of-text token, or expect it. */
function truncate(ids: number[], maxTokens: number): Int32Array {
  const kept = Int32Array.from(ids.slice(0, maxTokens))
  if (ids.length > maxTokens) kept[maxTokens - 1] = ids[ids.length - 1]
  return kept
}
