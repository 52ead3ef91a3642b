import t from 'tap'
import { renderTable } from '../../../../src/evaluation/report/table.js'
import { fullReport, smallReport } from '../../../fixtures/evaluation-report.js'

t.test('figures are in a table with interval, chance and how many they are over', async (t) => {
  t.equal(
    renderTable(smallReport()),
    `Evaluation of mini
Semblance 1.2.3, 2025-01-02T03:04:05.000Z

photos
coco, captions · 159 items · 159 images · 795 captions

  Retrieval
  figure                      value          95 %  chance    n
  text_to_image.recall@10    65.2 %  [61.2, 69.2]   6.3 %  795
  text_to_image.median_rank       5      [4, 6.5]      80  795
`
  )
})

t.test(
  'two models are side by side with their difference, its interval and p; flags that both have are said once',
  async (t) => {
    const lines = renderTable(fullReport()).split('\n')
    const row = lines.find((line) => line.includes('text_to_image.recall@1 '))
    t.match(row?.trim().split(/ {2,}/), [
      'text_to_image.recall@1',
      '23.4 %',
      '[19.4, 27.4]',
      '43.4 %',
      '[39.4, 47.4]',
      '+20.0 pp',
      '[15.0, 25.0]',
      '<0.001',
      '0.6 %',
      '795'
    ])
    t.equal(lines.filter((line) => line.startsWith('  ! Warning: Captions from the prior')).length, 1)
    t.match(
      lines.find((line) => line.includes('bias[man/woman].effect_size')),
      /0\.420/
    )
  }
)

t.test('a difference of cosines is no share', async (t) => {
  const report = smallReport()
  report.datasets[0].results[0].tasks = [
    {
      task: 'bias',
      figures: { 'bias[gender].difference': { value: 0.0123, low: 0.004, high: 0.021, items: 100 } },
      flags: [],
      method: []
    }
  ]
  t.match(renderTable(report), /bias\[gender\]\.difference +0\.012 +\[0\.004, 0\.021\]/)
})

t.test('embeddings that were made before are named where no model is', async (t) => {
  const report = smallReport()
  report.models = []
  report.datasets[0].results[0].model = 'embeddings'
  t.match(renderTable(report), /^Evaluation of embeddings\n/)
})

t.test('columns give way to a narrow terminal, and are named', async (t) => {
  const text = renderTable(fullReport(), { width: 90 })
  const rows = text.split('\n').filter((line) => /recall@|winoground|zero_shot/.test(line))
  for (const row of rows) t.ok(row.length <= 90, row)
  t.match(rows[0], /\+20\.0 pp +<0\.001$/)
  t.match(text, /There was no room for: n, chance, .*mini 95 %/)
  t.notMatch(renderTable(fullReport()), /no room/)
  for (const line of renderTable(smallReport(), { width: 30 }).split('\n').slice(6))
    t.ok(line.length <= 30 || !line.startsWith('  text'), line)
})

t.test('nothing of a dataset reaches the terminal but text, and only what is ours is coloured', async (t) => {
  const report = smallReport()
  report.models[0].name = 'm\u001b]0;owned\u0007'
  report.datasets[0].name = 'photos\u001b[2J\nsecond line'
  report.datasets[0].results[0].tasks[0].flags = [
    { level: 'warning', code: 'X', message: 'a\u009b31mb \u202egpj' }
  ]
  report.datasets[0].results[0].tasks[0].figures = {
    'zero_shot[\u001b[5m].top1': { value: 0.5, low: 0.4, high: 0.6, items: 3 }
  }
  const text = renderTable(report)

  t.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  t.match(text, 'photos[2J second line')
  t.match(text, '! Warning: a31mb gpj')
  const coloured = renderTable(report, { colour: true })

  t.match(coloured, /\u001b\[33m! Warning: a31mb gpj\u001b\[39m/)

  t.notMatch(coloured, /\u001b\[(2J|5m)|\u001b\]/)
})

t.test('a report without figures, and one of nothing at all', async (t) => {
  const report = smallReport()
  report.datasets[0].results[0].tasks[0].figures = {}
  t.match(renderTable(report), 'No figures.')
  t.match(renderTable({ ...report, datasets: [] }), 'Evaluation of mini')
})
