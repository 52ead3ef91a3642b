import type { Seed } from './seeds.js'

export interface FuzzInput {
  kind: string
  /** The valid picture that it was made of. */
  name?: string
  bytes: Buffer
}
export function makeInput(
  seeds: Seed[],
  options: { seed: number; number: number; heavyPerMille?: number }
): Promise<FuzzInput>
