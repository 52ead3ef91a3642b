import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../report.js'
import { listed } from './captions.js'
import { cardFigures } from './card/card-figures.js'
import { cardPlots, cardQueries, PICTURES, type CardFiles } from './card/card-pictures.js'
import { markdown } from './markdown.js'
import { VERDICT_WORDS } from './verdict-words.js'
import { verdictsOf, type Verdict } from './verdicts.js'

export interface CardOptions {
  /** Of a card that isn't there yet; the model's name by default. */
  title?: string
  /** Datasets whose pictures may be passed on with the card; all by default. */
  pictures?: string[]
}

const FROM = '<!-- evaluation -->'
const TO = '<!-- /evaluation -->'
/** Names that pictures of cards have. */
const OWN = /^[a-z0-9-]+\.(svg|webp)$/

/**
 * Writes what a report says of its first model into a card: README.md in the folder, between `<!-- evaluation -->` and
 * `<!-- /evaluation -->`, with pictures in card/. A card that is there keeps the rest of its text, and one without the two
 * marks gets them at its end; pictures in card/ that it no longer shows are removed. The same report gives the same files.
 */
export async function writeCard(report: Report, folder: string, { title, pictures }: CardOptions = {}): Promise<void> {
  const files: CardFiles = new Map()
  const shown = pictures === undefined ? report : { ...report, pictures: picturesOf(report, pictures) }
  const part = `${FROM}\n${cardText(shown, files)}\n${TO}`
  const path = join(folder, 'README.md')
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return `# ${markdown(title ?? report.models[0]?.name ?? 'model')}\n`
  })
  await mkdir(join(folder, PICTURES), { recursive: true })
  for (const name of await readdir(join(folder, PICTURES))) if (OWN.test(name) && !files.has(name)) await rm(join(folder, PICTURES, name))
  for (const [name, content] of files) await writeFile(join(folder, PICTURES, name), content)
  await writeFile(path, placed(before, part))
}

/** What a report says of its first model, in Markdown; `files` gets the pictures that it shows. */
export function cardText(report: Report, files: CardFiles): string {
  const model = report.models[0]
  if (model === undefined) return 'Nothing was measured.'
  const results = report.datasets.flatMap((dataset) => dataset.results.filter((result) => result.model === model.name).map(({ tasks }) => ({ dataset, tasks })))
  const verdicts = verdictsOf(report, model.name)
  const said = (Object.keys(VERDICT_WORDS) as Verdict['kind'][]).filter((kind) => verdicts.some((verdict) => verdict.kind === kind))
  return [
    '## What it can and can’t do',
    `Measured by ${markdown(`Semblance ${report.service}`)} on ${listed(results.map(({ dataset }) => markdown(dataset.name)))}; in brackets the ${Math.round(report.settings.confidence * 100)} % bootstrap interval (${report.settings.resamples} resamples, seed ${report.settings.seed}). What is said here follows from the figures by rule, and holds for data like that.`,
    ...said.map((kind) => `**${VERDICT_WORDS[kind]}**\n\n${verdicts.filter((verdict) => verdict.kind === kind).map(({ text, dataset }) => `- ${markdown(text)} (${markdown(dataset)})`).join('\n')}`),
    ...results.flatMap(({ dataset, tasks }) => {
      const plots = cardPlots(dataset, tasks, files)
      return [cardFigures(dataset, tasks, report.settings), ...(plots.length > 0 ? [plots.join('\n')] : []), ...cardQueries(report, { dataset, tasks, files })]
    }),
    `Model fingerprint \`${model.fingerprint.replaceAll('`', '')}\`.`
  ].join('\n\n')
}

function picturesOf({ datasets, pictures }: Report, allowed: string[]): Report['pictures'] {
  const names = datasets.map(({ name }) => name).filter((name) => allowed.includes(name))
  return Object.fromEntries(Object.entries(pictures).filter(([key]) => names.some((name) => key.startsWith(`${name} `))))
}

/** Text with the part in the place of the one between the two marks. */
function placed(text: string, part: string): string {
  const from = text.indexOf(FROM)
  const to = text.indexOf(TO, from)
  if (from === -1 || to === -1) return `${text.trimEnd()}\n\n${part}\n`
  return text.slice(0, from) + part + text.slice(to + TO.length)
}
