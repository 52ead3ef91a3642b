import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeCard } from '../../../src/evaluation/report/card.js'
import { markdown } from '../../../src/evaluation/report/markdown.js'
import type { Report } from '../../../src/evaluation/report.js'
import { fullReport, smallReport } from '../../fixtures/evaluation-report.js'

async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = ['README.md', ...(await readdir(join(folder, 'card'))).sort().map((name) => `card/${name}`)]
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'base64')])))
}

/** Each picture its own bytes. */
const pictured = () => fullReport((id) => Buffer.from(`picture of ${id}`).toString('base64'))

t.test('cards', async (t) => {
  const root = t.testdir()

  t.test('a card says what the first model can and cannot do, with figures, plots and pictures', async (t) => {
    const folder = join(root, 'new')
    await writeCard(pictured(), folder, { title: 'The *small* one' })
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.match(text, /^# The \\\*small\\\* one\n/)
    t.match(text, '- has the image of a caption among the first 10: 65 % \\[61, 69\\], chance 6 % (photos)')
    t.match(text, /\*\*What it can’t do\*\*\n\n[^#]*- does not tell word order: 48 % \\\[40, 56\\\], chance 50 % \(scenes\)/)
    t.match(text, '- **Warning** (blind baselines): Captions from the prior alone do well')
    t.match(text, '| Retrieval | Text to image: recall@1 | 23.4 % | [19.4, 27.4] | 0.6 % | 795 |')
    t.notMatch(text, 'clip-vit-base-patch32')
    const shown = [...text.matchAll(/src="(card\/[^"]+)"/g)].map(([, path]) => path)
    t.ok(shown.length > 10)
    for (const path of shown) await t.resolves(readFile(join(folder, path)), path)
    t.same((await readdir(join(folder, 'card'))).sort(), [...new Set(shown)].map((path) => path.slice(5)).sort(), 'and nothing else')
  })

  t.test('the same report gives the same files, whatever was there', async (t) => {
    const [first, second] = [join(root, 'first'), join(root, 'second')]
    await writeCard(pictured(), first)
    await writeCard(smallReport(), second)
    await writeCard(pictured(), second)
    t.strictSame(await filesOf(second), await filesOf(first))
  })

  t.test('text around the marks stays, and pictures of others too', async (t) => {
    const folder = join(root, 'kept')
    await mkdir(join(folder, 'card'), { recursive: true })
    await writeFile(join(folder, 'card', 'My Own.png'), 'x')
    await writeFile(join(folder, 'card', 'old.svg'), 'x')
    await writeFile(join(folder, 'README.md'), '# mini\n\nBefore $& it.\n\n<!-- evaluation -->\nold\n<!-- /evaluation -->\n\nAfter it.\n')
    await writeCard(smallReport(), folder)
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.match(text, /^# mini\n\nBefore \$& it\.\n\n<!-- evaluation -->\n## What[^]*\n<!-- \/evaluation -->\n\nAfter it\.\n$/)
    t.notMatch(text, '\nold')
    t.same(await readdir(join(folder, 'card')), ['My Own.png'])
  })

  t.test('pictures of datasets that may not be passed on are named only', async (t) => {
    const folder = join(root, 'without')
    await writeCard(pictured(), folder, { pictures: [] })
    t.same((await readdir(join(folder, 'card'))).filter((name) => name.endsWith('.webp')), [])
    t.match(await readFile(join(folder, 'README.md'), 'utf8'), 'photos/0.jpg')
  })

  t.test('what datasets say is text in a card, and the card is an SVG of its own', async (t) => {
    const report: Report = pictured()
    const task = report.datasets[0].results[0].tasks[0]
    task.worst![0].queries[0].query = { text: '<script>alert(1)</script> | ![x](http://evil) @someone `code`\n# head' }
    task.plots![0].title = '</title><script>alert(1)</script>'
    const folder = join(root, 'hostile')
    await writeCard(report, folder)
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.notMatch(text, /<script|http:\/\/evil|!\[x|\n# head| @someone/)
    t.match(text, '“&lt;script\\>alert(1)&lt;/script\\> \\| \\!\\[x\\](http&#58;//evil) &#64;someone \\`code\\` # head”')
    for (const name of (await readdir(join(folder, 'card'))).filter((name) => name.endsWith('.svg'))) t.notMatch(await readFile(join(folder, 'card', name), 'utf8'), '<script')
  })
})

t.test('text is shown as it is in Markdown', async (t) => {
  t.equal(markdown('1. a *b* _c_ [d] e|f <g> &amp; www.h.i'), '1\\. a \\*b\\* \\_c\\_ \\[d\\] e\\|f &lt;g\\> &amp;amp; www&#46;h.i')
  t.equal(markdown('- x'), '\\- x')
})
