import t from 'tap'
import { formRecords } from '../../../../src/http/routes/form-records.js'

t.test('the metadata of all rows of a form are bounded together', async (t) => {
  const list = (values: number) => `{"a":[${Array(values).fill('"x"').join(',')}]}`
  const formOf = (rows: number, values: number) => ({
    images: [],
    fields: new Map([['metadata', Array(rows).fill(list(values))]])
  })
  await t.rejects(formRecords(formOf(11, 10_000), 256), {
    code: 'INVALID_REQUEST',
    message: /metadata has more than 100000 values in all/
  })
  t.equal((await formRecords(formOf(9, 10_000), 256)).length, 9)
})
