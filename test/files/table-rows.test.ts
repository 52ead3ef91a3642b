import { join } from 'node:path'
import t from 'tap'
import { readLines } from '../../src/files/lines.js'
import { tableRows } from '../../src/files/table-rows.js'
import { folderOf } from '../fixtures/datasets.js'

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const found = []
  for await (const value of values) found.push(value)
  return found
}

t.test('lines, however they end, over the bounds of what is read at once', async (t) => {
  const long = 'é'.repeat(70_000)
  const root = await folderOf(t, { 'a.txt': `\uFEFFone\r\n\n  \n${long}\nthree`, 'bad.txt': Buffer.concat([Buffer.from('one\n'), Buffer.from([0x66, 0xff, 0x0a]), Buffer.from('three\n')]), 'empty.txt': '' })
  t.same(await all(readLines(join(root, 'a.txt'))), [{ line: 1, text: 'one' }, { line: 4, text: long }, { line: 5, text: 'three' }])
  t.same(await all(readLines(join(root, 'a.txt'), 1000)), [{ line: 1, text: 'one' }, { name: `${join(root, 'a.txt')}:4`, reason: 'The line has 140000 bytes, of 1000 allowed.' }, { line: 5, text: 'three' }])
  t.match(await all(readLines(join(root, 'bad.txt'))), [{ text: 'one' }, { name: `${join(root, 'bad.txt')}:2`, reason: 'The line is not UTF-8.' }, { text: 'three' }])
  t.same(await all(readLines(join(root, 'empty.txt'))), [])
})

t.test('a quote that nothing closes is one fault', async (t) => {
  const path = join(await folderOf(t, { 'a.csv': `image,caption\na.png,ok\nb.png,"${'x'.repeat(17 << 20)}\n` }), 'a.csv')
  t.match(await all(tableRows(path)), [{ line: 2, fields: { image: 'a.png', caption: 'ok' } }, { name: `${path}:3`, reason: /The row can't be read: / }])
})
