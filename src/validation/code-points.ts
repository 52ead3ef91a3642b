/**
 * The characters of a text as people count them: code points, of which an emoji is one and two UTF-16 units.
 */
export function countCharacters(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    if (isTrail(text.charCodeAt(i)) && isLead(text.charCodeAt(i - 1))) count--
  }
  return count
}

/** Whether a text has more characters than that. Texts that are far too long are not counted. */
export function isLonger(text: string, characters: number): boolean {
  return text.length > characters && (text.length > 2 * characters || countCharacters(text) > characters)
}

function isLead(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isTrail(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
