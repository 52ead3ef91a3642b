import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import t from 'tap'
import type { Report } from '../../../../src/evaluation/report.js'
import { renderPage } from '../../../../src/evaluation/report/page.js'
import { accessibilityProblems, LOOKS, openBrowser, openPage, screenshot } from '../../../fixtures/browser.js'
import { fullReport, smallReport } from '../../../fixtures/evaluation-report.js'

const HOSTILE =
  `"><script>document.title='owned'</script><img src=x ` + `onerror="document.title='owned'">' onload='x`

/** A report in which all that datasets and models say would like to be markup. */
function hostileReport(): Report {
  const hostile = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) return value.map((entry) => hostile(entry, key))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([name, entry]) => [
          key === 'figures' || key === 'pictures' ? `${name}${HOSTILE}` : name,
          hostile(entry, name)
        ])
      )
    return typeof value === 'string' && !['task', 'level', 'kind', 'format'].includes(key)
      ? `${value}${HOSTILE}`
      : value
  }
  return hostile(fullReport()) as Report
}

t.test('a page in a browser', async (t) => {
  const folder = t.testdir()
  const browser = await openBrowser(t)
  const red = (
    await sharp({ create: { width: 120, height: 90, channels: 3, background: 'red' } })
      .webp()
      .toBuffer()
  ).toString('base64')
  const show = async (report: Report, look: keyof typeof LOOKS = 'light') => {
    const path = join(folder, 'page.html')
    await writeFile(path, renderPage(report))
    const watched = await openPage(browser, { origin: 'file://', look })
    await watched.page.goto(pathToFileURL(path).href)
    return watched
  }

  for (const look of Object.keys(LOOKS) as (keyof typeof LOOKS)[]) {
    t.test(`all that a report can hold, ${look}`, async (t) => {
      const { page, problems } = await show(
        fullReport(() => red),
        look
      )
      t.same(await accessibilityProblems(page), [])
      t.same(problems, [])
      t.equal(
        await page.evaluate('document.documentElement.scrollWidth'),
        LOOKS[look].viewport.width,
        'nothing is wider than the page'
      )
      t.equal(
        await page.evaluate(
          `new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)).size - ` +
            `document.querySelectorAll('[id]').length`
        ),
        0,
        'ids are unique'
      )
      t.equal(
        await page.evaluate(`[...document.images].filter(({ naturalWidth }) => naturalWidth !== 120).length`),
        0,
        'pictures are there'
      )
      await screenshot(page, `evaluation-report-${look}`)
      await page.context().close()
    })
  }

  t.test('what is said is there to be read, and numbers of plots in tables', async (t) => {
    const { page } = await show(fullReport())
    const text = await page.locator('main').innerText()
    t.match(text, 'Does not tell word order: 48\u00a0% [40,\u00a056], chance 50\u00a0% (scenes)')
    t.match(text, /65\.2\u00a0% \[61\.2,\u00a069\.2\]/)
    const firstFlag = await page.locator('.flag').first().innerText()
    t.equal(
      firstFlag,
      'Warning Captions from the prior alone do well: the dataset leaks its answers. photos, blind baselines'
    )
    await page.getByText('Numbers of this plot').first().click()
    t.equal(await page.getByRole('row', { name: /^10 / }).first().isVisible(), true)
    const reliability = page.getByRole('img', { name: 'Reliability', exact: false })
    t.match(await reliability.first().locator('desc').textContent(), 'accuracy by confidence')
    t.equal(
      await page.locator('#repeat pre').textContent(),
      fullReport().command,
      'the command can be copied'
    )
    t.equal(
      await page.getByRole('rowheader', { name: 'Robustness (grey) top-1 drop' }).count(),
      1,
      'a figure that is alone in its group has one line'
    )
    t.equal(
      await page.locator('#d2-robustness').getByRole('columnheader', { name: 'Chance' }).count(),
      0,
      'and where no figure has chance there is no column for it'
    )
    t.equal(await page.getByRole('columnheader', { name: 'outwear' }).first().isVisible(), true)
    await page.context().close()
  })

  t.test('the figures of one model fit a phone', async (t) => {
    const report = smallReport()
    report.datasets[0].results[0].tasks[0].figures['text_to_image.recall@1'] = {
      value: 1,
      low: 1,
      high: 1,
      items: 1500,
      chance: 1
    }
    report.datasets[0].results[0].tasks.push({
      task: 'zero-shot',
      figures: {
        'zero_shot[imagenet-7].ensembling_gain': { value: 0.012, low: 0.004, high: 0.021, items: 1500 },
        'zero_shot[imagenet-7].top1': { value: 0.321, low: 0.293, high: 0.339, items: 1500, chance: 0.111 }
      },
      flags: [],
      method: []
    })
    const { page } = await show(report, 'phone')
    t.same(
      await page.evaluate(
        `[...document.querySelectorAll('.scroll')].filter(({ scrollWidth, clientWidth }) => ` +
          `scrollWidth > clientWidth).map((region) => region.getAttribute('aria-label'))`
      ),
      []
    )
    await page.context().close()
  })

  t.test('nothing that datasets or models say is markup', async (t) => {
    const { page, problems } = await show(hostileReport())
    t.not(await page.title(), 'owned')
    t.equal(await page.locator('script, [onerror], [onload], img[src="x"]').count(), 0)
    t.same(problems, [])
    t.match(await page.locator('h1').innerText(), `mini${HOSTILE}`)
    await page.context().close()
  })

  t.test('many labels are a picture, more still are the pairs most often confused', async (t) => {
    const withLabels = (count: number) => {
      const report = smallReport()
      const labels = Array.from({ length: count }, (_, i) => `label ${i}`)
      report.datasets[0].results[0].tasks[0].confusion = {
        labels,
        counts: labels.map((_, i) => labels.map((_, j) => (i === j ? 5 : (i + 1) % count === j ? 2 : 0)))
      }
      return report
    }
    const drawn = await show(withLabels(60))
    t.equal(await drawn.page.locator('.matrix rect').count(), 120)
    await drawn.page.context().close()
    const listed = await show(withLabels(400))
    t.equal(await listed.page.locator('.matrix').count(), 0)
    t.equal(await listed.page.getByRole('row', { name: 'label 0 label 1 2 29' }).count(), 1)
    await listed.page.context().close()
  })
})

t.test('a page has a bound: pictures beyond it are named only', async (t) => {
  const large = 'A'.repeat(2 ** 20)
  const page = renderPage(fullReport(() => large))
  t.ok(page.length < 9 * 2 ** 20, String(page.length))
  t.match(page, '<span class="none">photos/')
})

t.test('embeddings that were made before are named and judged where no model is', async (t) => {
  const report = smallReport()
  report.models = []
  report.datasets[0].results[0].model = 'embeddings'
  const page = renderPage(report)
  t.match(page, '<h1>Evaluation of embeddings</h1>')
  t.match(page, 'What it can do')
})

t.test('a report of nothing is a page too', async (t) => {
  const report = smallReport()
  t.match(renderPage({ ...report, datasets: [] }), 'Evaluation of mini')
  report.datasets[0].results[0].tasks[0] = {
    task: 'retrieval',
    figures: { 'text_to_image.recall@1': { value: NaN, low: NaN, high: NaN, items: 0 } },
    plots: [{ title: 'Empty', x: 'k', y: 'recall', curves: [{ name: 'a', points: [] }] }],
    flags: [],
    method: []
  }
  t.match(renderPage(report), 'Empty')
})
