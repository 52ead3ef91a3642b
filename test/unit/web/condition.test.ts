import t from 'tap'
import { readCondition, writeCondition } from '../../../web/src/views/search/condition.js'

t.test('a condition is read as it was written', async (t) => {
  for (const wanted of [
    ['a', 'b='],
    [1990, true],
    { $gte: 1990 },
    { $gte: '2026-01-01', $lte: '2026-02-20T23:59:59.999Z' }
  ]) {
    const condition = { field: 'of.a=b', wanted }
    // A field's name ends at the first sign that a list or bounds follow.
    t.same(readCondition(writeCondition(condition)), condition)
  }
})

t.test("the API's operators of equality are read as lists of values", async (t) => {
  t.same(readCondition('group={"$eq":"flags"}'), { field: 'group', wanted: ['flags'] })
  t.same(readCondition('group={"$in":["flags",1]}'), { field: 'group', wanted: ['flags', 1] })
  for (const written of [
    'group={"$eq":null}',
    'group={"$eq":["a"]}',
    'group={"$in":"a"}',
    'group={"$in":[]}',
    'group={"$eq":1,"$in":[1]}'
  ]) {
    t.equal(readCondition(written), undefined, written)
  }
})

t.test('what no condition says is left out', async (t) => {
  for (const written of [
    '',
    'group',
    'group=a',
    'group=[',
    'group=[]',
    'group={}',
    'group=[null]',
    'group=[["a"]]',
    'group=[{}]',
    'group={"$bad":1}',
    'group={"$gte":1,"$in":["a"]}',
    'group={"$gte":null}',
    'group={"$lte":[1]}',
    'group={"$lte":true}'
  ]) {
    t.equal(readCondition(written), undefined, written)
  }
})
