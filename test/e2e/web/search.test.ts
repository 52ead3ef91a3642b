import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import {
  accessibilityProblems,
  openBrowser,
  openPage,
  screenshot,
  type LOOKS
} from '../../fixtures/browser.js'
import { emojiPicture, loadEmoji } from '../../fixtures/emoji.js'
import { testServer } from '../../fixtures/server.js'

/* eslint-disable @typescript-eslint/no-explicit-any -- what the functions that run in the page find there */
declare const document: any,
  DataTransfer: any,
  ClipboardEvent: any,
  DragEvent: any,
  innerWidth: any,
  sessionStorage: any,
  localStorage: any,
  history: any
type PageElement = any
/* eslint-enable @typescript-eslint/no-explicit-any */

const { url, api } = await testServer(t)
await loadEmoji(api)
const browser = await openBrowser(t)

/** What the pages complained of. */
const complaints: string[] = []

/** A watched page at a link, closed with the test. */
async function open(
  t: Test,
  link = '/',
  {
    look = 'light' as keyof typeof LOOKS,
    expected = undefined as RegExp | undefined,
    origin = url,
    before = undefined as ((page: Page) => Promise<unknown>) | undefined
  } = {}
): Promise<Page> {
  const { page, problems } = await openPage(browser, { origin, look, expected })
  t.teardown(async () => {
    await page.context().close()
    complaints.push(...problems.map((problem) => `${t.name}: ${problem}`))
  })
  await before?.(page)
  await page.goto(origin + link)
  if (origin === url) await settled(page)
  return page
}

/** Waits until what is asked is answered. */
async function settled(page: Page): Promise<void> {
  await page.locator('.summary[aria-busy="false"]').waitFor()
  await page.locator('.results[aria-busy="false"]').waitFor({ state: 'attached' })
}
const box = (page: Page) => page.getByRole('searchbox', { name: 'Search by words' })
/** Name and score of each card. */
const names = (page: Page) =>
  page
    .locator('.result')
    .evaluateAll((all) =>
      all.map((each) =>
        [
          each.querySelector('.result-text > span:last-child, .result-picture ~ .result-line .result-name'),
          each.querySelector('.result-score')
        ]
          .map((part) => part?.textContent)
          .join(', score ')
      )
    )
const named = ({ text, score }: { text: string; score: number }) => `${text}, score ${score.toFixed(3)}`
/** What the API finds, as the cards are named. */
const found = async (body: object) =>
  (await api('POST', '/v1/collections/pictures/search', { limit: 48, ...body })).body.matches.map(named)
/** Does something that searches, and waits for its answer. */
async function searching(page: Page, act: () => Promise<unknown>): Promise<void> {
  const answer = page.waitForResponse((response) => /\/(search|records)(\?|$)/.test(response.url()))
  await act()
  await answer
  await settled(page)
}
const search = (page: Page, text: string) => searching(page, () => box(page).fill(text))
const dropPicture = (
  page: Page,
  { base64, event, target = 'body' }: { base64: string; event: 'drop' | 'paste'; target?: string }
) =>
  page.evaluate(
    ([base64, event, target]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([bytes], 'cat.webp', { type: 'image/webp' }))
      const on = document.querySelector(target)!
      if (event === 'paste')
        on.dispatchEvent(
          new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
        )
      else
        on.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
    },
    [base64, event, target] as const
  )
const cat = (await emojiPicture('1f431')).toString('base64')

