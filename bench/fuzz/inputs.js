import { crafted, heavy } from './crafted.js'
import { blind, knowing } from './mutations.js'
import { createRandom } from './random.js'

const pickKind = (random, kinds) => {
  const kind = random.pick(Object.keys(kinds))
  return { kind, make: kinds[kind] }
}

/**
 * Input `number` of the corpus of a seed, given its valid pictures: `{ kind, bytes }`. Of a thousand some 20
 * are valid, 180 crafted, `heavyPerMille` of full size, and the others valid ones with damage, twice for a
 * third of them.
 */
export async function makeInput(seeds, { seed, number, heavyPerMille = 10 }) {
  const random = createRandom(seed, number)
  const place = random.int(0, 1000)
  if (place < heavyPerMille) {
    const { kind, make } = pickKind(random, heavy)
    return { kind, bytes: await make(random) }
  }
  if (place < 20 + heavyPerMille) {
    const { name, bytes } = random.pick(seeds)
    return { kind: 'valid', name, bytes }
  }
  if (place < 200 + heavyPerMille) {
    const { kind, make } = pickKind(random, crafted)
    return { kind, bytes: await make(random) }
  }
  const picture = random.pick(seeds)
  const damage = () => pickKind(random, random.chance(0.4) ? blind : knowing(picture.format))
  const { kind, make } = damage()
  const bytes = make(random, picture, random.pick(seeds))
  if (bytes.length < 64 || random.chance(0.66))
    return { kind: `${picture.format}: ${kind}`, name: picture.name, bytes }
  try {
    return {
      kind: `${picture.format}: ${kind}`,
      name: picture.name,
      bytes: damage().make(random, { ...picture, bytes }, random.pick(seeds))
    }
  } catch (error) {
    // What reads a file's parts may not get through a damaged one.
    if (error instanceof RangeError) return { kind: `${picture.format}: ${kind}`, name: picture.name, bytes }
    throw error
  }
}
