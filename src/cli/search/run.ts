import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { printable } from '../../terminal/printable.js'
import { fitTable } from '../../terminal/table.js'
import { chooseCollection } from '../collection-option.js'
import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import type { Service, ServiceOptions } from '../service.js'
import { contactSheet } from './contact-sheet.js'
import { pictureProtocol, showPicture } from './terminal-pictures.js'
import { type Match, pictureOf } from './thumbnails.js'

/** The options of `semblance search`. */
export interface SearchOptions extends ServiceOptions {
  collection?: string
  image?: string[]
  record?: string[]
  minus?: string[]
  target?: 'image' | 'text' | 'record'
  limit: number
  filter?: Record<string, unknown>
  exact?: boolean
  json?: boolean
  open?: boolean
  sheet?: string
  pictures?: boolean
}

type Options = SearchOptions & { signal: AbortSignal }
type Part = { text?: string; image?: { base64: string }; record?: string; weight?: number }

/** Searches, and prints what is found. */
export async function runSearch(
  service: Service,
  { words, query }: { words: string; query: Part[] },
  options: Options
): Promise<void> {
  const { limit, filter, exact, json, open = false, sheet, signal } = options
  const { name: collection, images, texts } = await chooseCollection(service, options.collection, signal)
  const target = options.target ?? (images === 0 && texts > 0 ? 'text' : 'image')
  const answer = await service.api.post('/v1/collections/{collection}/search', {
    params: { path: { collection } },
    body: { query, target, limit, ...(filter && { filter }), ...(exact && { exact }) },
    signal
  })
  const matches = answer.matches as Match[]
  if (open || sheet !== undefined) {
    const file = await contactSheet(service, matches, {
      title: titleOf(words, options),
      collection,
      file: sheet && resolve(sheet),
      signal
    })
    if (!options.quiet) host().stderr.write(`Wrote ${file}.\n`)
    if (open) openInBrowser(file)
  }
  if (json) host().stdout.write(`${JSON.stringify(answer)}\n`)
  else if (matches.length === 0) host().stdout.write(options.quiet ? '' : `No matches in '${collection}'.\n`)
  else await print(service, matches, options)
}

/**
 * What is searched by, part by part; one that leads away weighs -0.5, so that what is sought outweighs it.
 * Throws a UsageError without any that is sought.
 */
export async function queryOf(
  words: string,
  { image = [], record = [], minus = [] }: SearchOptions
): Promise<Part[]> {
  const parts: Part[] = [
    ...(words === '' ? [] : [{ text: words }]),
    ...(await Promise.all(
      image.map(async (file) => ({ image: { base64: await readFile(file, 'base64') } }))
    )),
    ...record.map((id) => ({ record: id }))
  ]
  if (parts.length === 0) throw new UsageError('The query is missing: use words, --image or --record.')
  return [...parts, ...minus.map((text) => ({ text, weight: AWAY }))]
}

const AWAY = -0.5

function titleOf(words: string, { image = [], record = [], minus = [] }: Options): string {
  return [words, ...image, ...record, ...minus.map((text) => `without ${text}`)]
    .filter((part) => part !== '')
    .join(', ')
}

async function print(service: Service, matches: Match[], { pictures, signal }: Options): Promise<void> {
  const protocol = pictures === false || !host().stdout.isTTY ? undefined : pictureProtocol(host().env)
  if (!protocol)
    return void host().stdout.write(
      fitTable([['SCORE', 'ID', 'TEXT'], ...matches.map(row)], widthOf(host().stdout))
    )
  for (const match of matches) {
    const picture = await pictureOf(service, match, signal)
    if (picture) await showPicture(host().stdout, { picture, protocol })
    host().stdout.write(`${row(match).map(printable).join('  ').trimEnd()}\n`)
  }
}

function row({ score, id, text }: Match): string[] {
  return [score.toFixed(4), id, text ?? '']
}

/** Columns of a terminal; for a file or a program lines are as long as they are. */
function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : Infinity
}

/** Opens a file in the desktop's browser; where there is no desktop nothing is done. */
function openInBrowser(file: string): void {
  const opener = openerOf(process.platform, host().env)
  if (!opener) return
  const [command, ...args] = opener
  // It stays open when the command has ended.
  spawn(command, [...args, pathToFileURL(file).href], { detached: true, stdio: 'ignore' })
    .once('error', () => undefined)
    .unref()
}

/** What opens an address on a platform. */
function openerOf(
  platform: NodeJS.Platform,
  { DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv
): string[] | undefined {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : undefined
}
