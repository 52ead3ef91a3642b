import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { escape } from '../../evaluation/report/markup.js'
import type { Service } from '../service.js'
import { pictureOf, type Match, type Picture } from './thumbnails.js'

export interface SheetOptions {
  title: string
  collection: string
  /** Where it goes; a folder of its own in the temporary one by default. */
  file?: string
  signal: AbortSignal
}

/** Pictures that are fetched at a time. */
const AT_A_TIME = 8

/** Writes a page of the matches with their pictures inside, which needs nothing else. Returns where it is. */
export async function contactSheet(
  service: Service,
  matches: Match[],
  { title, collection, file, signal }: SheetOptions
): Promise<string> {
  const pictures: (Picture | undefined)[] = []
  for (let start = 0; start < matches.length; start += AT_A_TIME) {
    pictures.push(
      ...(await Promise.all(
        matches.slice(start, start + AT_A_TIME).map((match) => pictureOf(service, match, signal))
      ))
    )
  }
  const target = file ?? join(await mkdtemp(join(tmpdir(), 'semblance-')), 'matches.html')
  await writeFile(
    target,
    page(
      `${title} in ${collection}`,
      matches.map((match, i) => figure(match, pictures[i]))
    )
  )
  return target
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }
body { margin: 1.5rem }
h1 { font-size: 1.2rem }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)) }
figure { margin: 0 }
img, .none { width: 100%; aspect-ratio: 1; object-fit: contain; background: #8882; border-radius: 6px }
figcaption { overflow-wrap: anywhere }
small { display: block; opacity: .75 }`

/** What records say is text here, and the policy would run no script of theirs either. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

function page(title: string, figures: string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="content-security-policy" content="${POLICY}">
<title>${escape(title)}</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>${escape(title)}</h1>
<main>
${figures.join('\n')}
</main>
</body>
</html>
`
}

function figure({ id, score, text }: Match, picture: Picture | undefined): string {
  const shown = picture
    ? `<img alt="${escape(text ?? id)}" ` +
      `src="data:${escape(picture.type)};base64,${Buffer.from(picture.bytes).toString('base64')}">`
    : '<div class="none"></div>'
  return (
    `<figure>${shown}<figcaption>${text ? escape(text) : ''}<small>${score.toFixed(4)} &middot; ` +
    `${escape(id)}</small></figcaption></figure>`
  )
}
