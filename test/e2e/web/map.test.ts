import sharp from 'sharp'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { accessibilityProblems, openBrowser, openPage, screenshot } from '../../fixtures/browser.js'
import { solid } from '../../fixtures/images.js'
import { testServer, type Api } from '../../fixtures/server.js'

const EACH = 40
const KINDS = ['red', 'green', 'blue']
const SOFTWARE_GL = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist']

/** Three groups of embeddings, each near an axis of its own. */
async function addGroups(api: Api): Promise<void> {
  await api('PUT', '/v1/collections/groups', { model: null, dimension: 8 })
  const records = KINDS.flatMap((kind, axis) =>
    Array.from({ length: EACH }, (_, number) => {
      const image = Array.from({ length: 8 }, (_, at) =>
        at === axis ? 1 : 0.1 * Math.sin(7 * number + 3 * at)
      )
      return { id: `${kind}-${number}`, embeddings: { image }, metadata: { kind, number } }
    })
  )
  const { body } = await api('POST', '/v1/collections/groups/records', { records })
  if (!body.results.every(({ status }: { status: string }) => status === 'created'))
    throw new Error(JSON.stringify(body))
}

/** Pictures of a model, in many colours. */
async function addPictures(api: Api): Promise<void> {
  await api('PUT', '/v1/collections/pictures', {})
  const records = await Promise.all(
    Array.from({ length: 24 }, async (_, number) => ({
      id: `${number}`,
      text: `picture ${number}`,
      image: { base64: (await solid(`hsl(${number * 15}, 80%, 50%)`)).toString('base64') }
    }))
  )
  await api('POST', '/v1/collections/pictures/records', { records })
}

const laidOut = (page: Page) => page.locator('.map-view[data-done]').waitFor()

/** What the browser keeps of the layout. In the page's own words, as all that runs there. */
const KEPT_LAYOUT = `new Promise((resolve, reject) => {
  const opened = indexedDB.open('keyval-store')
  opened.onerror = () => reject(opened.error)
  opened.onsuccess = () => {
    const found = opened.result.transaction('keyval').objectStore('keyval').getAll()
    found.onsuccess = () => resolve([...found.result[0].positions])
  }
})`
interface KeptLayout {
  ids: string[]
  /** Shape `[ids, 2]`. */
  positions: number[]
}
async function keptLayout(api: Api, page: Page): Promise<KeptLayout> {
  const { body } = await api(
    'POST',
    `/v1/collections/${new URL(page.url()).searchParams.get('c')}/search/matrix`,
    { neighbors: 0 }
  )
  return { ids: body.ids, positions: await page.evaluate<number[]>(KEPT_LAYOUT) }
}

/** The colour in the middle of the canvas. */
async function middleColor(page: Page): Promise<number[]> {
  const box = (await page.locator('.map-frame canvas').boundingBox())!
  const png = await page.screenshot({
    clip: { x: box.x + box.width / 2, y: box.y + box.height / 2, width: 1, height: 1 }
  })
  return [...(await sharp(png).removeAlpha().raw().toBuffer())]
}

/** The link of the map that has a point in its middle, from near. */
function at(layout: KeptLayout, id: string): string {
  const point = layout.ids.indexOf(id)
  return `at=${layout.positions[2 * point].toFixed(3)},${layout.positions[2 * point + 1].toFixed(3)},12`
}

function pointsOf({ ids, positions }: KeptLayout, kind: string): [number, number][] {
  return ids.flatMap((id, point): [number, number][] =>
    id.startsWith(`${kind}-`) ? [[positions[2 * point], positions[2 * point + 1]]] : []
  )
}
function middleOf(layout: KeptLayout, kind: string): [number, number] {
  const points = pointsOf(layout, kind)
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length) as [
    number,
    number
  ]
}