t.test('without a query the collection is shown; typing searches, and the link has it', async (t) => {
  const page = await open(t)
  t.match(await page.locator('.summary').innerText(), '75 records')
  t.ok(await box(page).evaluate((each) => each === document.activeElement), 'one can type at once')
  // A pointer would scroll to it first, which loads more by itself and takes the button away.
  await page.getByRole('button', { name: 'Load more' }).evaluate((button: PageElement) => button.click())
  await page.waitForFunction(() => document.querySelectorAll('.result').length === 75)
  t.equal(
    await page.locator('.result[data-kind="text"]').count(),
    3,
    'records without a picture show their text'
  )

  await search(page, 'a lion')
  t.same(await names(page), await found({ query: { text: 'a lion' } }))
  t.match(await page.locator('.summary').innerText(), /^48 results in [\d.]+ ms/)
  t.match(page.url(), /\?q=a\+lion$/)
  await page
    .locator('.result-picture img')
    .first()
    .evaluate((image: PageElement) => image.decode())
  await search(page, 'a red fruit')
  await page.goBack()
  // The link changes first, and the page with it a moment later.
  for (let waited = 0; (await box(page).inputValue()) === 'a red fruit' && waited < 10_000; waited += 20)
    await sleep(20)
  await settled(page)
  t.equal(await box(page).inputValue(), '', 'what was typed in one go is one step of the history')
  await page.goForward()
  await page.waitForFunction(() => document.querySelectorAll('.result-score').length > 0)
  t.same(await names(page), await found({ query: { text: 'a red fruit' } }))
  await page.mouse.wheel(0, 20_000)
  await page.waitForFunction(() => document.querySelectorAll('.result').length === 72)
  t.equal(new Set(await names(page)).size, 72, 'scrolling goes on to the end')
})

t.test('a late answer to what was typed before is dropped', async (t) => {
  const page = await open(t)
  await page.route('**/search', async (route) => {
    if (route.request().postDataJSON().query[0].text === 'slow')
      await new Promise((resolve) => setTimeout(resolve, 1000))
    await route.continue().catch(() => {})
  })
  const slow = page.waitForRequest((request) => request.url().endsWith('/search'))
  await box(page).fill('slow')
  const gone = page.waitForEvent('requestfailed')
  await slow
  await search(page, 'a lion')
  t.match((await gone).postDataJSON(), { query: [{ text: 'slow' }] }, 'nobody waits for it')
  t.same(await names(page), await found({ query: { text: 'a lion' } }))
})

t.test('a composed query: words, words to lead away from, a record, with weights', async (t) => {
  const page = await open(t)
  await search(page, 'an animal')
  await box(page).press('Control+Enter')
  await search(page, 'yellow')
  await box(page).press('Shift+Enter')
  await page.getByRole('button', { name: 'yellow leads away. Turn it around' }).waitFor()
  await settled(page)
  t.same(await names(page), await found({ query: [{ text: 'an animal' }, { text: 'yellow', weight: -1 }] }))

  await searching(page, () => page.getByRole('slider', { name: 'Weight of yellow' }).press('ArrowLeft'))
  t.same(
    await names(page),
    await found({ query: [{ text: 'an animal' }, { text: 'yellow', weight: -0.75 }] })
  )
  await search(page, 'small')
  const composed = await found({
    query: [{ text: 'small' }, { text: 'an animal' }, { text: 'yellow', weight: -0.75 }]
  })
  t.same(await names(page), composed)
  await page.reload()
  await settled(page)
  t.same(await names(page), composed, 'the link has all of it')
  await screenshot(page, 'search-composed')

  await searching(page, () => page.getByRole('button', { name: 'yellow leads away. Turn it around' }).click())
  t.same(
    await names(page),
    await found({ query: [{ text: 'small' }, { text: 'an animal' }, { text: 'yellow', weight: 0.75 }] })
  )
  await searching(page, () => box(page).fill(''))
  await searching(page, () => box(page).press('Backspace'))
  t.same(
    await names(page),
    await found({ query: [{ text: 'an animal' }] }),
    'Backspace takes out the last part'
  )
  await searching(page, () => page.getByRole('button', { name: 'Remove an animal' }).press('Delete'))
  t.match(await page.locator('.summary').innerText(), '75 records')
})

