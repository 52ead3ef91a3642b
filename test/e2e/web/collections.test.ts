import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import { accessibilityProblems, LOOKS, openBrowser, openPage, screenshot } from '../../fixtures/browser.js'
import { form, solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const ADMIN = 'admin-key-of-this-test'
const READ = 'read-key-of-this-test'
const RECORDS = 4096

t.test('collections are managed from the gallery', async (t) => {
  const dataDir = t.testdir()
  const shared = { DATA_DIR: dataDir, MODELS_DIR: 'test/fixtures/towers' }
  // A collection whose model is not loaded any more.
  const earlier = await testServer(t, { ...shared, MODEL: 'siglip' })
  await earlier.api('PUT', '/v1/collections/earlier')
  await earlier.close()

  const { url, api: call } = await testServer(t, {
    ...shared,
    MODELS: 'clip,openclip',
    API_KEYS: `admin:${ADMIN},read:${READ}`
  })
  const api = (method: string, path: string, body?: unknown) =>
    call(method, path, body, { headers: { authorization: `Bearer ${ADMIN}` } })
  const browser = await openBrowser(t)
  const open = async (
    path: string,
    { look, key, expected }: { look?: keyof typeof LOOKS; key?: string; expected?: RegExp } = {}
  ) => {
    const watched = await openPage(browser, { origin: url, look, expected })
    t.teardown(() => watched.page.context().close())
    if (key) await watched.page.addInitScript(`sessionStorage.setItem('semblance.key', '${key}')`)
    await watched.page.goto(url + path)
    return watched
  }
  const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
  await api('PUT', '/v1/collections/pictures')
  await api(
    'POST',
    '/v1/collections/pictures/records',
    form([
      ['id', 'red'],
      ['text', 'red'],
      ['image', await solid('red')]
    ])
  )

  t.test('the key is asked for; one that is too narrow is rejected with a way out', async (t) => {
    const { page, problems } = await open('/collections', { expected: /40[13]/ })
    await page.getByLabel('Key', { exact: true }).fill(READ)
    await page.getByRole('button', { name: 'Use key' }).click()
    await page.getByRole('button', { name: 'New collection' }).click()
    t.match(page.url(), /do=create/, 'the form has a link')
    const dialog = page.getByRole('dialog', { name: 'New collection' })
    await dialog.getByLabel('Name').fill('pictures')
    await dialog.getByText("There is a collection 'pictures' already.").waitFor()
    await dialog.getByLabel('Name').fill('made-here')
    await dialog.getByLabel('Model').selectOption('openclip')
    await dialog.getByLabel(/What is kept/).selectOption('thumbnail')
    await dialog.getByText('HNSW settings').click()
    await dialog.getByLabel(/^ef_search/).fill('64')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByText('The API key has the scope read; this request needs the scope admin.').waitFor()
    t.same(await accessibilityProblems(page), [])
    await dialog.getByRole('button', { name: 'Use another key' }).click()
    await page.getByLabel('Key', { exact: true }).fill(ADMIN)
    await page.getByRole('button', { name: 'Use key' }).click()
    await page.getByRole('article', { name: 'made-here' }).waitFor()
    t.match((await api('GET', '/v1/collections/made-here')).body, {
      model: 'openclip',
      storage: 'thumbnail',
      hnsw: { m: 16, ef_search: 64 }
    })
    t.match(page.url(), /c=made-here/)
    t.same(problems, [])
  })

  t.test('settings, snapshot, backup and its download, removal, export', async (t) => {
    const { page, problems } = await open('/collections?c=pictures', { key: ADMIN, look: 'dark' })
    const settings = section(page, 'Settings')
    await settings.getByLabel(/^ef_search/).fill('99')
    await settings.getByRole('button', { name: 'Save' }).click()
    await page.getByText('ef_search 99').waitFor()
    t.equal(await page.evaluate('document.activeElement.textContent'), 'Save', 'the focus is where it was')
    t.match((await api('GET', '/v1/collections/pictures')).body, {
      hnsw: { ef_search: 99 },
      storage: 'original'
    })

    await section(page, 'Snapshots').getByRole('button', { name: 'Snapshot now' }).click()
    await section(page, 'Snapshots')
      .getByText(/image: 1 record in \d+ ms, text: 1 record/)
      .waitFor()
    const { snapshots } = (await api('GET', '/v1/collections/pictures')).body
    t.same(snapshots.map(({ modality }: { modality: string }) => modality).sort(), ['image', 'text'])
    t.equal(await section(page, 'Snapshots').locator('time').count(), 2, 'with their times')

    const backups = section(page, 'Backups')
    await backups.getByLabel('Name of the backup').fill('before')
    await backups.getByRole('button', { name: 'Make a backup' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      backups.getByRole('button', { name: 'Download before' }).click()
    ])
    t.equal(download.suggestedFilename(), 'pictures-before.sqlite')
    t.equal((await readFile(await download.path())).subarray(0, 15).toString(), 'SQLite format 3')
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'collections-dark')
    await backups.getByRole('button', { name: 'Delete before' }).click()
    await backups.getByRole('button', { name: 'Really delete' }).click()
    await backups.getByText('None was made yet.').waitFor()
    t.same((await api('GET', '/v1/collections/pictures/backups')).body, { backups: [] })

    const [exported] = await Promise.all([
      page.waitForEvent('download'),
      section(page, 'Export').getByRole('button', { name: 'Records', exact: true }).click()
    ])
    t.match(JSON.parse(await readFile(await exported.path(), 'utf8')), { id: 'red', text: 'red' })
    t.same(problems, [])
  })

  t.test('another model is flagged, with re-indexing as the way out', async (t) => {
    const { page, problems } = await open('/collections?c=earlier', { key: ADMIN })
    await page
      .getByText(
        "The model 'siglip' that this collection was made with is not loaded (loaded: clip, openclip)."
      )
      .waitFor()
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'collections-mismatch-light')
    await section(page, 'Re-index').getByRole('button', { name: 'Re-index' }).click()
    await section(page, 'Re-index')
      .getByText(/Done with clip/)
      .waitFor()
    await page.getByText('is not loaded').waitFor({ state: 'detached' })
    t.match((await api('GET', '/v1/collections/earlier')).body, { model: 'clip' })
    t.same(problems, [])
  })

  t.test('re-indexing is followed, found again after a reload, and cancelled', async (t) => {
    await api('PUT', '/v1/collections/many')
    for (let start = 0; start < RECORDS; start += 256) {
      await api('POST', '/v1/collections/many/records', {
        records: Array.from({ length: 256 }, (_, i) => ({
          id: `${start + i}`,
          text: `picture number ${start + i}`
        }))
      })
    }
    const { page, problems } = await open('/collections?c=many', { key: ADMIN, look: 'phone' })
    const reindex = section(page, 'Re-index')
    await reindex.getByLabel('Model').selectOption('openclip')
    await reindex.getByRole('button', { name: 'Re-index' }).click()
    await reindex.getByRole('button', { name: 'Cancel' }).waitFor()
    await page.reload()
    await reindex
      .getByText(new RegExp(`With openclip: [1-9][\\d,]* of ${RECORDS.toLocaleString('en')} records`))
      .waitFor()
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'collections-reindex-phone')
    await reindex.getByText(/Done with openclip/).waitFor()
    t.match((await api('GET', '/v1/collections/many')).body, { model: 'openclip', records: RECORDS })

    await reindex.getByLabel('Model').selectOption('clip')
    await reindex.getByRole('button', { name: 'Re-index' }).click()
    await reindex.getByRole('button', { name: 'Cancel' }).click()
    await reindex.getByText(/Cancelled with clip/).waitFor()
    t.match((await api('GET', '/v1/collections/many')).body, { model: 'openclip' }, 'it stays as it was')
    t.same(problems, [])
  })

  t.test('of many jobs one is followed, and none once the view is left', async (t) => {
    const { page } = await open('/', { key: ADMIN })
    const job = (collection: string, at: number) => ({
      id: `00000000-0000-4000-8000-00000000000${at}`,
      kind: 'reindex',
      collection,
      model: 'clip',
      state: 'running',
      progress: { done: at, total: 10 },
      missing: { count: 0, records: [] },
      error: null,
      ended_at: null
    })
    const running = ['many', 'a', 'b', 'pictures', 'd', 'e', 'f', 'g'].map(job)
    await page.route('**/v1/jobs', (route) => route.fulfill({ json: { jobs: running } }))
    const followed: string[] = []
    // Nothing happens for long.
    await page.route('**/v1/jobs/*/events', (route) => void followed.push(route.request().url()))
    await page.goto(`${url}/collections?c=pictures`)
    await section(page, 'Re-index').getByText('3 of 10 records').waitFor()
    running[3] = { ...running[3], progress: { done: 4, total: 10 } }
    await section(page, 'Re-index').getByText('4 of 10 records').waitFor()
    t.same(
      followed.map((link) => link.split('/').at(-2)),
      [running[3].id],
      'the others are asked for all at once'
    )
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'))
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Search' }).click()
    await ended
  })

  t.test('late answers change neither what is shown nor the view that one went to', async (t) => {
    const { page, problems } = await open('/', { key: ADMIN })
    await page.getByRole('link', { name: 'Collections', exact: true }).click()
    await page.getByRole('article').waitFor()
    let letGo = () => {}
    const held = new Promise<void>((resolve) => (letGo = resolve))
    await page.route('**/v1/collections/late', async (route) =>
      route.request().method() === 'PUT' ? held.then(() => route.continue()) : route.continue()
    )
    await page.getByRole('button', { name: 'New collection' }).click()
    const dialog = page.getByRole('dialog', { name: 'New collection' })
    await dialog.getByLabel('Name').fill('late')
    const [asked] = await Promise.all([
      page.waitForRequest((request) => request.method() === 'PUT'),
      dialog.getByRole('button', { name: 'Create' }).click()
    ])
    await page.goBack()
    await dialog.waitFor({ state: 'detached' })
    letGo()
    await asked.response()
    await page.locator('.collection-choice option[value="late"]').waitFor({ state: 'attached' })
    t.equal(new URL(page.url()).pathname, '/')

    // The first list of collections, as it was, comes after that which has the new one.
    let comeIn = () => {}
    const slow = new Promise<void>((resolve) => (comeIn = resolve))
    await page.route(
      '**/v1/collections',
      async (route) => {
        const response = await route.fetch()
        await slow
        await route.fulfill({ response })
      },
      { times: 1 }
    )
    await page.goto(`${url}/collections?do=create`)
    await dialog.getByLabel('Name').fill('later')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('article', { name: 'later' }).waitFor()
    const first = page.waitForResponse((response) => response.url().endsWith('/v1/collections'))
    comeIn()
    await (await first).finished()
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
    t.equal(await page.locator('.collection-choice option[value="later"]').count(), 1)
    t.same(problems, [])
  })

  t.test('a collection is dropped once its name was typed', async (t) => {
    await api('PUT', '/v1/collections/short-lived')
    const { page, problems } = await open('/collections?c=short-lived', { key: ADMIN })
    await page.getByRole('button', { name: 'Drop short-lived' }).click()
    const dialog = page.getByRole('dialog', { name: 'Drop short-lived' })
    await dialog.getByLabel('Type its name').fill('short')
    t.ok(await dialog.getByRole('button', { name: 'Drop it' }).isDisabled())
    t.same(await accessibilityProblems(page), [])
    await dialog.getByLabel('Type its name').fill('short-lived')
    await dialog.getByRole('button', { name: 'Drop it' }).click()
    await dialog.waitFor({ state: 'detached' })
    t.equal((await api('GET', '/v1/collections/short-lived')).status, 404)
    await page
      .getByRole('navigation', { name: 'Collections' })
      .getByText('short-lived')
      .waitFor({ state: 'detached' })
    t.same(problems, [])
  })
})
