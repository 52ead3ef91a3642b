import { join } from 'node:path'
import t from 'tap'
import { columnTypes, typed } from '../../../src/files/column-types.js'
import { readLines } from '../../../src/files/lines.js'
import { tableRows } from '../../../src/files/table-rows.js'
import { decodeText } from '../../../src/files/utf8.js'
import { folderOf } from '../../fixtures/datasets.js'

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const found = []
  for await (const value of values) found.push(value)
  return found
}

t.test('lines, however they end, over the bounds of what is read at once', async (t) => {
  const long = 'é'.repeat(70_000)
  const root = await folderOf(t, {
    'a.txt': `\uFEFFone\r\n\n  \n${long}\nthree`,
    'bad.txt': Buffer.concat([Buffer.from('one\n'), Buffer.from([0x66, 0xff, 0x0a]), Buffer.from('three\n')]),
    'empty.txt': ''
  })
  t.same(await all(readLines(join(root, 'a.txt'))), [
    { line: 1, text: 'one' },
    { line: 4, text: long },
    { line: 5, text: 'three' }
  ])
  t.same(await all(readLines(join(root, 'a.txt'), 1000)), [
    { line: 1, text: 'one' },
    { name: `${join(root, 'a.txt')}:4`, reason: 'The line has 140000 bytes; at most 1000 are allowed.' },
    { line: 5, text: 'three' }
  ])
  t.match(await all(readLines(join(root, 'bad.txt'))), [
    { text: 'one' },
    { name: `${join(root, 'bad.txt')}:2`, reason: /^The line is not UTF-8/ },
    { text: 'three' }
  ])
  t.same(await all(readLines(join(root, 'empty.txt'))), [])
})

t.test('a quote that nothing closes is one fault', async (t) => {
  const path = join(
    await folderOf(t, { 'a.csv': `image,caption\na.png,ok\nb.png,"${'x'.repeat(17 << 20)}\n` }),
    'a.csv'
  )
  t.match(await all(tableRows(path)), [
    { line: 2, fields: { image: 'a.png', caption: 'ok' } },
    { name: `${path}:3`, reason: /The row can't be read: / }
  ])
})

t.test('byte order marks, UTF-16, and rows that are not UTF-8', async (t) => {
  const csv = '"id",text\n1,café 🥕\n'
  const swapped = Buffer.from(`\uFEFF${csv}`, 'utf16le').swap16()
  const files = {
    'mark.csv': `\uFEFF${csv}`,
    'le.csv': Buffer.from(`\uFEFF${csv}`, 'utf16le'),
    'be.csv': swapped,
    'mark.jsonl': '\uFEFF{"id": "1", "text": "café 🥕"}\n',
    'le.jsonl': Buffer.from('\uFEFF{"id": "1", "text": "café 🥕"}\n', 'utf16le')
  }
  const latin1 = Buffer.from('id,text,price\n1,plain,1\n2,"two\nlines, café",2\n3,after,3\n', 'latin1')
  const root = await folderOf(t, {
    ...files,
    'latin1.csv': latin1,
    'header.csv': Buffer.from('id,caf\xe9\n1,x\n', 'latin1'),
    'twice.csv': 'id,text,text\n1,a,b\n'
  })
  for (const name of Object.keys(files)) {
    const [row, ...rest] = await all(tableRows(join(root, name)))
    t.match(row, { fields: { id: '1', text: 'café 🥕' } }, name)
    t.same(rest, [], name)
  }
  t.match(await all(tableRows(join(root, 'latin1.csv'))), [
    { fields: { id: '1' } },
    { name: /latin1\.csv:4$/, reason: /The column 'text' is not UTF-8/ },
    { fields: { id: '3', price: '3' } }
  ])
  t.match(await all(tableRows(join(root, 'header.csv'))), [
    { reason: /the header is not UTF-8/, hides: true }
  ])
  t.match(await all(tableRows(join(root, 'twice.csv'))), [{ reason: /the column 'text' twice/ }])
  t.equal(decodeText(Buffer.from('\uFEFFcafé')), 'café')
  t.equal(decodeText(Buffer.from('\uFEFFcafé', 'utf16le')), 'café')
  t.throws(() => decodeText(Buffer.from('one\ntwo caf\xe9\nthree', 'latin1')), {
    message: /^Line 2 is not UTF-8/
  })
})

t.test('cells are numbers, true and false, or strings, by their whole column', async (t) => {
  const columns = {
    price: ['12', '-0.5', '12.50'],
    zip: ['12345', '00123', '99999'],
    phone: ['+49301', '1', '2'],
    big: ['1', '9007199254740993', '2'],
    thousands: ['1,000', '2', '3'],
    power: ['1e5', '2', '3'],
    safe: ['9007199254740991', '0', '-7'],
    digits: ['0.30000000000000004', '1', '2'],
    many: ['0.123456789012345678', '1', '2'],
    flag: ['true', 'FALSE', 'True'],
    mixed: ['true', '1', 'x'],
    gaps: ['', '3', ''],
    spaced: [' 4', '5 ', '6'],
    empty: ['', '', '']
  }
  const names = Object.keys(columns) as (keyof typeof columns)[]
  const lines = [names, ...[0, 1, 2].map((row) => names.map((name) => `"${columns[name][row]}"`))].map(
    (cells) => cells.join(',')
  )
  const path = join(await folderOf(t, { 'a.csv': lines.join('\n') }), 'a.csv')
  const types = await columnTypes(path)
  t.same(Object.fromEntries(types), {
    price: 'number',
    zip: 'string',
    phone: 'string',
    big: 'string',
    thousands: 'string',
    power: 'string',
    safe: 'number',
    digits: 'number',
    many: 'string',
    flag: 'boolean',
    mixed: 'string',
    gaps: 'number',
    spaced: 'number'
  })
  const [first] = (await all(tableRows(path))) as { fields: Record<string, unknown> }[]
  t.match(typed(first.fields, types), {
    price: 12,
    zip: '12345',
    safe: 9007199254740991,
    digits: 0.1 + 0.2,
    flag: true,
    spaced: 4,
    phone: '+49301'
  })
  t.throws(() => typed({ price: '12,50' }, new Map([['price', 'number']])), {
    message: /The column 'price' has the value '12,50', which is not a number/
  })
})
