/** Things whose names are told apart: the second of a name gets (2). */
export function distinctNames<T extends { name: string }>(things: T[]): T[] {
  const taken = new Set<string>()
  return things.map((thing) => {
    let { name } = thing
    for (let n = 2; taken.has(name); n++) name = `${thing.name} (${n})`
    taken.add(name)
    return name === thing.name ? thing : { ...thing, name }
  })
}
