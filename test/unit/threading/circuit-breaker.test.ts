import t from 'tap'
import { CircuitBreaker } from '../../../src/threading/circuit-breaker.js'

/** A circuit whose clock stands, and whose pauses are as long as they can be. */
function timed() {
  const clock = { ms: 0 }
  return { clock, circuit: new CircuitBreaker({ now: () => clock.ms, random: () => 1 }) }
}

const kill = (circuit: CircuitBreaker, times: number) =>
  Array.from({ length: times }).forEach(() => circuit.recordDeath())

t.test('it opens at the fifth death within a minute', async (t) => {
  const { clock, circuit } = timed()
  kill(circuit, 4)
  t.equal(circuit.state, 'closed')
  clock.ms = 60_000
  kill(circuit, 4)
  t.equal(circuit.state, 'closed', 'the first four are forgotten')
  t.equal(circuit.retryInMs, 0)
  circuit.recordDeath()
  t.equal(circuit.state, 'open')
  t.equal(circuit.retryInMs, 1000)
  clock.ms += 400
  t.equal(circuit.retryInMs, 600)
})

t.test('it closes with the first answer after the restart, and opens with the first death', async (t) => {
  const { clock, circuit } = timed()
  kill(circuit, 5)
  circuit.recordAnswer()
  t.equal(circuit.state, 'open', 'what a thread answers that is left does not close it')
  clock.ms += 1000
  circuit.recordStart()
  t.equal(circuit.state, 'half_open')
  circuit.recordDeath()
  t.equal(circuit.state, 'open')
  t.equal(circuit.retryInMs, 2000, 'for twice as long')
  circuit.recordStart()
  circuit.recordAnswer()
  t.equal(circuit.state, 'closed')
  kill(circuit, 4)
  t.equal(circuit.state, 'closed', 'the deaths before are forgotten')
  circuit.recordDeath()
  t.equal(circuit.retryInMs, 4000, 'soon after it counts as the same trouble')
  circuit.recordStart()
  circuit.recordAnswer()
  clock.ms += 60_001
  kill(circuit, 5)
  t.equal(circuit.retryInMs, 1000, 'after a quiet minute as new')
})

t.test('starts that fail open it at once, for longer and longer, up to a minute', async (t) => {
  const { circuit } = timed()
  const pauses = Array.from({ length: 9 }, () => {
    circuit.recordFailedStart()
    return circuit.retryInMs
  })
  t.same(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
  t.equal(circuit.failedStarts, 9)
  circuit.recordStart()
  t.equal(circuit.failedStarts, 0)
  t.equal(circuit.state, 'half_open')
})

t.test('half of a pause is by chance', async (t) => {
  const circuit = new CircuitBreaker({ now: () => 0, random: () => 0 })
  kill(circuit, 5)
  t.equal(circuit.retryInMs, 500)
})
