import { chromium } from 'playwright-core'
import t from 'tap'
import { testServer } from '../fixtures/server.js'

t.test('the docs page works in a browser, from this server alone', async (t) => {
  const { url, api } = await testServer(t)
  await api('PUT', '/v1/collections/emoji')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const problems: string[] = []
  const requested: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('request', (request) => requested.push(request.url()))
  await page.goto(`${url}/docs`)
  await page.locator('.opblock').first().waitFor()
  const { body: document } = await api('GET', '/openapi.json')
  const operations = Object.values(document.paths as object).flatMap((methods) => Object.keys(methods))
  t.equal(await page.locator('.opblock').count(), operations.length)

  const operation = page.locator('#operations-Search-searchTextToImage')
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const status = operation.locator('.live-responses-table tbody .response-col_status').first()
  await status.waitFor()
  t.match(await status.innerText(), /200/, 'its example runs as it stands')

  t.same(problems, [], 'no error in the console, no CSP report')
  t.same(requested.filter((address) => !address.startsWith(url) && !address.startsWith('data:')), [], 'nothing from elsewhere')
})
