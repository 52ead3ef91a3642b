// What the gallery's map costs: time until its points are seen and until they are laid out, frames per second
// while it is dragged, and the page's memory, by numbers of points; and how soon a layout that was kept is
// there again. In a Chromium of this machine, by default with software WebGL: a graphics card draws much
// faster.
// node bench/gallery-map.js [--points 2000,100000] [--dimension 64] [--browser /usr/bin/chromium] [--gl
//   swiftshader] The service must be built (npm run build).
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { clusteredVectors } from './clusters.js'
import { bulkLoad, createCollection } from './records.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '2000,100000' },
    dimension: { type: 'string', default: '64' },
    browser: { type: 'string', default: '/usr/bin/chromium' },
    gl: { type: 'string', default: 'swiftshader' },
    name: { type: 'string', default: 'gallery-map' }
  }
})
const sizes = values.points.split(',').map(Number)
const dimension = Number(values.dimension)
const DRAGGED_MS = 5000
const LONGEST_MS = 400_000

/** Frames that the page draws from now on, until it is asked again. */
const COUNT_FRAMES =
  'window.__frames = []; (function count(at) { window.__frames.push(at); ' +
  'window.__counting = requestAnimationFrame(count) })(performance.now())'
const COUNTED =
  'cancelAnimationFrame(window.__counting); const times = window.__frames.slice(1); ({ ' +
  'fps: 1000 * (times.length - 1) / (times.at(-1) - times[0]), longest: ' +
  'Math.max(...times.slice(1).map((time, at) => time - times[at])) })'

/** Drags the map to and fro for some seconds. */
async function drag(page) {
  const { x, y, width, height } = await page.locator('.map-frame canvas').boundingBox()
  const middle = { x: x + width / 2, y: y + height / 2 }
  await page.mouse.move(middle.x, middle.y)
  await page.mouse.down()
  await page.evaluate(COUNT_FRAMES)
  const startedAt = performance.now()
  for (let step = 0; performance.now() - startedAt < DRAGGED_MS; step++)
    await page.mouse.move(middle.x + 200 * Math.sin(step / 20), middle.y + 100 * Math.cos(step / 20))
  const counted = await page.evaluate(COUNTED)
  await page.mouse.up()
  return counted
}

async function measure(browser, url, points) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  const answers = {}
  page.on(
    'response',
    (response) =>
      response.url().endsWith('/search/matrix') &&
      response.finished().then(() => (answers.matrix = performance.now()))
  )
  const startedAt = performance.now()
  await page.goto(`${url}/map?c=bench&sample=${points}&field=group`)
  await page.locator('.map-view[data-points] canvas').waitFor({ timeout: LONGEST_MS })
  const seen = performance.now()
  await page.locator('.map-view[data-done]').waitFor({ timeout: LONGEST_MS })
  const done = performance.now()
  const dragged = await drag(page)
  const heap = await page.evaluate('performance.memory.usedJSHeapSize')
  await page.reload()
  const reloadedAt = performance.now()
  await page.locator('.map-view[data-done]').waitFor({ timeout: LONGEST_MS })
  const again = performance.now() - reloadedAt
  await context.close()
  const seconds = (ms) => Number((ms / 1000).toFixed(1))
  return {
    points,
    'seen after s': seconds(seen - startedAt),
    'laid out after s': seconds(done - startedAt),
    'again after s': seconds(again),
    fps: Math.round(dragged.fps),
    'longest frame ms': Math.round(dragged.longest),
    'page heap MiB': Math.round(heap / 2 ** 20)
  }
}

const dataDir = await newFolder()
const service = await startService({ DEMO: 'false' }, { dataDir })
const browser = await chromium.launch({
  executablePath: values.browser,
  args: [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--ignore-gpu-blocklist',
    ...(values.gl === 'swiftshader' ? ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'] : [])
  ]
})
try {
  await createCollection(service.url, 'bench', dimension)
  await bulkLoad(service, 'bench', {
    count: Math.max(...sizes),
    vectors: clusteredVectors(dimension),
    metadata: (n) => ({ group: `group ${n % 10}` })
  })
  const rows = []
  for (const points of sizes) rows.push(await measure(browser, service.url, points))
  report(values.name, { [`map, WebGL by ${values.gl}`]: rows })
} finally {
  await browser.close()
  await service.stop()
  await rm(dataDir, { recursive: true })
}
