import { DATASET_LEAKS, type DatasetReport, type Figure, type Report, type TaskName } from '../report.js'
import { intervalText, spoken, unitOf, valueText } from './figure-names.js'
import { reportsOf, tasksOf } from './tasks-of.js'

/** What a figure says that a model can or can't do. */
export interface Verdict {
  /**
   * `seldom`: better than guessing, and still wrong more often than right. `untold`: there were too few items
   * to tell.
   */
  kind: 'can' | 'seldom' | 'cannot' | 'untold'
  dataset: string
  task: TaskName
  figure: string
  text: string
}

interface Rule {
  figure: RegExp
  /** After "it", with groups of the pattern as $1. */
  does: string
  doesNot: string
}

/** What figures with chance mean: above it, or not told from it. */
const RULES: Rule[] = [
  {
    figure: /^text_to_image\.recall@1$/,
    does: 'puts the image of a caption first',
    doesNot: 'does not find the image of a caption'
  },
  {
    figure: /^text_to_image\.recall@(10)$/,
    does: 'has the image of a caption among the first $1',
    doesNot: 'does not have the image of a caption among the first $1 more often than by chance'
  },
  {
    figure: /^image_to_text\.recall@1$/,
    does: 'puts a caption of an image first',
    doesNot: 'does not find the captions of an image'
  },
  {
    figure: /^image_to_text\.recall@(10)$/,
    does: 'has a caption of an image among the first $1',
    doesNot: 'does not have a caption of an image among the first $1 more often than by chance'
  },
  {
    figure: /^zero_shot\.top1$/,
    does: 'names the class of an image',
    doesNot: 'does not name the class of an image'
  },
  {
    figure: /^few_shot\.linear_probe@(\d+)$/,
    does: 'learns classes from $1 examples of each',
    doesNot: 'does not learn classes from $1 examples of each'
  },
  {
    figure: /^winoground\.text$/,
    does: 'picks the right one of two captions made of the same words',
    doesNot: 'does not pick the right one of two captions made of the same words'
  },
  {
    figure: /^winoground\.image$/,
    does: 'picks the right one of two images for captions made of the same words',
    doesNot: 'does not pick the right one of two images for captions made of the same words'
  },
  {
    figure: /^winoground\.group$/,
    does: 'matches two images with two captions made of the same words',
    doesNot: 'does not match two images with two captions made of the same words'
  },
  {
    figure: /^hard_negatives\.accuracy$/,
    does: 'tells a caption from ones that are only slightly wrong',
    doesNot: 'does not tell a caption from ones that are only slightly wrong'
  },
  {
    figure: /^word_order\.(?:preference|accuracy)$/,
    does: 'prefers a caption to its own words shuffled',
    doesNot: 'does not tell word order'
  }
]
/** A loss or a miscalibration from which on it is told, as a share. */
const NOTABLE = 0.05
/** Items from which on anything is said by a figure. */
const ENOUGH = 20
/**
 * Items from which on a calibration error is judged: that of few is biased upwards (Roelofs et al. 2022), as
 * no bin of a few is right exactly as often as it expects.
 */
const ENOUGH_FOR_ECE = 1000

/**
 * What a model can and can't do by its figures: against chance, and by what changed images and its own
 * confidence cost. Nothing is said of fewer than 20 items, nor where guessing is always right.
 */
export function verdictsOf(report: Report, model: string): Verdict[] {
  return report.datasets.flatMap((dataset) => {
    const tasks = dataset.results.find((result) => result.model === model)?.tasks ?? []
    const leaks = tasks.some(({ flags }) => flags.some(({ code }) => code === DATASET_LEAKS))
    return tasks.flatMap(({ task, figures: all }) => {
      const figures = Object.fromEntries(Object.entries(all).filter(([, { items }]) => items >= ENOUGH))
      const found = [
        ...againstChance(figures).map((one) => (leaks ? doubted(one) : one)),
        ...confidence(figures),
        ...(task === 'robustness' ? lossesByChange(figures) : [])
      ]
      return found.map((one): Verdict => ({ dataset: dataset.name, task, ...one }))
    })
  })
}

type Found = Pick<Verdict, 'kind' | 'figure' | 'text'>

/** What is good on a dataset that gives its answers away need not be the model's sight. */
function doubted(found: Found): Found {
  return found.kind === 'cannot'
    ? found
    : { ...found, text: `${found.text}; but much of this dataset can be answered without its images` }
}

function againstChance(figures: Record<string, Figure>): Found[] {
  return RULES.flatMap(({ figure: pattern, does, doesNot }) =>
    Object.keys(figures)
      .filter((name) => pattern.test(name) && (figures[name].chance ?? 1) < 1)
      // Of few-shot classification, the most examples.
      .slice(-1)
      .map((name): Found => {
        const figure = figures[name] as Figure & { chance: number }
        const kind =
          figure.low <= figure.chance
            ? 'cannot'
            : figure.value <= Math.max(0.5, figure.chance)
              ? 'seldom'
              : 'can'
        const words = name.replace(pattern, kind === 'cannot' ? doesNot : does)
        const worse = figure.high < figure.chance ? ', which is worse than guessing' : ''
        return {
          kind,
          figure: name,
          text: `${words}: ${figureText(name, figure)}, chance ${short(figure.chance)}${worse}`
        }
      })
  )
}