t.test('a picture is dropped, pasted or chosen', async (t) => {
  const page = await open(t)
  const byPicture = await found({ query: { image: { base64: cat } } })
  await searching(page, () => dropPicture(page, { base64: cat, event: 'drop' }))
  t.same(await names(page), byPicture)
  t.match(byPicture[0], /^cat face, score (1\.000|0\.99)/)
  t.ok(
    await page
      .locator('.chip img')
      .evaluate((image: PageElement) => image.decode().then(() => image.naturalWidth > 0)),
    'its chip shows it'
  )
  await page.getByText('the link keeps all else').waitFor()
  await search(page, 'food')
  const both = await found({ query: [{ text: 'food' }, { image: { base64: cat } }] })
  t.same(await names(page), both)
  await page.goBack()
  await settled(page)
  await page.goForward()
  await page.waitForFunction(
    (first) => document.querySelector('.result-open')?.textContent === first,
    both[0].replace(', score ', '')
  )
  t.same(await names(page), both, 'back and forward have the picture still')
  await page.reload()
  await settled(page)
  await page.getByText('not in the link, drop it again').waitFor()
  t.same(await names(page), await found({ query: { text: 'food' } }), 'a new page has the rest')

  await page.goto(url)
  await settled(page)
  await searching(page, () =>
    dropPicture(page, { base64: cat, event: 'paste', target: 'input[type="search"]' })
  )
  t.same(await names(page), byPicture, 'pasted')
  await page.goto(url)
  await settled(page)
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Search by a picture' }).click()
  ])
  await searching(page, () =>
    chooser.setFiles({ name: 'cat.webp', mimeType: 'image/webp', buffer: Buffer.from(cat, 'base64') })
  )
  t.same(await names(page), byPicture, 'chosen')
})

