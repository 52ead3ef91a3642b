/**
 * Text on one line, without what a terminal would obey: control characters (Cc), and those of format (Cf),
 * which may turn the direction of a line. The two that join or part letters stay, since emoji and some
 * scripts are made with them.
 */
export function printable(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/(?![\u200c\u200d])[\p{Cc}\p{Cf}]/gu, '')
}
