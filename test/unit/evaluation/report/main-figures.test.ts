import t from 'tap'
import { mainFigures } from '../../../../src/evaluation/report/figure-names.js'

const methods = ['image', 'text', 'rrf', 'joint']
const measures = ['recall@1', 'recall@10', 'mrr']
const fusion = ['', ', 30 % missing', ', 60 % missing'].flatMap((level) => [
  ...methods.flatMap((method) => measures.map((measure) => `fusion[${method}${level}].${measure}`)),
  ...(level
    ? methods.flatMap((method) =>
        ['both', 'image only', 'text only'].map((of) => `fusion[${method}, of ${of}${level}].recall@10`)
      )
    : [])
])

t.test('all figures of a task are shown where they are few', async (t) => {
  t.same(mainFigures(fusion.slice(0, 12)), fusion.slice(0, 12))
})

t.test('of many the first of each variant, those of every level before those of its parts', async (t) => {
  t.same(
    mainFigures(fusion),
    ['', ', 30 % missing', ', 60 % missing'].flatMap((level) =>
      methods.map((method) => `fusion[${method}${level}].recall@1`)
    )
  )
})

t.test('names in brackets that hold a label are left out before those of the whole', async (t) => {
  const names = [...Array(30).keys()].flatMap((i) => [`bias[set ${i}: he].effect`, `bias[set ${i}].effect`])
  t.same(
    mainFigures(names),
    [...Array(24).keys()].map((i) => `bias[set ${i}].effect`)
  )
})
