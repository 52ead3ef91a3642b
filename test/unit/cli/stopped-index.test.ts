import t from 'tap'
import { SemblanceError } from '../../../src/client/semblance-error.js'
import { exitCodeOf, StoppedEarly, UnreachableError, UsageError } from '../../../src/cli/exit-codes.js'
import { stoppedIndex } from '../../../src/cli/index/stopped-index.js'
import { newTally } from '../../../src/cli/index/tally.js'

const tally = { ...newTally(), created: 1, unchanged: 2, line: 3 }
const { signal } = new AbortController()
const lost = new UnreachableError('The connection to http://there broke: other side closed')
const refusal = (code: string) =>
  new SemblanceError({ status: 503, code, message: 'As the service says it.' })

t.test('stoppedIndex says what is stored and how to continue', async (t) => {
  const soFar = '1 record was stored before that: 1 created, 0 updated, 2 unchanged, 0 failed.'
  const cases: { error: Error; lines?: string; all?: boolean; message: string; exitCode: number }[] = [
    {
      error: lost,
      lines: 'a.ndjson',
      message: `${lost.message}. ${soFar} To continue, run the same command again: it continues from line 4.`,
      exitCode: 69
    },
    {
      error: lost,
      message:
        `${lost.message}. ${soFar} To continue, run the same command again: records that are ` +
        'already stored are not sent again.',
      exitCode: 69
    },
    {
      error: lost,
      all: true,
      message:
        `${lost.message}. ${soFar} To continue, run the same command again; with --all it sends ` +
        'everything again.',
      exitCode: 69
    },
    {
      error: refusal('CLOSED'),
      lines: '-',
      message:
        `The service is shutting down. ${soFar} To continue, pipe the lines from 4 on into ` +
        `'semblance index -', for example with 'tail -n +4'.`,
      exitCode: 1
    },
    {
      error: refusal('FORBIDDEN'),
      lines: 'a.ndjson',
      all: true,
      message:
        `As the service says it. ${soFar} To continue, pipe the lines from 4 on into 'semblance ` +
        `index -', for example with 'tail -n +4'.`,
      exitCode: 1
    },
    {
      error: refusal('STORAGE_UNWRITABLE'),
      lines: '-',
      message:
        `The service can't write to its data folder. ${soFar} Make it writable. Then pipe the ` +
        `lines from 4 on into 'semblance index -', for example with 'tail -n +4'.`,
      exitCode: 1
    }
  ]
  for (const { error, message, exitCode, lines, all = false } of cases) {
    const stopped = stoppedIndex(error, { tally, signal, all, lines })
    t.ok(stopped instanceof StoppedEarly)
    t.equal((stopped as Error).message, message)
    t.equal(exitCodeOf(stopped), exitCode)
  }
})

t.test(
  'stoppedIndex leaves errors alone where nothing was done, and those of the command line',
  async (t) => {
    const nothing = newTally()
    t.equal(stoppedIndex(lost, { tally: nothing, signal, all: false }), lost)
    const usage = new UsageError('No such column.')
    t.equal(stoppedIndex(usage, { tally, signal, all: false }), usage)
    const full = stoppedIndex(refusal('STORAGE_FULL'), { tally: nothing, signal, all: false })
    t.match(
      (full as Error).message,
      /^The disk of the service is full\. 0 records were stored before that: 0 created/
    )
  }
)
