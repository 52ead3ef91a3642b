import type { Report, Shown } from '../../report.js'
import { html, type Markup } from '../markup.js'

/** Most base64 of pictures in a page, so that it can be sent by mail. */
const MOST = 8 * 2 ** 20

/** Shows an image or a text of a dataset. Pictures beyond what a page may hold are named only. */
export type Show = (dataset: string, shown: Shown, caption?: string) => Markup

/** Shows from a report's pictures, one page's worth. */
export function showFrom({ pictures }: Pick<Report, 'pictures'>, most = MOST): Show {
  let room = most
  return (dataset, shown, caption) => {
    const below = caption !== undefined && html`<figcaption>${caption}</figcaption>`
    if ('text' in shown)
      return html`<figure class="said">
        <blockquote dir="auto">${shown.text}</blockquote>
        ${below}
      </figure>`
    const key = `${dataset} ${shown.image}`
    const base64 = Object.hasOwn(pictures, key) ? pictures[key] : ''
    if (base64 === '' || base64.length > room)
      return html`<figure class="thumb"><span class="none">${shown.image}</span>${below}</figure>`
    room -= base64.length
    return html`<figure class="thumb">
      <img
        src="data:image/webp;base64,${base64}"
        alt="${shown.image}"
        title="${shown.image}"
        decoding="async"
      />${below}
    </figure>`
  }
}
