import { Ajv } from 'ajv'
import t from 'tap'
import { fromJson, ReportJson, toJson } from '../../../../src/evaluation/report/json.js'
import { fullReport, smallReport } from '../../../fixtures/evaluation-report.js'

const ajv = new Ajv({ strict: false, formats: { 'date-time': true } })

/** The schema with nothing allowed beyond it, so that what is written is all of it. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return copy.type === 'object' && copy.properties !== undefined
    ? { ...copy, additionalProperties: false }
    : copy
}

t.test('what is written keeps to its schema, and comes back as it was', async (t) => {
  const validate = ajv.compile(closed(ReportJson) as object)
  for (const report of [smallReport(), fullReport()]) {
    const written = JSON.parse(JSON.stringify(toJson(report)))
    t.ok(validate(written), ajv.errorsText(validate.errors))
    t.strictSame(fromJson(written), JSON.parse(JSON.stringify(report)))
  }
})

t.test('names are in snake_case but those that are keys of their own', async (t) => {
  const report = fullReport()
  report.datasets[2].results[0].tasks[1].details = { someKey: 1 }
  const { created_at, datasets, pictures } = toJson(report)
  t.equal(created_at, report.createdAt)
  t.match(datasets[0].counts, { duplicate_images: 0, duplicate_captions: 3 })
  t.ok('text_to_image.recall@10' in datasets[0].results[0].tasks[0].figures)
  t.strictSame(datasets[2].results[0].tasks[1].details, { someKey: 1 })
  t.ok('photos photos/1.jpg' in pictures)
})

t.test('the schema refuses what is no report', async (t) => {
  const validate = ajv.compile(ReportJson)
  const written = toJson(smallReport())
  t.notOk(validate({ ...written, version: 2 }))
  t.notOk(validate({ ...written, datasets: [{ ...written.datasets[0], kind: 'songs' }] }))
  t.notOk(
    validate({
      ...written,
      datasets: [
        {
          ...written.datasets[0],
          results: [
            {
              model: 'mini',
              tasks: [{ task: 'retrieval', figures: { a: { value: 1 } }, flags: [], method: [] }]
            }
          ]
        }
      ]
    })
  )
})