t.test('a large picture is sent no larger than models need, once it is dropped', async (t) => {
  // A browser does not tell of large bodies.
  const keepsBodies =
    'const send = window.fetch; window.sent = []; window.fetch = async (request, ' +
    `...rest) => { if (request.url?.endsWith('/search')) window.sent.push(await ` +
    'request.clone().text()); return send(request, ...rest) }'
  const page = await open(t, '/', { before: (page) => page.addInitScript(keepsBodies) })
  const large = await sharp({ create: { width: 3000, height: 1500, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  await searching(page, () => dropPicture(page, { base64: large.toString('base64'), event: 'drop' }))
  const [sent] = await page.evaluate<string[]>('window.sent')
  const { width, height } = await sharp(
    Buffer.from(JSON.parse(sent).query[0].image.base64, 'base64')
  ).metadata()
  t.same([width, height], [1024, 512])
})

t.test('what is no picture in the end is told', async (t) => {
  const page = await open(t, '/', { expected: /415|422|400/ })
  await dropPicture(page, { base64: Buffer.from('no picture').toString('base64'), event: 'drop' })
  const problem = page.getByRole('alert')
  await problem.waitFor()
  t.match(await problem.innerText(), /image|picture/i)
  t.match(await page.locator('.summary').innerText(), 'No results')
})

t.test('more like a result; pictures, texts or both; exact, and how far that agrees', async (t) => {
  const page = await open(t, '/?q=a+lion')
  const [best] = await found({ query: { text: 'a lion' } })
  const { body } = await api('POST', '/v1/collections/pictures/search', {
    query: { text: 'a lion' },
    limit: 1
  })
  await page.locator('.result').first().hover()
  await searching(page, () =>
    page.getByRole('button', { name: `More like ${best.replace(/, score.*/, '')}` }).click()
  )
  t.same(await names(page), await found({ query: { record: body.matches[0].id } }))
  t.ok(
    await page.locator('.chip img').evaluate((image: PageElement) => image.decode().then(() => true)),
    'its chip shows the record'
  )
  for (const [target, name] of Object.entries({ text: 'Texts', record: 'Both' })) {
    await searching(page, () => page.getByText(name, { exact: true }).click())
    t.same(await names(page), await found({ query: { record: body.matches[0].id }, target }), name)
    t.match(page.url(), `target=${target}`)
  }
  await searching(page, () => page.getByText('Exact', { exact: true }).click())
  t.match(page.url(), /exact=true/)
  t.match(await page.locator('.summary').innerText(), /each of \d+ compared/)
  await page.getByRole('button', { name: 'Compare both' }).click()
  t.match(await page.getByText('agree').innerText(), '10 of the best 10 agree')
  t.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Compare both',
    'the focus is where it was'
  )
  t.ok((await page.locator('.timings dd').allInnerTexts()).every((ms) => /^[\d.,]+$/.test(ms)))
})

t.test('a search that fails leaves what it was asked by, and the way out', async (t) => {
  const page = await open(t, '/', { expected: /422|400/ })
  await page.route('**/search', async (route) => {
    if (route.request().postDataJSON().target !== 'text') return route.continue()
    await route.fulfill({
      status: 422,
      json: {
        error: { code: 'INVALID_QUERY', message: 'There is nothing to compare with.', request_id: 'x' }
      }
    })
  })
  await page.goto(`${url}/?q=a+lion&target=text`)
  await page.getByRole('alert').getByText('There is nothing to compare with.').waitFor()
  t.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0, 'it would fail again')
  await searching(page, () => page.getByText('Pictures', { exact: true }).click())
  t.same(await names(page), await found({ query: { text: 'a lion' } }))
})

t.test('filters by values, numbers and dates', async (t) => {
  const page = await open(t, '/?q=something+to+eat')
  const asideOf = page.getByRole('complementary', { name: 'Filters' })
  await searching(page, () =>
    asideOf
      .getByRole('checkbox', { name: /animals/ })
      .first()
      .check()
  )
  t.same(
    await names(page),
    await found({ query: { text: 'something to eat' }, filter: { group: 'animals' } })
  )
  t.match(await page.locator('.summary').innerText(), /24 records of 72 pass the filter/)
  await searching(page, () => asideOf.getByRole('checkbox', { name: /food/ }).first().check())
  const number = asideOf.getByRole('spinbutton', { name: 'number from' })
  const steps = await page.evaluate(() => history.length)
  await number.pressSequentially('30')
  await searching(page, () => number.press('Enter'))
  t.equal(await page.evaluate(() => history.length), steps + 1, 'typing is heard once it is entered')
  const day = asideOf.getByLabel('added to')
  await day.fill('2026-02-20')
  await searching(page, () => day.blur())
  const filter = {
    $and: [
      { group: { $in: ['animals', 'food'] } },
      { number: { $gte: 30 } },
      { added: { $lte: '2026-02-20T23:59:59.999Z' } }
    ]
  }
  const filtered = await found({ query: { text: 'something to eat' }, filter })
  t.equal(filtered.length, 21, 'records 30 to 50, the last day included')
  t.same(await names(page), filtered)
  await screenshot(page, 'search-filtered')
  await page.reload()
  await settled(page)
  t.same(await names(page), filtered, 'the link has the filters')
  await searching(page, () => page.getByRole('button', { name: 'Remove the filter number from 30' }).click())
  await searching(page, () => page.getByRole('button', { name: 'Clear all' }).click())
  t.same(await names(page), await found({ query: { text: 'something to eat' } }))
  await searching(page, () => page.goto(`${url}/?f=group%3D%5B%22nothing%22%5D`))
  await searching(page, () => page.getByRole('button', { name: 'Clear the filters' }).click())
  t.match(await page.locator('.summary').innerText(), '75 records')
})

t.test('a filter by a name is typed', async (t) => {
  await api('PUT', '/v1/collections/named')
  await api('POST', '/v1/collections/named/records', {
    records: Array.from({ length: 13 }, (_, at) => ({
      id: `${at}`,
      text: `text ${at}`,
      metadata: { name: `item ${at}` }
    }))
  })
  const page = await open(t, '/?c=named')
  await page.getByRole('complementary', { name: 'Filters' }).getByLabel('name is exactly').focus()
  await page.keyboard.type('item 3')
  await searching(page, () => page.keyboard.press('Enter'))
  t.equal(new URL(page.url()).searchParams.get('f'), 'name=["item 3"]')
  t.match(await page.locator('.summary').innerText(), /^1 record/)
})

t.test('a collection that the service still loads is shown as it fills', async (t) => {
  const add = (id: string) =>
    api('POST', '/v1/collections/filling/records', { records: [{ id, text: id, metadata: { kind: id } }] })
  let isReady = false
  await api('PUT', '/v1/collections/filling')
  const pending = () => (isReady ? [] : [{ task: 'demo', progress: 0.5 }])
  const page = await open(t, '/?c=filling', {
    before: (page) =>
      page.route('**/health/ready', (route) => route.fulfill({ json: { pending: pending() } }))
  })
  await page.getByText('This collection is still empty.').waitFor()
  await add('first')
  await page.locator('.result', { hasText: 'first' }).waitFor()
  await add('last')
  isReady = true
  await page.locator('.result', { hasText: 'last' }).waitFor()
  await page.getByRole('complementary', { name: 'Filters' }).getByRole('checkbox', { name: /last/ }).waitFor()
})

t.test('closing a record twice goes back once; another view is told', async (t) => {
  const page = await open(t)
  await page.getByRole('link', { name: 'Collections', exact: true }).click()
  await page.waitForFunction(() => document.activeElement.id === 'view')
  t.equal(await page.locator('#view').getAttribute('aria-label'), 'Collections')
  await page.getByRole('link', { name: 'Search', exact: true }).first().click()
  await page.locator('.result-open').first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Close' }).evaluate((button: PageElement) => {
    button.click()
    button.click()
  })
  await dialog.waitFor({ state: 'hidden' })
  await page.goForward()
  await dialog.getByRole('button', { name: 'More like this' }).waitFor({ timeout: 10_000 })
})

