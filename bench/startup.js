// Seconds from the start of the service to ready: empty, with records whose graph comes from a snapshot, and
// with records whose graph is built again. The median of several runs; the files are in the system's cache.
// node bench/startup.js [--vectors 100000] [--dimension 512] [--runs 5] [--rebuilds 1]
//   The service must be built (npm run build).
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { median } from './load.js'
import { bulkLoad, createCollection } from './records.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '100000' },
    dimension: { type: 'string', default: '512' },
    runs: { type: 'string', default: '5' },
    rebuilds: { type: 'string', default: '1' },
    name: { type: 'string', default: 'startup' }
  }
})
const [count, dimension, runs, rebuilds] = [
  values.vectors,
  values.dimension,
  values.runs,
  values.rebuilds
].map(Number)

/** Starts and stops the service some times; a row of the medians. */
async function row(name, times, { dataDir, prepare = async () => {} }) {
  const measured = []
  for (let run = 0; run < times; run++) {
    await prepare()
    const service = await startService({}, { dataDir })
    measured.push({
      ready: service.ready,
      listening: service.listening,
      cpu: await service.cpu(),
      memory: (await service.memory()).resident
    })
    await service.stop()
  }
  const of = (key) => measured.map((values) => values[key])
  const shown = (value) => Number(value.toFixed(2))
  return {
    start: name,
    runs: times,
    'listening s': shown(median(of('listening'))),
    'ready s': shown(median(of('ready'))),
    'least ready s': shown(Math.min(...of('ready'))),
    'most ready s': shown(Math.max(...of('ready'))),
    'processor s': shown(median(of('cpu'))),
    'resident MiB': shown(median(of('memory')))
  }
}

const dataDir = await newFolder()
const rows = [await row('empty', runs, { dataDir })]
const service = await startService({}, { dataDir })
await createCollection(service.url, 'bench', dimension)
await bulkLoad(service, 'bench', { count, vectors: clusteredVectors(dimension) })
await service.stop()
rows.push(await row('snapshot', runs, { dataDir }))
if (rebuilds > 0)
  rows.push(
    await row('no snapshot', rebuilds, {
      dataDir,
      prepare: () => rm(join(dataDir, 'snapshots'), { recursive: true })
    })
  )
await rm(dataDir, { recursive: true })
report(values.name, { [`${count} x ${dimension}`]: rows })
