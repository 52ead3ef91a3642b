import t from 'tap'
import { makeInput } from '../../bench/fuzz/inputs.js'
import { makeSeeds } from '../../bench/fuzz/seeds.js'
import { sendAll, type FuzzAnswer } from '../../bench/fuzz/send.js'
import { startProcess, whenReady } from '../fixtures/service.js'

// A small part of what `npm run fuzz` sends; that is for long runs, and for pictures of full size.
const SEED = 7
const INPUTS = 240

t.test('hostile images are taken or refused, and the service lives on', async (t) => {
  const seeds = await makeSeeds(SEED)
  const { url, child } = await startProcess(t, { DATA_DIR: t.testdir(), DEMO: 'false' })
  await whenReady(url)
  async function* inputs() {
    for (let number = 0; number < INPUTS; number++) yield { number, ...(await makeInput(seeds, { seed: SEED, number, heavyPerMille: 0 })) }
  }
  const answers: FuzzAnswer[] = []
  await sendAll({ url, inputs: inputs(), concurrency: 4, secondsEach: 30, onAnswer: (answer) => void answers.push(answer) })
  t.equal(answers.length, INPUTS)
  t.same(answers.filter(({ fault }) => fault).map(({ number, kind, fault }) => ({ number, kind, fault })), [], `none is at fault (node bench/fuzz.js --seed ${SEED} --only NUMBER)`)
  t.same([...new Set(answers.map(({ code }) => code))].sort(), ['200', 'IMAGE_INVALID', 'IMAGE_TOO_LARGE', 'IMAGE_UNSUPPORTED'])
  t.ok(answers.filter(({ kind }) => kind === 'valid').every(({ code }) => code === '200'), 'what is whole is taken')
  t.notOk(answers.some(({ kind, code }) => kind.startsWith('svg') && code === '200'), 'SVG is not, in whatever wrapping')
  t.equal(child.exitCode, null)
  t.match(await (await fetch(`${url}/metrics`)).text(), /^semblance_worker_deaths_total 0$/m)
})

t.test('an input is made again from its seed and number', async (t) => {
  const [seeds, again] = [await makeSeeds(SEED), await makeSeeds(SEED)]
  t.same(seeds, again)
  const bytesOf = async (number: number, seed = SEED) => (await makeInput(seeds, { seed, number, heavyPerMille: 0 })).bytes
  let differing = 0
  for (let number = 0; number < 60; number++) {
    const bytes = await bytesOf(number)
    t.ok(bytes.equals(await bytesOf(number)), String(number))
    if (!bytes.equals(await bytesOf(number, SEED + 1))) differing++
  }
  t.ok(differing > 50, 'and another seed makes others')
})