t.test('pictures that the service is too busy for come later', async (t) => {
  const asked: string[] = []
  const refuse = (page: Page) =>
    page.route('**/image?size=thumbnail', (route) => {
      const address = route.request().url()
      asked.push(address)
      return asked.filter((each) => each === address).length > 2
        ? route.continue()
        : route.fulfill({ status: 429, headers: { 'retry-after': '1' } })
    })
  const page = await open(t, '/?q=a+lion', { expected: /429/, before: refuse })
  await page
    .locator('.result-picture img[src^="blob:"]')
    .first()
    .evaluate((image: PageElement) => image.decode())
  t.equal(await page.locator('.no-picture').count(), 0)
})

t.test('a record in full, by the keyboard', async (t) => {
  const page = await open(t, '/?q=a+lion')
  const all = await names(page)
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  t.ok(await box(page).evaluate((each) => each === document.activeElement), '/ leads to the box')
  await page.keyboard.press('ArrowDown')
  const focused = () =>
    page.evaluate(() =>
      [...document.activeElement!.querySelectorAll('.result-name, .result-score')]
        .map((part: PageElement) => part.textContent)
        .join(', score ')
    )
  t.equal(await focused(), all[0])
  await page.keyboard.press('ArrowRight')
  t.equal(await focused(), all[1])
  await page.keyboard.press('ArrowDown')
  const columns = await page
    .locator('.result')
    .evaluateAll(
      (each) =>
        (each as PageElement[]).filter(({ offsetTop }) => offsetTop === (each[0] as PageElement).offsetTop)
          .length
    )
  t.equal(await focused(), all[1 + columns])
  t.equal(await page.locator('.result-open[tabindex="0"]').count(), 1, 'Tab comes to one card alone')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'More like this' }).waitFor()
  t.match(page.url(), /&r=/)
  await dialog.locator('.detail-picture img').evaluate((image: PageElement) => image.decode())
  t.same(await accessibilityProblems(page), [])
  await screenshot(page, 'search-detail')
  await page.keyboard.press('ArrowRight')
  await page.getByRole('dialog', { name: all[2 + columns].replace(/, score.*/, '') }).waitFor()
  const link = page.url()
  const inDialog = () => dialog.evaluate((each: PageElement) => each.contains(document.activeElement))
  await dialog.getByRole('button', { name: 'Copy link' }).focus()
  await page.keyboard.press('ArrowLeft')
  await page
    .getByRole('dialog', { name: all[1 + columns].replace(/, score.*/, '') })
    .getByRole('button', { name: 'Copy link' })
    .waitFor()
  t.ok(await inDialog(), 'the focus stays in it, though what had it is gone')
  await dialog.getByRole('button', { name: 'Result before' }).focus()
  for (let at = columns; at >= 0; at--) {
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: all[at].replace(/, score.*/, '') }).waitFor()
  }
  t.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Result before', 'at the first, too')
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowRight')
  await page.getByRole('dialog', { name: all[1].replace(/, score.*/, '') }).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  t.equal(await focused(), all[1 + columns], 'the focus is back where it was')
  t.match(page.url(), /\?q=a\+lion$/)

  await page.goto(link)
  await dialog.getByRole('button', { name: 'More like this' }).waitFor()
  await searching(page, () => dialog.getByRole('button', { name: 'Away' }).click())
  const id = new URL(link).searchParams.get('r')!
  t.same(
    await names(page),
    await found({ query: [{ text: 'a lion' }, { record: id, weight: -1 }] }),
    'opened by its link, led away from'
  )
  await page.goto(link)
  await searching(page, () => dialog.locator('.metadata-values button').first().click())
  const { group } = (await api('GET', `/v1/collections/pictures/records/${id}`)).body.metadata
  t.same(
    await names(page),
    await found({ query: { text: 'a lion' }, filter: { group } }),
    'a value of its metadata becomes a filter'
  )
  await page.goto(link)
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download' }).click()
  ])
  t.match(saved.suggestedFilename(), /\.webp$/)
})

