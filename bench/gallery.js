// What the gallery costs a visitor: bytes over the wire of the first load (as the browser counts them, with
// brotli), time from navigation to the first result, and from the last key stroke to its results. Medians of
// several runs, each in a fresh browser context with an empty cache, against the built service and its demo
// collection, in a Chromium of this machine.
// node bench/gallery.js [--runs 9] [--url http://localhost:8080] [--browser /usr/bin/chromium]
//   Without --url a service is started, whose demo load is waited for. Build first (npm run build).
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { median } from './load.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '9' },
    url: { type: 'string' },
    browser: { type: 'string', default: '/usr/bin/chromium' },
    name: { type: 'string', default: 'gallery' }
  }
})
const runs = Number(values.runs)
const QUERIES = [
  'a slice of pizza',
  'an angry cat',
  'a rainbow',
  'a red fruit',
  'a birthday cake',
  'a boat',
  'a sad face',
  'a tree in winter',
  'a fast car'
]

/**
 * Resolves in the page to the milliseconds since the navigation at which the results of a query are about to
 * be painted.
 */
const PAINTED = `new Promise((resolve) => {
  const look = () => {
    const answered = document.querySelector('.summary[aria-busy="false"]')?.textContent.includes(' ms')
    const isThere = answered && document.querySelector('.result-score')
    requestAnimationFrame(isThere ? () => resolve(performance.now()) : look)
  }
  look()
})`

/** Bytes of each kind that a page was sent, headers included. */
async function countBytes(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  const kinds = new Map()
  const bytes = {}
  session.on('Network.responseReceived', ({ requestId, type, response }) =>
    kinds.set(requestId, /\/v1\//.test(response.url) ? (type === 'Image' ? 'thumbnails' : 'API') : 'page')
  )
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId) ?? 'page'
    bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength
  })
  return bytes
}

/** One visit with an empty cache. */
async function visit(browser, url, query) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  const bytes = await countBytes(page)
  await page.goto(`${url}/?q=${encodeURIComponent(query)}`, { waitUntil: 'commit' })
  const firstResult = await page.evaluate(PAINTED)
  await page.waitForLoadState('networkidle')
  // One key more in the box, then the results that belong to it.
  const keyed = await page.evaluate(async () => {
    const box = document.querySelector('.search-box input[type="search"]')
    const answered = new Promise((resolve) => {
      const before = document.querySelector('.result')
      const observer = new MutationObserver(() => {
        const summary = document.querySelector('.summary')
        if (summary.getAttribute('aria-busy') === 'false' && searched)
          requestAnimationFrame(() => resolve(performance.now()))
        else if (summary.getAttribute('aria-busy') === 'true') searched = true
      })
      let searched = false
      observer.observe(before.closest('.search'), {
        subtree: true,
        childList: true,
        attributes: true,
        characterData: true
      })
    })
    const from = performance.now()
    box.value += 's'
    box.dispatchEvent(new InputEvent('input', { bubbles: true }))
    return (await answered) - from
  })
  await context.close()
  return { firstResult, keyed, bytes }
}

const dataDir = values.url ? undefined : await newFolder()
const service = values.url ? undefined : await startService({ DEMO: 'true' }, { dataDir })
const url = values.url ?? service.url
const browser = await chromium.launch({
  executablePath: values.browser,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync']
})
try {
  // Of a service that was used before: models are warm and thumbnails are made.
  await visit(browser, url, QUERIES[0])
  const visits = []
  for (let run = 0; run < runs; run++) visits.push(await visit(browser, url, QUERIES[run % QUERIES.length]))
  const kib = (kind) => Number((median(visits.map(({ bytes }) => bytes[kind] ?? 0)) / 1024).toFixed(1))
  const ms = (of) => {
    const list = visits.map(of)
    return {
      median: Math.round(median(list)),
      least: Math.round(Math.min(...list)),
      most: Math.round(Math.max(...list))
    }
  }
  report(values.name, {
    'first load, KiB over the wire': [{ page: kib('page'), API: kib('API'), thumbnails: kib('thumbnails') }],
    'time to results, ms': [
      { from: 'navigation', runs, ...ms(({ firstResult }) => firstResult) },
      { from: 'key stroke', runs, ...ms(({ keyed }) => keyed) }
    ]
  })
} finally {
  await browser.close()
  await service?.stop()
  if (dataDir) await rm(dataDir, { recursive: true })
}
