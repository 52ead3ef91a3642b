export interface Seed {
  name: string
  format: string
  bytes: Buffer
}
export function makeSeeds(seed: number): Promise<Seed[]>