t.test('accessible in light, dark and on a phone', async (t) => {
  for (const look of ['light', 'dark', 'phone'] as const) {
    for (const [state, link] of Object.entries({
      empty: '/',
      composed: '/?q=fruit&p=-0.5t:red&p=1r:1f431',
      texts: '/?q=cat&target=text&f=group%3D%5B%22notes%22%5D'
    })) {
      const page = await open(t, link, { look })
      t.same(await accessibilityProblems(page), [], `${state}, ${look}`)
      t.ok(
        await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
        `${state}, ${look}: nothing hangs over`
      )
      await screenshot(page, `search-${state}-${look}`)
    }
  }
})

t.test('on a phone the filters are in a drawer', async (t) => {
  const page = await open(t, '/?q=cat', { look: 'phone' })
  await page.getByRole('button', { name: 'Filters' }).tap()
  const drawer = page.getByRole('dialog', { name: 'Filters' })
  await searching(page, () => drawer.getByRole('checkbox', { name: /food/ }).first().check())
  t.same(await accessibilityProblems(page), [])
  await screenshot(page, 'search-drawer-phone')
  await drawer.getByRole('button', { name: 'Show results' }).tap()
  await drawer.waitFor({ state: 'hidden' })
  t.same(await names(page), await found({ query: { text: 'cat' }, filter: { group: 'food' } }))
  await page.getByRole('button', { name: 'Filters (1)' }).waitFor()
})

t.test('another collection is asked the same, without what belongs to the one before', async (t) => {
  await api('PUT', '/v1/collections/other', { model: null, dimension: 2 })
  await api('PUT', '/v1/collections/second')
  const page = await open(
    t,
    `/?${new URLSearchParams([
      ['c', 'pictures'],
      ['q', 'a lion'],
      ['p', '-1t:people'],
      ['p', '1r:1f355'],
      ['f', 'group:x'],
      ['target', 'record']
    ])}`,
    { expected: /./ }
  )
  const asked = () => [...new URL(page.url()).searchParams].map((pair) => pair.join('=')).sort()
  await page.locator('.collection-choice select').selectOption('second')
  t.same(asked(), ['c=second', 'p=-1t:people', 'q=a lion', 'target=record'])
  await page.locator('.collection-choice select').selectOption('other')
  t.same(asked(), ['c=other', 'target=record'], 'words are for a model')
  await page.goBack()
  t.same(asked(), ['c=second', 'p=-1t:people', 'q=a lion', 'target=record'])
})

