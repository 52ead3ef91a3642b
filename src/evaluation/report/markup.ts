/** HTML or SVG that may be put into a page as it is. */
export interface Markup {
  readonly markup: string
}

export type Content = Markup | string | number | false | undefined | Content[]

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

/**
 * Markup by a template: what is put into it is text, in elements and in quoted attributes alike, unless it is
 * markup itself.
 */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return { markup: strings.reduce((before, part, i) => `${before}${written(values[i - 1])}${part}`) }
}

/** Text as it stands in HTML and XML, without the characters that XML can't hold. */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign])
}

function written(value: Content): string {
  if (value === undefined || value === false) return ''
  if (Array.isArray(value)) return value.map(written).join('')
  return typeof value === 'object' ? value.markup : escape(String(value))
}