function confidence(figures: Record<string, Figure>): Found[] {
  const name = 'zero_shot.ece'
  if (!(name in figures)) return []
  const ece = figures[name]
  if (ece.items < ENOUGH_FOR_ECE)
    return [
      {
        kind: 'untold',
        figure: name,
        text:
          `whether it knows how sure it may be: of ${ece.items} images the calibration error comes ` +
          `out too large, and ${ENOUGH_FOR_ECE.toLocaleString('en')} are needed`
      }
    ]
  return ece.low > NOTABLE
    ? [
        {
          kind: 'cannot',
          figure: name,
          text:
            `does not know how sure it may be: its confidence is off by ${figureText(name, ece)} ` +
            'on average'
        }
      ]
    : []
}

/** Of each kind of change to images, as `robustness[jpeg 10].top1_drop`, what costs most. */
function lossesByChange(figures: Record<string, Figure>): Found[] {
  const worst = new Map<string, { name: string; change: string; measure: string }>()
  for (const name of Object.keys(figures)) {
    const [, change, measure] = /^robustness\[(.*)\]\.(.*)_drop$/s.exec(name) ?? []
    if (change === undefined || figures[name].low < NOTABLE) continue
    const kind = change.split(' ')[0]
    const before = worst.get(kind)
    if (before === undefined || figures[name].low > figures[before.name].low)
      worst.set(kind, { name, change, measure })
  }
  return [...worst.values()].map(({ name, change, measure }) => ({
    kind: 'cannot',
    figure: name,
    text:
      `does not do as well on changed images: with ${change}, ${spoken(measure)} falls by ` +
      `${figureText(name, figures[name]).replace(' %', ' points')}`
  }))
}

/** For sentences: shares are whole there, as the interval does not bear more. */
function figureText(name: string, figure: Figure): string {
  if (unitOf(name) !== 'share') return `${valueText(name, figure.value)} ${intervalText(name, figure)}`
  return (
    `${short(figure.value)} ` +
    `[${[figure.low, figure.high].map((end) => short(end).replace(' %', '')).join(', ')}]`
  )
}

function short(share: number): string {
  const percent = share * 100
  return `${percent !== 0 && Math.abs(percent) < 2 ? percent.toFixed(1) : String(Math.round(percent))} %`
}

/** The words over what figures say, in the order in which it is said. */
export const VERDICT_WORDS: Record<Verdict['kind'], string> = {
  can: 'What it can do',
  seldom: 'What it does better than guessing, and still fails more often than not',
  cannot: 'What it can’t do',
  untold: 'What these data can’t tell'
}

/** A figure that a report is summed up by, of each model that has it. */
export interface Headline {
  dataset: string
  task: TaskName
  figure: string
  values: { model: string; value: Figure }[]
}

/** What sums a task up, in order; further figures are in its table. */
const HEADLINES: Record<TaskName, RegExp[]> = {
  retrieval: [
    /^text_to_image\.recall@1$/,
    /^text_to_image\.recall@10$/,
    /^image_to_text\.recall@1$/,
    /^image_to_text\.recall@10$/
  ],
  'zero-shot': [/^zero_shot\.top1$/, /^zero_shot\.ece$/],
  'few-shot': [/^few_shot\.linear_probe@\d+$/],
  compositionality: [
    /^winoground\.text$/,
    /^winoground\.image$/,
    /^winoground\.group$/,
    /^hard_negatives\.accuracy$/
  ],
  'word-order': [/^word_order\.(preference|accuracy)$/],
  blind: [],
  robustness: [],
  bias: [],
  fusion: []
}

/**
 * The figures that a report is summed up by, by dataset and task: of few-shot classification the one with
 * most examples, and none in which guessing is always right.
 */
export function headlinesOf(report: Report): Headline[] {
  return report.datasets.flatMap((dataset) => tasksOf(dataset).flatMap((task) => ofTask(dataset, task)))
}

function ofTask(dataset: DatasetReport, task: TaskName): Headline[] {
  const reports = reportsOf(dataset, task)
  const names = [...new Set(reports.flatMap(({ report }) => Object.keys(report.figures)))]
  const isTelling = (name: string) =>
    reports.some(({ report }) => report.figures[name] !== undefined && (report.figures[name].chance ?? 0) < 1)
  const chosen = HEADLINES[task].flatMap((pattern) =>
    names.filter((name) => pattern.test(name) && isTelling(name)).slice(task === 'few-shot' ? -1 : 0)
  )
  return chosen.map((figure) => ({
    dataset: dataset.name,
    task,
    figure,
    values: reports
      .filter(({ report }) => report.figures[figure] !== undefined)
      .map(({ model, report }) => ({ model, value: report.figures[figure] }))
  }))
}
