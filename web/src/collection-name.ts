/** What the service takes as the name of a collection. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** Why a name cannot be that of a new collection; undefined where it can. */
export function nameProblem(name: string, taken: string[] = []): string | undefined {
  if (name === '') return 'A name is needed.'
  if (taken.includes(name)) return `There is a collection '${name}' already.`
  return NAME.test(name)
    ? undefined
    : 'Small letters, digits, - and _, up to 64; the first a letter or digit.'
}
