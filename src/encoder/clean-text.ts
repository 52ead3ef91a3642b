import type { TextSettings } from './package-settings.js'

/** Python's `string.punctuation`, which OpenCLIP's canonical text is without. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g

/**
 * A text as a model's tokenizer expects it: as it is, in lower case, with plain white space, or canonical
 * (OpenCLIP's `canonicalize_text`).
 */
export function clean(text: string, cleaning: TextSettings['cleaning']): string {
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
