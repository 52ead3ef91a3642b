import type { Verdict } from './verdicts.js'

/** The words over what figures say, in the order in which it is said. */
export const VERDICT_WORDS: Record<Verdict['kind'], string> = {
  can: 'What it can do',
  seldom: 'What it does better than guessing, and still fails more often than not',
  cannot: 'What it can’t do',
  untold: 'What these data can’t tell'
}
