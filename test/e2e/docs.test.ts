import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Description } from '../../src/http/docs/code-samples/operation.js'
import { accessibilityProblems, LOOKS, openBrowser, openPage, screenshot } from '../fixtures/browser.js'
import { examplesInOrder } from '../fixtures/examples.js'
import { golden } from '../fixtures/images.js'
import { testServer } from '../fixtures/server.js'

const KEY = 'a-key-for-the-page'

/** Resolves when an image is there; rejects where it is none. */
const DECODED = (image: unknown) => (image as { decode(): Promise<void> }).decode()

/** The section of a call. */
const call = (page: Page, operationId: string) => page.locator(`section[id="${operationId}"]`)

/** Runs a call as it stands; the status of its answer. */
async function run(page: Page, operationId: string): Promise<string> {
  const section = call(page, operationId)
  await section.getByRole('button', { name: 'Run', exact: true }).click()
  const status = section.locator('.answer-line', { hasNotText: 'more to come' }).locator('strong')
  await status.waitFor()
  return status.innerText()
}

t.test('calls are read, run and copied on the page, from this server alone', async (t) => {
  const { url, api } = await testServer(t)
  await api('PUT', '/v1/collections/emoji')
  await api('POST', '/v1/collections/emoji/records', {
    records: [
      {
        id: '1f355',
        text: 'pizza',
        metadata: { group: 'food & drink' },
        image: { base64: (await golden('portrait.jpg')).toString('base64') }
      }
    ]
  })
  const browser = await openBrowser(t)
  const { page, problems } = await openPage(browser, { origin: url })
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url })
  await page.goto(`${url}/docs`)
  await call(page, 'search').waitFor()
  const description = (await api('GET', '/openapi.json')).body as Description
  const operations = examplesInOrder(description)

  t.test('every call of the description is there, with its codes', async (t) => {
    t.same(
      (await page.locator('section.operation').evaluateAll((all) => all.map(({ id }) => id))).sort(),
      operations.map(({ operation }) => operation.operationId).sort()
    )
    const errors = call(page, 'getRecordImage').locator('details', { hasText: /^Errors/ })
    await errors.locator('summary').click()
    await errors.getByText('IMAGE_NOT_KEPT').first().waitFor()
    t.match(await errors.innerText(), /404 IMAGE_NOT_KEPT\s+The record has no image/)
    t.notMatch(await errors.innerText(), /LABELS_INVALID/)
    for (const code of Object.keys(description.components.examples))
      t.equal(await page.locator(`[id="error-${code}"]`).count(), 1, code)
  })

  t.test('a search runs, with the pictures of its matches', async (t) => {
    t.equal(await run(page, 'searchTextToImage'), '200')
    const answer = call(page, 'searchTextToImage').locator('.answer')
    t.match(await answer.innerText(), /"id": "1f355"/)
    const picture = answer.getByRole('img', { name: 'pizza' })
    await picture.evaluate(DECODED)
    await screenshot(page, 'docs-search')
  })

  t.test('what is wrong is said: before it is sent, and what an error means', async (t) => {
    const section = call(page, 'searchTextToImage')
    await section.getByLabel('Body, application/json').fill('{"text": ')
    await section.getByRole('button', { name: 'Run', exact: true }).click()
    t.match(await section.getByRole('alert').innerText(), /not JSON/)
    await section.getByLabel('Body, application/json').fill('{"text": "x", "limit": 1}')
    await section.getByLabel(/^collection/).fill('not-there')
    t.equal(await run(page, 'searchTextToImage'), '404')
    t.match(
      await section.locator('.advice').innerText(),
      /COLLECTION_NOT_FOUND[^]*Create the collection first/
    )
    await section.getByLabel(/^collection/).fill('emoji')
  })

  t.test('a picture is uploaded as a form, and lies there as it was', async (t) => {
    t.equal(await run(page, 'createCollection'), '201')
    const section = call(page, 'upsertRecords')
    await section.getByRole('button', { name: 'multipart/form-data' }).click()
    t.equal(await run(page, 'upsertRecords'), '200', 'the example as it stands')
    await section
      .getByLabel('image')
      .setInputFiles({ name: 'portrait.jpg', mimeType: 'image/jpeg', buffer: await golden('portrait.jpg') })
    await section.getByLabel(/^id /).fill('portrait')
    t.match(
      await section.getByRole('tabpanel').innerText(),
      /image=@portrait\.jpg[^]*id=portrait/,
      'the code follows'
    )
    t.equal(await run(page, 'upsertRecords'), '200')
    t.match(await section.locator('.answer pre').innerText(), /"portrait"[^]*"created"/)
    const kept = await fetch(`${url}/v1/collections/playground/records/portrait/image`)
    t.same(Buffer.from(await kept.arrayBuffer()), await golden('portrait.jpg'))
    await screenshot(page, 'docs-upload')
  })

  t.test('it is copied as curl, TypeScript and Python, as it is written', async (t) => {
    const section = call(page, 'searchTextToImage')
    await section.getByLabel('Body, application/json').fill('{"text": "it\'s a pie", "limit": 2}')
    const expected: [string, RegExp][] = [
      ['curl', /^curl [^]*search\/text-to-image[^]*it'\\''s a pie/],
      ['TypeScript', /from 'semblance\/client'[^]*text: 'it\\'s a pie', limit: 2/],
      ['Python', /^import requests[^]*'text': 'it\\'s a pie'/]
    ]
    for (const [language, code] of expected) {
      await section.getByRole('tab', { name: language }).click()
      await section.getByRole('button', { name: `Copy as ${language}` }).click()
      await section.getByRole('status').filter({ hasText: 'Copied' }).waitFor()
      const copied = await page.evaluate<string>('navigator.clipboard.readText()')
      t.match(copied, code)
      t.ok(copied.includes(url), 'of this service')
    }
    await section.getByRole('tab', { name: 'Python' }).press('ArrowRight')
    t.equal(await section.getByRole('tab', { selected: true }).innerText(), 'curl', 'the keyboard goes round')
    t.equal(await page.evaluate('document.activeElement.textContent'), 'curl')
  })

  t.test('every other example runs as it stands: files, streams and jobs too', async (t) => {
    const done = ['createCollection', 'upsertRecords']
    for (const {
      operation: { operationId }
    } of operations.filter(({ operation }) => !done.includes(operation.operationId))) {
      // Its second body is a file that is to be chosen.
      t.match(await run(page, operationId), /^20/, operationId)
      // Its report is asked for next.
      if (operationId === 'startEvaluation')
        await api('GET', `/v1/jobs/${(await api('GET', '/v1/evaluations')).body.evaluations[0].id}/events`)
    }
    t.match(
      await call(page, 'followJob').locator('.answer pre').innerText(),
      /event: end/,
      'the job that was started here'
    )
    await call(page, 'getRecordImage').getByRole('img').evaluate(DECODED)
    const saved = page.waitForEvent('download')
    await call(page, 'exportEmbeddings').getByRole('link', { name: 'Save emoji-image.npy' }).click()
    const file = await saved
    t.equal(file.suggestedFilename(), 'emoji-image.npy')
    t.equal((await readFile(await file.path())).subarray(1, 6).toString(), 'NUMPY')
  })

  t.test('a call is found by words, and has a link', async (t) => {
    await page.getByRole('searchbox', { name: 'Find a call' }).fill('backup fetch')
    t.same(await page.locator('aside .contents a').allInnerTexts(), ['GET\nFetch a backup'])
    await page.locator('aside .contents a').click()
    t.match(page.url(), /#getBackup$/)
    await page.goto('about:blank')
    await page.goto(`${url}/docs#exportRecords`)
    await call(page, 'exportRecords').waitFor()
    await page.waitForFunction(
      "document.getElementById('exportRecords').getBoundingClientRect().top < innerHeight"
    )
    t.equal(await page.getByRole('link', { name: 'Gallery', exact: true }).getAttribute('href'), '/')
  })

  t.same(
    problems.filter((problem) => !/404/.test(problem)),
    [],
    'no error in the console, no report of the policy, nothing from elsewhere'
  )
})

t.test('a key is asked for where one is needed, and stays out of the code', async (t) => {
  const { url } = await testServer(t, {
    API_KEYS: `admin:${KEY}`,
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip'
  })
  const { page, problems } = await openPage(await openBrowser(t), { origin: url, expected: /401/ })
  await page.goto(`${url}/docs`)
  const section = call(page, 'listModels')
  t.notMatch(await section.getByRole('tabpanel').innerText(), /SEMBLANCE_API_KEY/)
  await section.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'API key' })
  await dialog.getByLabel('Key', { exact: true }).fill(KEY)
  t.same(await accessibilityProblems(page), [])
  await dialog.getByRole('button', { name: 'Use key' }).click()
  await section.locator('.answer').waitFor()
  t.equal(await section.locator('.answer-line strong').innerText(), '200', 'the call goes on with the key')
  t.match(await section.getByRole('tabpanel').innerText(), /Authorization: Bearer \$SEMBLANCE_API_KEY/)
  t.notMatch(await page.content(), KEY)
  t.notMatch(page.url(), KEY)
  t.same(problems, [])
})

