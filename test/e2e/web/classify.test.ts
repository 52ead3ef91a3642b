import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import {
  accessibilityProblems,
  openBrowser,
  openPage,
  screenshot,
  type LOOKS
} from '../../fixtures/browser.js'
import { dropFiles } from '../../fixtures/drop-files.js'
import { form } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const PICTURE = 'test/fixtures/towers/images/wide.png'

interface Score {
  label: string
  score: number
  similarity: number
}

/** What pastes lines into the field of labels. */
const pasting = (lines: string[]) => `{
  const clipboardData = new DataTransfer()
  clipboardData.setData('text', ${JSON.stringify(lines.join('\n'))})
  const field = document.querySelector('[aria-label="Add a label"]')
  field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
}`

t.test('a picture is classified in the gallery, live', async (t) => {
  const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip,openclip' })
  const browser = await openBrowser(t)
  const bytes = await readFile(PICTURE)
  const open = async (
    path: string,
    { look, expected }: { look?: keyof typeof LOOKS; expected?: RegExp } = {}
  ) => {
    const watched = await openPage(browser, { origin: url, look, expected })
    t.teardown(() => watched.page.context().close())
    await watched.page.goto(url + path)
    return watched
  }
  /** The rows that the API's answer makes. */
  const expectedRows = async (asked: {
    labels: unknown[]
    templates?: unknown
    multi_label?: boolean
    model?: string
  }) => {
    const { body } = await api('POST', '/v1/zero-shot', {
      image: { base64: bytes.toString('base64') },
      ...asked
    })
    return body.labels.map(({ label, score, similarity }: Score) => [
      label,
      `${(score * 100).toFixed(1)}%`,
      similarity.toFixed(3)
    ])
  }
  const rowsOf = (page: Page): Promise<string[][]> =>
    page.evaluate(
      `[...document.querySelectorAll('.score-chart tbody tr')].map((row) => ` +
        `[...row.querySelectorAll('th, td.number')].map((cell) => cell.textContent))`
    )
  /** Waits until the chart says what the API says. */
  const shows = async (t: Test, page: Page, asked: Parameters<typeof expectedRows>[0], message: string) => {
    const expected = await expectedRows(asked)
    const text = JSON.stringify(expected)
    for (let waited = 0; JSON.stringify(await rowsOf(page)) !== text && waited < 10_000; waited += 50)
      await page.waitForTimeout(50)
    t.same(await rowsOf(page), expected, message)
  }
  const type = (page: Page) => page.getByLabel('Add a label')
  await api('PUT', '/v1/collections/pictures')
  await api(
    'POST',
    '/v1/collections/pictures/records',
    form([
      ['id', 'wide/1'],
      ['image', bytes]
    ])
  )
  await api('POST', '/v1/collections/pictures/records', {
    records: ['red', 'blue'].map((kind) => ({ text: `a ${kind} thing`, metadata: { kind } }))
  })

  t.test('labels come and go, and the bars follow', async (t) => {
    const { page, problems } = await open('/classify')
    t.same(await accessibilityProblems(page), [])
    await dropFiles(page.locator('.drop'), [resolve(PICTURE)])
    await type(page).fill('red')
    await type(page).press('Enter')
    await shows(t, page, { labels: ['red'] }, 'one label wins by itself')
    await type(page).pressSequentially('blue,green,red,')
    await shows(
      t,
      page,
      { labels: ['red', 'blue', 'green'] },
      'commas end labels; what is there is not there twice'
    )
    t.match(await page.locator('.softmax-note').innerText(), /always sum to 100%/)

    await page.getByRole('button', { name: 'Remove blue' }).click()
    await shows(t, page, { labels: ['red', 'green'] }, 'one is taken away')
    await page.getByRole('button', { name: 'red', exact: true }).click()
    await page.getByRole('textbox', { name: 'Label', exact: true }).fill('green')
    await page.getByRole('textbox', { name: 'Label', exact: true }).blur()
    await page.getByText('That label is there already.').waitFor()
    await page.getByRole('textbox', { name: 'Label', exact: true }).fill('crimson')
    await page.getByLabel(/^Its own prompts/).fill('a red square\nsomething red')
    await shows(
      t,
      page,
      { labels: [{ label: 'crimson', prompts: ['a red square', 'something red'] }, 'green'] },
      'a label has a name and prompts of its own'
    )
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('button', { name: 'Add “none of these”' }).click()
    await page.locator('.score-chart tbody tr').nth(2).waitFor()
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'classify-live-light')
    t.same(problems, [])
  })

  t.test(
    'a record in the link, templates, each label on its own, another model: all of it in the link',
    async (t) => {
      const { page, problems } = await open('/classify?c=pictures&record=wide%2F1&label=red&label=blue', {
        look: 'dark'
      })
      const labels = ['red', 'blue']
      await shows(t, page, { labels }, 'a link is enough')
      await page.getByLabel('Templates').selectOption('imagenet-7')
      await shows(t, page, { labels, templates: 'imagenet-7' }, 'a set by name')
      await page.getByLabel('Templates').selectOption('own')
      await page.getByLabel(/^One a line/).fill('the colour {label}\na {label} thing')
      await shows(t, page, { labels, templates: ['the colour {label}', 'a {label} thing'] }, 'own templates')
      await page.getByLabel('Score each label on its own').check()
      await shows(
        t,
        page,
        { labels, templates: ['the colour {label}', 'a {label} thing'], multi_label: true },
        'each on its own'
      )
      await page.getByText('Each label stands on its own').waitFor()
      await page.getByLabel(/^Model/).selectOption('openclip')
      const asked = {
        labels,
        templates: ['the colour {label}', 'a {label} thing'],
        multi_label: true,
        model: 'openclip'
      }
      await shows(t, page, asked, 'another model')
      await page.reload()
      await shows(t, page, asked, 'the link has all of it')
      t.same(await accessibilityProblems(page), [])
      await screenshot(page, 'classify-own-dark')
      t.same(problems, [])
    }
  )

  t.test('labels that no link can carry stay in the tab', async (t) => {
    const { page, problems } = await open('/classify?c=pictures')
    const paste = (lines: string[]) => page.evaluate(pasting(lines))
    const labels = page.locator('.label-chip')
    await page.getByLabel('Add a label', { exact: true }).waitFor()
    await paste(Array.from({ length: 1000 }, (_, i) => `a picture of the number ${i}`))
    await page.getByText('The query is too long for a link').waitFor()
    t.ok(page.url().length < 8200, `${page.url().length} characters`)
    t.equal((await page.reload())?.status(), 200)
    await labels.first().waitFor()
    t.equal(await labels.count(), 1000, 'loaded again')
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Map' }).click()
    await page.goBack()
    await labels.first().waitFor()
    t.equal(await labels.count(), 1000, 'and gone back to')
    await page.getByRole('button', { name: 'Remove all' }).click()
    await paste(['red', 'blue'])
    await page.waitForURL(/label=red&label=blue/)
    t.equal(await page.getByText('The query is too long for a link').count(), 0)
    t.same(problems, [])
  })

  t.test('many labels are pasted; what the service refuses is said', async (t) => {
    const { page, problems } = await open('/classify?c=pictures', { look: 'phone', expected: /422/ })
    await page.getByRole('button', { name: 'wide/1' }).click()
    t.match(page.url(), /record=wide%2F1/)
    const many = Array.from({ length: 60 }, (_, i) => `label ${i}`)
    await page.getByLabel('Add a label', { exact: true }).waitFor()
    await page.evaluate(pasting(many))
    await page.getByRole('button', { name: 'All 60 labels' }).click()
    await shows(t, page, { labels: many }, 'each line a label')
    await page.getByLabel('Templates').selectOption('own')
    await page.getByLabel(/^One a line/).fill('no place for it')
    await page
      .getByText("The template 'no place for it' has no {label}; add it where the label goes.")
      .waitFor()
    t.same(await accessibilityProblems(page), [])
    await screenshot(page, 'classify-refused-phone')
    await page.getByLabel(/^One a line/).fill('a {label}')
    await shows(t, page, { labels: many, templates: ['a {label}'] }, 'and mended')
    await page.getByRole('button', { name: 'Remove all' }).click()
    await page.getByRole('button', { name: 'The values of kind' }).click()
    await shows(
      t,
      page,
      { labels: ['red', 'blue'], templates: ['a {label}'] },
      "the collection's metadata has labels"
    )
    await api('PUT', '/v1/collections/another')
    await page.reload()
    await page.locator('.collection-choice select').selectOption('another')
    await page.locator('.label-chip').nth(1).waitFor()
    const { searchParams: kept } = new URL(page.url())
    t.same(
      [kept.get('c'), kept.get('record'), kept.getAll('label').sort(), kept.getAll('template')],
      ['another', null, ['blue', 'red'], ['a {label}']],
      'another collection is asked the same'
    )
    t.same(problems, [])
  })
})