t.test('collections without records, without a model, and that are not there', async (t) => {
  await api('PUT', '/v1/collections/bare')
  await api('PUT', '/v1/collections/brought', { model: null, dimension: 2 })
  await api('POST', '/v1/collections/brought/records', {
    records: [1, 2, 3].map((n) => ({ id: `v${n}`, text: `vector ${n}`, embeddings: { text: [1, n] } }))
  })
  const page = await open(t, '/?c=bare', { expected: /404/ })
  await page.getByText('This collection is still empty.').waitFor()
  t.equal(await page.getByRole('link', { name: 'Add pictures or texts' }).getAttribute('href'), '/add?c=bare')
  await page.goto(`${url}/?c=brought`)
  await page.getByText('be searched by words or pictures').waitFor()
  t.ok(await box(page).isDisabled())
  await page.locator('.result').first().hover()
  await page.getByRole('button', { name: 'More like vector 1' }).click()
  await page.getByRole('button', { name: 'Look for texts' }).click()
  await page.getByRole('button', { name: /^vector 2/ }).waitFor()
  await api('PUT', '/v1/collections/titled', { model: null, dimension: 2 })
  await api('POST', '/v1/collections/titled/records', {
    records: Array.from({ length: 13 }, (_, n) => ({
      id: `${n}`,
      embeddings: { text: [1, n] },
      metadata: { 'a-b': `title ${n}`, a_b: `name ${n}` }
    }))
  })
  await page.goto(`${url}/?c=titled`)
  await page.getByLabel('a-b is exactly').first().waitFor()
  const lists = await page.locator('datalist').evaluateAll((all: PageElement[]) => all.map(({ id }) => id))
  t.equal(new Set(lists).size, 4, 'two fields offer their values, beside the results and in the drawer')
  await page.goto(`${url}/?c=nowhere`)
  t.match(await page.getByRole('alert').first().innerText(), /nowhere/)
})

t.test(
  'a service with keys: asked for, a wrong one is told, the right one brings pictures, too',
  async (t) => {
    const KEY = 'a-key-for-reading-1'
    const locked = await testServer(t, { API_KEYS: `read:${KEY},admin:a-key-for-loading-1` })
    await loadEmoji((method, path, body, init) =>
      locked.api(method, path, body, { ...init, headers: { authorization: 'Bearer a-key-for-loading-1' } })
    )
    const page = await open(t, '/?q=a+lion', { origin: locked.url, expected: /401/ })
    const prompt = page.getByRole('dialog', { name: 'API key' })
    await prompt.getByText('This service requires an API key.').waitFor()
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'search-key')
    await prompt.getByLabel('Key', { exact: true }).fill('not-the-key-at-all')
    await prompt.getByRole('button', { name: 'Use key' }).click()
    await prompt.getByRole('button', { name: 'Forget it' }).waitFor()
    t.notMatch(await prompt.innerText(), /requires an API key/, 'it says what was wrong')
    await prompt.getByLabel('Key', { exact: true }).fill(KEY)
    await prompt.getByRole('button', { name: 'Use key' }).click()
    await prompt.waitFor({ state: 'hidden' })
    await page.locator('.result-score').first().waitFor()
    await page
      .locator('.result-picture img[src^="blob:"]')
      .first()
      .evaluate((image: PageElement) => image.decode())
    t.notMatch(page.url(), KEY, 'no key in the link')
    await page.waitForLoadState('networkidle')
    t.equal(
      await page.locator('.result-picture img').last().getAttribute('src'),
      null,
      'those that nobody sees yet are not asked for'
    )
    await page.reload()
    await page.locator('.result-score').first().waitFor()
    await page.getByRole('button', { name: 'Change the API key' }).click()
    await prompt.getByRole('button', { name: 'Forget it' }).click()
    await prompt.getByText('This service requires an API key.').waitFor()
    t.equal(
      await page.evaluate(
        () => sessionStorage.getItem('semblance.key') ?? localStorage.getItem('semblance.key')
      ),
      null
    )
    await prompt.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('alert').first().waitFor()
  }
)

t.test('no page had an error, a report of its policy, or asked elsewhere', async (t) =>
  t.same(complaints, [])
)
