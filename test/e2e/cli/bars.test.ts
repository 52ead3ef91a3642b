import { fileURLToPath } from 'node:url'
import t from 'tap'
import { inTerminal } from '../../fixtures/terminal.js'

const script = fileURLToPath(new URL('../../fixtures/bars.ts', import.meta.url))
const LONG = 'x'.repeat(150)

t.test('bars stay below the lines that are printed, and every line stays whole', async (t) => {
  const loader = fileURLToPath(new URL('../../../scripts/run-typescript.js', import.meta.url))
  const { lines, code } = await inTerminal(t, [process.execPath, `--import=${loader}`, script], {
    columns: 80,
    rows: 12
  })
  t.equal(code, 0)
  const expected = [
    ...Array.from({ length: 40 }, (_, i) => `failure ${i + 1}${(i + 1) % 10 === 0 ? LONG : ''}`),
    /^Indexing \[={20}\] 40\/40, \d+\/s, 0 s left$/,
    'one',
    'two',
    LONG,
    '[====================] embedding: 4 of 4',
    '30 files to download of commit 0123456789ab, 30.0 kB.',
    ...Array.from({ length: 30 }, (_, n) => `onnx/weight-${n}: cut off ${LONG}; again in 1 s.`),
    /^total {24}\[={20}\] 30\.0 kB of 30\.0 kB, done$/,
    'pets.sqlite [====================] 1.0 kB of 1.0 kB, done',
    'end'
  ]
  t.equal(lines.length, expected.length, lines.join('\n'))
  t.match(lines, expected)
})