t.test('it is for everyone: themes, phone width, keyboard and screen reader', async (t) => {
  const { url } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
  const browser = await openBrowser(t)
  for (const look of ['light', 'dark', 'phone'] as const satisfies (keyof typeof LOOKS)[]) {
    const { page, problems } = await openPage(browser, { origin: url, look, expected: /404/ })
    await page.goto(`${url}/docs`)
    await call(page, 'search').waitFor()
    await screenshot(page, `docs-${look}`)
    t.ok(
      await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
      `${look}: nothing is wider than the screen`
    )
    // All that is folded away, an answer of each kind, and a form.
    await call(page, 'upsertRecords').getByRole('button', { name: 'multipart/form-data' }).click()
    await run(page, 'listModels')
    await run(page, 'searchTextToImage')
    for (const operationId of ['upsertRecords', 'search', 'restoreCollection']) {
      const folded = call(page, operationId).locator('details:not([open]) > summary')
      while ((await folded.count()) > 0) await folded.first().click()
    }
    if (look === 'phone') {
      await page.getByRole('button', { name: 'Calls' }).click()
      await page.locator('.drawer').getByRole('link', { name: 'Errors' }).waitFor()
      t.same(await accessibilityProblems(page), [], 'phone, with the list of calls')
      await screenshot(page, 'docs-phone-calls')
      await page.locator('.drawer').getByRole('link', { name: 'Add or replace records' }).click()
      t.equal(await page.locator('.drawer').count(), 0, 'it closes behind who chose')
    } else {
      await call(page, 'upsertRecords').scrollIntoViewIfNeeded()
      t.same(await accessibilityProblems(page), [], look)
    }
    await screenshot(page, `docs-${look}-upload`)
    t.same(problems, [], look)
    await page.context().close()
  }
})
