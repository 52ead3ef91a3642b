import { stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { writeCard } from '../../evaluation/report/card.js'
import { renderPage } from '../../evaluation/report/page.js'
import { renderTable } from '../../evaluation/report/table.js'
import { toJson } from '../../evaluation/report/json.js'
import type { Report } from '../../evaluation/report.js'
import type { EvaluateOptions } from './options.js'
import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'

/** Throws a UsageError for a file whose folder is not there, before anything else is done. */
export async function requireWritable({ json, html }: Pick<EvaluateOptions, 'json' | 'html'>): Promise<void> {
  for (const file of [json, html]) {
    if (typeof file !== 'string') continue
    const folder = dirname(resolve(file))
    if (!(await stat(folder).catch(() => undefined))?.isDirectory())
      throw new UsageError(`The folder ${folder} for ${file} does not exist; create it first.`)
    if ((await stat(file).catch(() => undefined))?.isDirectory())
      throw new UsageError(`${file} is a folder; name a file for the report.`)
  }
}

/**
 * Prints the table, or the JSON in its place, and writes a report as JSON, as a page and as a card, where
 * they are asked for: in this order, so that a disk that is full takes no figures with it.
 */
export async function writeReport(
  report: Report,
  { json, html, card }: Pick<EvaluateOptions, 'json' | 'html' | 'card'>
): Promise<void> {
  const text = `${JSON.stringify(toJson(report), null, 2)}\n`
  const { isTTY, columns } = host().stdout
  host().stdout.write(
    json === true
      ? text
      : renderTable(report, isTTY ? { width: columns, colour: host().stdout.hasColors() } : {})
  )
  if (typeof json === 'string') await writeFile(json, text)
  if (html !== undefined) await writeFile(html, renderPage(report))
  if (card !== undefined) await writeCard(report, card)
}
