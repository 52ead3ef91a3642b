import t from 'tap'
import { headlinesOf, verdictsOf } from '../../../../src/evaluation/report/verdicts.js'
import type { Figure, Report, TaskName } from '../../../../src/evaluation/report.js'
import { share, smallReport } from '../../../fixtures/evaluation-report.js'

function reportOf(task: TaskName, figures: Record<string, Figure>): Report {
  const report = smallReport()
  report.datasets[0].results[0].tasks = [{ task, figures, flags: [], method: [] }]
  return report
}

const said = (task: TaskName, figures: Record<string, Figure>) =>
  verdictsOf(reportOf(task, figures), 'mini').map(({ kind, figure, text }) => [kind, figure, text])

t.test('nothing is said where guessing is always right', async (t) => {
  const figures = {
    'text_to_image.recall@1': share(0.9, { chance: 0.1 }),
    'text_to_image.recall@10': { value: 1, low: 1, high: 1, items: 50, chance: 1 }
  }
  t.same(said('retrieval', figures), [
    ['can', 'text_to_image.recall@1', 'puts the image of a caption first: 90 % [86, 94], chance 10 %']
  ])
  t.same(
    headlinesOf(reportOf('retrieval', figures)).map(({ figure }) => figure),
    ['text_to_image.recall@1'],
    'and it sums up nothing'
  )
})

t.test('nothing is said of fewer than twenty items', async (t) => {
  const figures = (items: number) => ({
    'zero_shot.top1': share(0.9, { items, chance: 0.1 }),
    'zero_shot.ece': share(0.3, { items })
  })
  t.same(said('zero-shot', figures(19)), [])
  t.same(
    said('zero-shot', figures(20)).map(([kind, figure]) => [kind, figure]),
    [
      ['can', 'zero_shot.top1'],
      ['untold', 'zero_shot.ece']
    ]
  )
  t.same(said('robustness', { 'robustness[grey].top1_drop': share(0.3, { items: 19 }) }), [])
  t.same(
    said('robustness', { 'robustness[grey].top1_drop': share(0.3, { items: 20 }) }).map(([kind]) => kind),
    ['cannot']
  )
})

t.test(
  'a calibration error is judged from a thousand images on, and below it is said that it cannot be',
  async (t) => {
    t.same(said('zero-shot', { 'zero_shot.ece': share(0.3, { items: 999 }) }), [
      [
        'untold',
        'zero_shot.ece',
        'whether it knows how sure it may be: of 999 images the calibration error comes out too large, ' +
          'and 1,000 are needed'
      ]
    ])
    t.same(said('zero-shot', { 'zero_shot.ece': share(0.3, { items: 1000 }) }), [
      [
        'cannot',
        'zero_shot.ece',
        'does not know how sure it may be: its confidence is off by 30 % [26, 34] on average'
      ]
    ])
    t.same(said('zero-shot', { 'zero_shot.ece': share(0.05, { items: 1000 }) }), [])
  }
)

t.test('what a dataset that leaks makes look good is said with a doubt', async (t) => {
  const report = reportOf('zero-shot', {
    'zero_shot.top1': share(0.9, { items: 50, chance: 0.25 }),
    'zero_shot.ece': share(0.1, { items: 50 })
  })
  const leak = {
    task: 'blind' as const,
    figures: {},
    flags: [{ level: 'warning' as const, code: 'DATASET_LEAKS', message: 'It leaks.' }],
    method: []
  }
  report.datasets[0].results[0].tasks.push(leak)
  report.datasets.push({
    ...report.datasets[0],
    name: 'sound',
    results: [{ model: 'mini', tasks: [report.datasets[0].results[0].tasks[0]] }]
  })
  t.same(
    verdictsOf(report, 'mini').map(({ dataset, figure, text }) => [
      dataset,
      figure,
      text.includes('; but much of this dataset can be answered without its images')
    ]),
    [
      ['photos', 'zero_shot.top1', true],
      ['photos', 'zero_shot.ece', false],
      ['sound', 'zero_shot.top1', false],
      ['sound', 'zero_shot.ece', false]
    ]
  )
})
