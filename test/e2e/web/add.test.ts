import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import {
  accessibilityProblems,
  openBrowser,
  openPage,
  screenshot,
  type LOOKS
} from '../../fixtures/browser.js'
import { dropFiles } from '../../fixtures/drop-files.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

t.test('pictures and texts are added from the gallery', async (t) => {
  const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODEL: 'clip' })
  const browser = await openBrowser(t)
  const open = async (
    path: string,
    { look, expected }: { look?: keyof typeof LOOKS; expected?: RegExp } = {}
  ) => {
    const watched = await openPage(browser, { origin: url, look, expected })
    t.teardown(() => watched.page.context().close())
    await watched.page.goto(url + path)
    return watched
  }
  const ended = (page: Page, text: RegExp) => page.locator('.outcome', { hasText: text }).waitFor()
  const record = async (collection: string, id: string) =>
    (await api('GET', `/v1/collections/${collection}/records/${encodeURIComponent(id)}`)).body
  const picture = async (name: string, colour: string) => ({
    name,
    mimeType: 'image/png',
    buffer: await solid(colour)
  })

  t.test('files, one of them broken, with captions and metadata, into a new collection', async (t) => {
    const { page, problems } = await open('/add')
    await page.evaluate(`{
      const { replaceState } = history
      globalThis.changes = 0
      history.replaceState = (...given) => (globalThis.changes++, replaceState.apply(history, given))
    }`)
    await page.getByLabel('Its name').pressSequentially('Not a name')
    await page.waitForURL(/new=Not/)
    t.ok(await page.evaluate('globalThis.changes < 5'), 'the link does not change with each letter')
    await page.getByText('Small letters, digits').waitFor()
    await page.getByLabel('Its name').fill('holiday')
    await page
      .locator('input[data-kind=files]')
      .setInputFiles([
        await picture('red.png', 'red'),
        { name: 'red.txt', mimeType: 'text/plain', buffer: Buffer.from('a red square\n') },
        await picture('green.png', 'green'),
        { name: 'broken.png', mimeType: 'image/png', buffer: (await solid('blue')).subarray(0, 60) }
      ])
    const start = page.getByRole('button', { name: 'Add 3 pictures to holiday' })
    await page.getByLabel('Metadata for all of them').fill('album=Norway\nyear')
    await page.getByText("'year' is no key=value.").waitFor()
    t.ok(await start.isDisabled(), 'not before the metadata can be read')
    await page.getByLabel('Metadata for all of them').fill('album=Norway\nyear=2024')
    await start.click()
    await ended(page, /2 created, 0 updated, 1 failed/)
    t.match(await record('holiday', 'red.png'), {
      text: 'a red square',
      metadata: { album: 'Norway', year: 2024 },
      modalities: ['image', 'text']
    })
    t.match(await record('holiday', 'green.png'), { text: null, modalities: ['image'] })
    const failed = page.locator('.upload-rows li[data-state=failed]')
    t.equal(await failed.count(), 1)
    t.match(await failed.innerText(), /broken\.png[\s\S]*can't be decoded/, "the service's reason")
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'add-done-light')

    await page.getByRole('button', { name: 'failed 1' }).click()
    t.match(page.url(), /show=failed/, 'what is shown is in the link')
    t.equal(await page.locator('.upload-rows li').count(), 1)
    t.equal(await page.getByRole('link', { name: 'Search holiday' }).getAttribute('href'), '/?c=holiday')
    t.same(problems, [])
  })

  t.test('a folder that is chosen, and the same one dropped: its paths are the ids', async (t) => {
    await api('PUT', '/v1/collections/folders')
    const folder = join(t.testdir(), 'album')
    await mkdir(join(folder, 'sea', 'north'), { recursive: true })
    await writeFile(join(folder, 'top.png'), await solid('navy'))
    await writeFile(join(folder, 'sea', 'north', 'a #1.png'), await solid('teal'))
    await writeFile(join(folder, 'sea', 'north', 'a #1.txt'), 'teal water')
    await writeFile(join(folder, 'list.csv'), 'no,picture')

    const { page, problems } = await open('/add?c=folders')
    await page.locator('input[data-kind=folder]').setInputFiles(folder)
    await page.getByText('Left out: 1 file that is no picture (album/list.csv)').waitFor()
    await page.getByLabel('Keep the folder of each file, too').check()
    await page.getByRole('button', { name: 'Add 2 pictures to folders' }).click()
    await ended(page, /2 created/)
    t.match(await record('folders', 'album/sea/north/a #1.png'), {
      text: 'teal water',
      metadata: { folder: 'album/sea/north' }
    })

    await dropFiles(page.locator('.file-drop'), [folder])
    await page.getByRole('button', { name: 'Add 2 pictures to folders' }).click()
    await ended(page, /0 created, 2 updated, 0 failed/)
    t.match((await api('GET', '/v1/collections/folders')).body, { records: 2 })
    t.same(problems, [])
  })

  t.test('while the service is full it waits, and continues by itself', async (t) => {
    await api('PUT', '/v1/collections/patient')
    const { page, problems } = await open('/add?c=patient', { expected: /429/ })
    let refusals = 0
    await page.route('**/records', async (route) => {
      if (refusals++ > 0) return route.continue()
      await route.fulfill({
        status: 429,
        headers: { 'retry-after': '1' },
        json: {
          error: {
            code: 'QUEUE_FULL',
            message: 'Too many requests are waiting; try again later.',
            request_id: 'x'
          }
        }
      })
    })
    await page.locator('input[data-kind=files]').setInputFiles([await picture('late.png', 'pink')])
    await page.getByRole('button', { name: 'Add 1 picture to patient' }).click()
    await page.getByText('The service is busy').waitFor()
    await ended(page, /1 created/)
    t.equal(refusals, 2)
    t.same(problems, [])
  })

  t.test('thousands of files: few are in the page, and it can be stopped and resumed', async (t) => {
    await api('PUT', '/v1/collections/many')
    const { page, problems } = await open('/add?c=many', { look: 'phone' })
    await page.locator('input[data-kind=files]').waitFor({ state: 'attached' })
    await page.evaluate(`{
      const bytes = new Uint8Array(${JSON.stringify([...(await solid('olive'))])})
      const transfer = new DataTransfer()
      for (let i = 0; i < 3000; i++) transfer.items.add(new File([bytes], i + '.png', { type: 'image/png' }))
      const input = document.querySelector('input[data-kind=files]')
      input.files = transfer.files
      input.dispatchEvent(new Event('change', { bubbles: true }))
    }`)
    const start = page.getByRole('button', { name: 'Add 3,000 pictures to many' })
    await start.waitFor()
    t.ok((await page.locator('.upload-rows li').count()) < 40)
    await start.click()
    await page.locator('.upload-rows li[data-state=created]').first().waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: /^Add [\d,]+ pictures to many/ }).waitFor()
    await page.locator('.upload-rows').evaluate((rows) => (rows.scrollTop = rows.scrollHeight))
    await page.getByText('2999.png').waitFor()
    t.match(
      await page.locator('.upload-rows li', { hasText: '2999.png' }).getAttribute('aria-posinset'),
      '3000'
    )
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'add-many-phone')
    const { records } = (await api('GET', '/v1/collections/many')).body
    t.ok(records > 0 && records < 3000, 'stopped on the way')
    await page.getByRole('button', { name: 'Clear the list' }).click()
    await page.locator('.uploads').waitFor({ state: 'detached' })
    t.same(problems, [])
  })

  t.test('a text by the form', async (t) => {
    await api('PUT', '/v1/collections/words')
    const { page, problems } = await open('/add?c=words&kind=text', { look: 'dark' })
    await page.getByLabel('Text', { exact: true }).fill('a boat at sea')
    await page.getByLabel(/^Id/).fill('boat')
    await page.getByLabel('Metadata').fill('{"kind": "poem"}')
    await page.getByRole('button', { name: 'Add the text to words' }).click()
    await page.getByText('created:').waitFor()
    t.match(await record('words', 'boat'), { text: 'a boat at sea', metadata: { kind: 'poem' } })
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'add-text-dark')
    t.same(problems, [])
  })
})
