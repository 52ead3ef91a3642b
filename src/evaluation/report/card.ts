import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../report.js'
import { listed, modelNames } from './captions.js'
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
/** What a card says where it shows one of its pictures. */
const SHOWN = new RegExp(`src="${PICTURES}/([a-z0-9-]+\\.(?:svg|webp))"`, 'g')

/**
 * Writes what a report says of its first model into a card: README.md in the folder, between `<!-- evaluation
 * -->` and `<!-- /evaluation -->`, with pictures in card/. A card that is there keeps the rest of its text,
 * and one without the two marks gets them at its end; pictures that the part before showed and the card no
 * longer does are removed, others in card/ stay. The same report gives the same files.
 */
export async function writeCard(
  report: Report,
  folder: string,
  { title, pictures }: CardOptions = {}
): Promise<void> {
  const files: CardFiles = new Map()
  const part = `${FROM}\n${cardText(report, { files, pictures })}\n${TO}`
  const path = join(folder, 'README.md')
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return `# ${markdown(title ?? modelNames(report).at(0) ?? 'model')}\n`
  })
  await mkdir(join(folder, PICTURES), { recursive: true })
  for (const [name, content] of files) await writeFile(join(folder, PICTURES, name), content)
  const after = placed(before, part)
  await writeFile(path, after)
  const kept = shownIn(after)
  for (const name of shownIn(partOf(before) ?? ''))
    if (!kept.has(name)) await rm(join(folder, PICTURES, name), { force: true })
}

/**
 * What a report says of its first model, in Markdown; `files` gets the pictures that it shows, those of
 * datasets that are named in `pictures`.
 */
function cardText(report: Report, { files, pictures }: { files: CardFiles; pictures?: string[] }): string {
  const model = modelNames(report).at(0)
  if (model === undefined) return 'Nothing was measured.'
  const fingerprint = report.models.find(({ name }) => name === model)?.fingerprint
  const results = report.datasets.flatMap((dataset) =>
    dataset.results.filter((result) => result.model === model).map(({ tasks }) => ({ dataset, tasks }))
  )
  const verdicts = verdictsOf(report, model)
  const said = (Object.keys(VERDICT_WORDS) as Verdict['kind'][]).filter((kind) =>
    verdicts.some((verdict) => verdict.kind === kind)
  )
  return [
    '## What it can and can’t do',
    `Measured by ${markdown(`Semblance ${report.service}`)} on ` +
      `${listed(results.map(({ dataset }) => markdown(dataset.name)))}; in brackets the ` +
      `${Math.round(report.settings.confidence * 100)} % bootstrap interval ` +
      `(${report.settings.resamples} resamples, seed ${report.settings.seed}). What is said here follows ` +
      'from the figures by rule, and holds for data like that.',
    ...said.map(
      (kind) =>
        `**${VERDICT_WORDS[kind]}**\n\n${verdicts
          .filter((verdict) => verdict.kind === kind)
          .map(({ text, dataset }) => `- ${markdown(text)} (${markdown(dataset)})`)
          .join('\n')}`
    ),
    ...results.flatMap(({ dataset, tasks }) => {
      const plots = cardPlots(dataset, tasks, files)
      return [
        cardFigures(dataset, tasks, report.settings),
        ...(plots.length > 0 ? [plots.join('\n')] : []),
        ...cardQueries({
          dataset,
          tasks,
          files,
          pictures: pictures?.includes(dataset.name) === false ? {} : report.pictures
        })
      ]
    }),
    ...(fingerprint === undefined ? [] : [`Model fingerprint \`${fingerprint.replaceAll('`', '')}\`.`])
  ].join('\n\n')
}

/** Names of the pictures that a text shows. */
function shownIn(text: string): Set<string> {
  return new Set([...text.matchAll(SHOWN)].map(([, name]) => name))
}

/** What stands from one mark to the other, with both, if they are there. */
function partOf(text: string): string | undefined {
  const from = text.indexOf(FROM)
  const to = text.indexOf(TO, from)
  return from === -1 || to === -1 ? undefined : text.slice(from, to + TO.length)
}

/** Text with the part in the place of the one between the two marks, or at its end. */
function placed(text: string, part: string): string {
  const old = partOf(text)
  return old === undefined ? `${text.trimEnd()}\n\n${part}\n` : text.replace(old, () => part)
}
