import t from 'tap'
import { printable } from '../../../src/terminal/printable.js'
import { table } from '../../../src/terminal/table.js'

t.test('what a terminal would obey is left out, and what letters are made with stays', async (t) => {
  t.equal(printable('a\u001b[31m\u009b0m\u0007b\u202egpj.exe\u2066\u00ad'), 'a[31m0mbgpj.exe')
  t.equal(printable('two\r\n\tlines\u2028more'), 'two lines more')
  for (const whole of ['👩\u200d🚀', 'می\u200cخواهم', 'naïve ünï — 中文']) t.equal(printable(whole), whole)
})

t.test('cells of a table are printable, and line up as they are printed', async (t) => {
  t.equal(
    table([
      ['NAME', 'MODEL'],
      ['x\u001b[2J', 'm'],
      ['a\nb', '\u202e']
    ]),
    'NAME  MODEL\nx[2J  m\na b\n'
  )
})