t.test('the map', async (t) => {
  const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
  await addGroups(api)
  await addPictures(api)
  const browser = await openBrowser(t, { args: SOFTWARE_GL })

  /** Opens a view of the map and waits until it is laid out. */
  async function openMap(t: Test, query: string, look?: 'light' | 'dark' | 'phone') {
    const watched = await openPage(browser, { origin: url, look })
    t.teardown(() => watched.page.context().close())
    await watched.page.goto(`${url}/map?${query}`)
    await laidOut(watched.page)
    return watched
  }

  t.test('what is alike lies together, and is coloured by metadata', async (t) => {
    const { page, problems } = await openMap(t, 'c=groups&field=kind')
    await screenshot(page, 'map-light')
    const layout = await keptLayout(api, page)
    t.equal(layout.ids.length, KINDS.length * EACH)
    const middles = KINDS.map((kind) => middleOf(layout, kind))
    const spread = Math.max(
      ...KINDS.map((kind, at) =>
        Math.max(
          ...pointsOf(layout, kind).map(([x, y]) => Math.hypot(x - middles[at][0], y - middles[at][1]))
        )
      )
    )
    const apart = Math.min(
      ...middles.flatMap((a, at) => middles.slice(at + 1).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1])))
    )
    t.ok(
      apart > spread,
      `groups of radius ${spread.toFixed(1)} at most lie ${apart.toFixed(1)} apart at least`
    )

    const legend = page.getByRole('list', { name: 'Colours' }).getByRole('button')
    t.same(
      (await legend.allInnerTexts()).map((text) => text.split('\n')),
      KINDS.toSorted().map((kind) => [kind, `${EACH}`]),
      'the legend counts'
    )
    const colors = new Set<string>()
    for (const kind of KINDS) {
      await page.goto(`${url}/map?c=groups&field=kind&${at(layout, `${kind}-5`)}`)
      await laidOut(page)
      await legend.first().waitFor()
      await page.locator('.map-frame canvas').hover()
      await page.locator('.map-card', { hasText: new RegExp(`^${kind}-`) }).waitFor()
      await page.mouse.move(5, 5)
      const nearest = await page
        .getByRole('region', { name: 'In the middle of the map' })
        .getByRole('link')
        .allInnerTexts()
      t.ok(
        nearest.every((text) => text.startsWith(kind)),
        `${kind} lies among ${kind}`
      )
      colors.add(String(await middleColor(page)))
    }
    t.equal(colors.size, KINDS.length, 'each value has a colour of its own')
    t.same(problems, [], 'no report of the policy, nothing from elsewhere')
  })

  t.test('a legend entry shows its records alone, numbers have a scale, and the link says all', async (t) => {
    const { page, problems } = await openMap(t, 'c=groups&field=kind')
    await page.getByRole('button', { name: /^red/ }).click()
    await page.waitForURL(/only=red/)
    t.equal(await page.getByRole('button', { name: /^red/ }).getAttribute('aria-pressed'), 'true')
    await page.getByRole('combobox', { name: 'Colour by' }).selectOption('number')
    await page.waitForURL(
      (address) => address.searchParams.get('field') === 'number' && !address.searchParams.has('only')
    )
    await page.getByRole('img', { name: 'Colours from 0 to 39' }).waitFor()
    await page.reload()
    await laidOut(page)
    await page.getByRole('img', { name: 'Colours from 0 to 39' }).waitFor()
    t.equal(await page.getByRole('combobox', { name: 'Colour by' }).inputValue(), 'number')
    t.same(problems, [])
  })

  t.test('coloured by likeness to a text: the likest is the lightest', async (t) => {
    const { page, problems } = await openMap(t, 'c=pictures')
    const layout = await keptLayout(api, page)
    const { body } = await api('POST', '/v1/collections/pictures/search', {
      query: { text: 'a green field' },
      limit: 24,
      exact: true
    })
    const [best, worst] = [body.matches.at(0).id, body.matches.at(-1).id]
    await page.getByLabel('Colour by likeness to').fill('a green field')
    await page.waitForURL(/prompt=a\+green\+field/)
    await page.getByRole('img', { name: /^Colours from/ }).waitFor()
    const brightness = async (id: string) => {
      await page.goto(`${url}/map?c=pictures&prompt=a+green+field&${at(layout, id)}`)
      await laidOut(page)
      await page.getByRole('img', { name: /^Colours from/ }).waitFor()
      await page.mouse.move(5, 5)
      const [red, green] = await middleColor(page)
      return red + green
    }
    t.ok((await brightness(best)) > (await brightness(worst)) + 100)
    t.same(problems, [])
  })

  t.test('hovering shows the picture, and a click opens the record', async (t) => {
    const { page, problems } = await openMap(t, 'c=pictures')
    const layout = await keptLayout(api, page)
    await page.goto(`${url}/map?c=pictures&${at(layout, '7')}`)
    await laidOut(page)
    await page.locator('.map-frame canvas').hover()
    const card = page.locator('.map-card')
    await card.getByRole('img').waitFor()
    t.equal(
      await card.getByRole('img').evaluate(async (image) => {
        const shown = image as unknown as { decode(): Promise<void>; naturalWidth: number }
        await shown.decode()
        return shown.naturalWidth > 0
      }),
      true
    )
    t.match(await card.innerText(), /^picture \d+$/)
    const shown = (await card.innerText()).replace('picture ', '')
    const isOpen = (address: URL) =>
      address.pathname === '/' &&
      address.searchParams.get('r') === shown &&
      address.searchParams.get('c') === 'pictures'
    // A press that a busy machine holds for over 250 ms is not a click for deck.gl.
    const timeout = 5000
    for (let tries = 0; tries < 10 && !isOpen(new URL(page.url())); tries++) {
      await page
        .locator('.map-frame canvas')
        .click({ timeout })
        .catch(() => undefined)
      await page.waitForURL(isOpen, { timeout }).catch(() => undefined)
    }
    t.ok(isOpen(new URL(page.url())), page.url())
    t.same(problems, [])
  })

  t.test('by keyboard, and kept for the next time', async (t) => {
    const { page, problems } = await openMap(t, 'c=groups')
    const canvas = page.getByRole('application', { name: /^Map of 120 records/ })
    await canvas.focus()
    const left = (address: URL) => Number(address.searchParams.get('at')?.split(',')[0])
    await page.keyboard.press('+')
    await page.waitForURL(/at=/)
    const before = left(new URL(page.url()))
    await page.keyboard.press('ArrowRight')
    await page.waitForURL((address) => left(address) > before)
    const moved = left(new URL(page.url()))
    await page.keyboard.press('ArrowLeft')
    await page.waitForURL((address) => left(address) < moved)
    await page.keyboard.press('0')
    await page.waitForURL((address) => !address.searchParams.has('at'))
    const workers: string[] = []
    page.on('worker', (worker) => workers.push(worker.url()))
    await page.reload()
    await laidOut(page)
    t.same(workers, [], 'nothing is laid out again')
    await api('POST', '/v1/collections/groups/records', {
      records: [
        { id: 'red-0', embeddings: { image: [0, 0, 1, 0, 0, 0, 0, 0] }, metadata: { kind: 'red', number: 0 } }
      ]
    })
    await page.reload()
    await laidOut(page)
    t.equal(workers.length, 1, 'but where the embeddings are others')
    t.same(problems, [])
  })

  t.test('accessible in each look, and without WebGL', async (t) => {
    for (const look of ['light', 'dark', 'phone'] as const) {
      const { page, problems } = await openMap(t, 'c=groups&field=kind', look)
      t.same(await accessibilityProblems(page), [], look)
      await screenshot(page, `map-${look}`)
      t.equal(
        await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'),
        true,
        `${look}: nothing is cut off`
      )
      t.same(problems, [])
    }
    const { page } = await openPage(browser, { origin: url })
    await page.addInitScript('HTMLCanvasElement.prototype.getContext = () => null')
    await page.goto(`${url}/map?c=groups`)
    await page.getByRole('alert').getByText('no WebGL').waitFor()
    await laidOut(page)
    t.equal(
      await page.getByRole('region', { name: 'In the middle of the map' }).getByRole('link').count(),
      12,
      'the records are listed'
    )
  })

  t.test('what cannot be laid out is told', async () => {
    await api('PUT', '/v1/collections/empty', {})
    const { page } = await openPage(browser, { origin: url, expected: /404/ })
    await page.goto(`${url}/map?c=empty&target=image`)
    await page.getByText('empty has no pictures to lay out.').waitFor()
    await page.goto(`${url}/map?c=nowhere`)
    await page.getByText("There is no collection 'nowhere'").waitFor()
  })
})
