import { InvalidRequest, RecordInvalid } from '../../errors.js'
import { USUAL_VALUES } from '../../json/scan.js'
import { createYielder } from '../../threading/yield-to-event-loop.js'
import { closestName } from '../../validation/closest-name.js'
import { parseField } from './form.js'
import type { Form } from './read-form.js'

const FIELDS = ['id', 'text', 'metadata', 'ttl_seconds', 'expires_at']
const JSON_FIELDS = ['metadata', 'ttl_seconds']

/** A row of a form that can't be read. */
export class FaultyRow {
  readonly id: string | null
  readonly error: unknown

  constructor(id: string | null, error: unknown) {
    this.id = id
    this.error = error
  }
}

/**
 * The records of a form, row by row: repeated fields pair up by their order, and an empty one is absent. A
 * row whose JSON can't be read fails by itself. Throws INVALID_REQUEST for unknown fields, and where one is
 * shorter than another.
 */
export async function formRecords(
  { fields, images }: Form,
  maxRecords: number
): Promise<(Record<string, unknown> | FaultyRow)[]> {
  for (const name of fields.keys()) if (!FIELDS.includes(name)) throw unknownField(name)
  const columns = [...fields, ['image', images.some((image) => image) ? images : []] as const].filter(
    ([, values]) => values.length > 0
  )
  const count = Math.max(0, ...columns.map(([, values]) => values.length))
  if (count === 0)
    throw new InvalidRequest(`The form has no record; send the file part image, or ${FIELDS.join(', ')}.`)
  if (count > maxRecords)
    throw new InvalidRequest(`The form has ${count} records; at most ${maxRecords} are allowed.`)
  const short = columns.find(([, values]) => values.length !== count)
  if (short)
    throw new InvalidRequest(
      `The form field '${short[0]}' appears ${short[1].length} times, for ${count} records; send it ` +
        'once, or once for each record.'
    )
  const yieldToEventLoop = createYielder()
  const budget = { values: USUAL_VALUES }
  const rows = []
  for (let row = 0; row < count; row++) {
    rows.push(
      toRow(
        columns.map(([name, values]) => [name, values[row]]),
        budget
      )
    )
    if (budget.values < 0)
      throw new InvalidRequest(
        `The form's metadata has more than ${USUAL_VALUES} values in all; send fewer records at a time.`
      )
    await yieldToEventLoop()
  }
  return rows
}

function toRow(
  cells: [string, string | Uint8Array | undefined][],
  budget: { values: number }
): Record<string, unknown> | FaultyRow {
  const sent = cells.filter(([, value]) => value !== undefined && value !== '')
  try {
    return Object.fromEntries(
      sent.map(([name, value]) => [
        name,
        JSON_FIELDS.includes(name) ? parseField(name, value as string, budget) : value
      ])
    )
  } catch (error) {
    const id = sent.find(([name]) => name === 'id')?.[1]
    return new FaultyRow(typeof id === 'string' ? id : null, new RecordInvalid((error as Error).message))
  }
}

function unknownField(name: string): Error {
  const meant = closestName(name, ['image', ...FIELDS])
  return new InvalidRequest(
    `The form field '${name.slice(0, 40)}' is unknown: ` +
      `${meant ? `did you mean '${meant}'?` : `the fields are image, ${FIELDS.join(', ')}.`}`
  )
}
