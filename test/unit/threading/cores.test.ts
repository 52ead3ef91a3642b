import { availableParallelism } from 'node:os'
import t from 'tap'
import { usableCores } from '../../../src/threading/cores.js'

const all = availableParallelism()
const max = (text: string) => ({ 'cpu.max': text })
const quota = (text: string) => ({ cpu: { 'cpu.cfs_quota_us': text, 'cpu.cfs_period_us': '100000\n' } })

const cases: [string, object, number][] = [
  ['no control group', {}, all],
  ['no quota', max('max 100000\n'), all],
  ['one core', max('100000 100000\n'), 1],
  ['a core and a half', max('150000 100000\n'), 1],
  ['half a core', max('50000 100000\n'), 1],
  ['more than there are', max('9900000 100000\n'), all],
  ['version 1, no quota', quota('-1\n'), all],
  ['version 1, one core', quota('100000\n'), 1],
  ['nonsense', max('many few\n'), all]
]
for (const [name, files, cores] of cases)
  t.test(name, async (t) => t.equal(usableCores(t.testdir(files as never)), cores))
