import type { FuzzInput } from './inputs.js'

export interface FuzzAnswer extends FuzzInput {
  number: number
  way: string
  code: string
  ms: number
  fault?: string
}
export function sendAll(options: {
  url: string
  inputs: AsyncIterable<FuzzInput & { number: number }>
  concurrency: number
  secondsEach: number
  /** Says true to send no more. */
  onAnswer: (answer: FuzzAnswer) => unknown
}): Promise<void>
