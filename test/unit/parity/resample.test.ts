import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { preprocess } from '../../../src/encoder/preprocess.js'
import type { Preprocessing, ResampleFilter } from '../../../src/encoder/preprocessing.js'
import type { Pixels } from '../../../src/encoder/resample.js'

interface Row {
  width: number
  height: number
  filter: ResampleFilter
  squash: string
  shortest: string
}

const TARGET = 224
const { rows } = JSON.parse(
  await readFile(new URL('../../fixtures/parity/pillow-digests.json', import.meta.url), 'utf8')
) as { rows: Row[] }

/** The formula of make-pillow-digests.py. */
function draw(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3)
  let state = 1
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    data[i] = ((state >> 16) & 63) + Math.floor(((Math.floor(i / 3) % width) * 190) / width)
  }
  return { data, width, height }
}

t.test('every byte is as Pillow has it', async (t) => {
  t.equal(rows.length, 40)
  for (const { width, height, filter, squash, shortest } of rows) {
    const picture = draw(width, height)
    const modes: [string, Preprocessing['resize'], string][] = [
      ['squash', { mode: 'squash', width: TARGET, height: TARGET }, squash],
      ['shortest', { mode: 'shortest', size: TARGET }, shortest]
    ]
    for (const [name, resize, expected] of modes) {
      const { data } = preprocess(picture, {
        resize,
        filter,
        crop: { width: TARGET, height: TARGET },
        cropOffset: 'floor',
        mean: [0, 0, 0],
        std: [1, 1, 1]
      })
      t.equal(
        createHash('sha256').update(data).digest('hex'),
        expected,
        `${filter} ${name} of ${width}x${height}`
      )
    }
  }
})
