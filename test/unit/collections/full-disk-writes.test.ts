import t from 'tap'
import { createFullDiskWriter } from '../../../src/collections/full-disk-writes.js'
import type { Write, WriteAnswer } from '../../../src/collections/sqlite/writes.js'

const collection = { id: 1, name: 'things' }
const ids = Array.from({ length: 120 }, (_, n) => `r${n}`)
const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
const reserve = { release: () => {}, restore: () => {}, close: () => {} }

/** Deletes on a full disk, of which the group that `failsAt` counts from one finds no room. */
function deleteAll(failsAt: number): WriteAnswer {
  let groups = 0
  const commit = (writes: Write[]): WriteAnswer[] => {
    if (++groups === failsAt) throw full
    return writes.map(() => ({ changes: [] }))
  }
  const writeOnFullDisk = createFullDiskWriter({
    commit,
    foldLog: () => {},
    reserve: reserve as never,
    onProblem: () => {}
  })
  return writeOnFullDisk([{ kind: 'delete', collection, ids }], full)[0]
}

t.test('a deletion that fails before its first group was committed has changed nothing', async (t) => {
  t.same(deleteAll(1), {
    failure: {
      code: 'STORAGE_FULL',
      statusCode: 507,
      message: 'There is not enough disk space; nothing from this request was stored.'
    }
  })
})

t.test(
  'a deletion that fails between its groups says how much was done, and that memory is behind',
  async (t) => {
    t.match(deleteAll(3), {
      isPartial: true,
      failure: {
        code: 'STORAGE_FULL',
        message: /The first 100 of 120 ids were deleted; send the others again/
      }
    })
  }
)

t.test('a deletion that finds room answers for all its groups', async (t) => {
  t.same(deleteAll(4), { changes: [] })
})
