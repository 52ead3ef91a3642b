import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { markdown, writeCard } from '../../../../src/evaluation/report/card.js'
import type { Report } from '../../../../src/evaluation/report.js'
import { fullReport, smallReport } from '../../../fixtures/evaluation-report.js'
import { inSequence } from '../../../fixtures/pattern.js'

async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = ['README.md', ...(await readdir(join(folder, 'card'))).sort().map((name) => `card/${name}`)]
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'base64')]))
  )
}

/** Each picture its own bytes. */
const pictured = () => fullReport((id) => Buffer.from(`picture of ${id}`).toString('base64'))

t.test('cards', async (t) => {
  const root = t.testdir()

  t.test(
    'a card says what the first model can and cannot do, with figures, plots and pictures',
    async (t) => {
      const folder = join(root, 'new')
      await writeCard(pictured(), folder, { title: 'The *small* one' })
      const text = await readFile(join(folder, 'README.md'), 'utf8')
      t.match(text, /^# The \\\*small\\\* one\n/)
      t.match(text, '- has the image of a caption among the first 10: 65 % \\[61, 69\\], chance 6 % (photos)')
      t.match(
        text,
        inSequence(
          /\*\*What it can’t do\*\*\n\n[^#]*/,
          /- does not tell word order: 48 % \\\[40, 56\\\], chance 50 % \(scenes\)/
        )
      )
      t.match(text, '- **Warning** (blind baselines): Captions from the prior alone do well')
      t.match(text, '| Retrieval | Text to image: recall@1 | 23.4 % | [19.4, 27.4] | 0.6 % | 795 |')
      t.notMatch(text, 'clip-vit-base-patch32')
      const shown = [...text.matchAll(/src="(card\/[^"]+)"/g)].map(([, path]) => path)
      t.ok(shown.length > 10)
      for (const path of shown) await t.resolves(readFile(join(folder, path)), path)
      t.same(
        (await readdir(join(folder, 'card'))).sort(),
        [...new Set(shown)].map((path) => path.slice(5)).sort(),
        'and nothing else'
      )
    }
  )

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
    for (const name of ['old.svg', 'also-shown-below.svg', 'drawn-by-hand.svg', 'photo.webp'])
      await writeFile(join(folder, 'card', name), 'x')
    const own = 'After it. <img src="card/also-shown-below.svg"> <img src="card/photo.webp">'
    await writeFile(
      join(folder, 'README.md'),
      `# mini\n\nBefore $& it.\n\n<!-- evaluation -->\nold <img src="card/old.svg"> <img ` +
        `src="card/also-shown-below.svg"> <img src="card/../README.md">\n<!-- /evaluation -->\n\n${own}\n`
    )
    await writeCard(smallReport(), folder)
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.match(
      text,
      inSequence(
        /^# mini\n\nBefore \$& it\.\n\n<!-- evaluation -->\n## What[^]*/,
        /\n<!-- \/evaluation -->\n\nAfter it\. [^\n]*\n$/
      )
    )
    t.notMatch(text, '\nold')
    t.same(
      (await readdir(join(folder, 'card'))).sort(),
      ['My Own.png', 'also-shown-below.svg', 'drawn-by-hand.svg', 'photo.webp'],
      'and of pictures only those go that the old part showed alone'
    )
  })

  t.test('pictures of datasets that may not be passed on are named only', async (t) => {
    const folder = join(root, 'without')
    await writeCard(pictured(), folder, { pictures: [] })
    t.same(
      (await readdir(join(folder, 'card'))).filter((name) => name.endsWith('.webp')),
      []
    )
    t.match(await readFile(join(folder, 'README.md'), 'utf8'), 'photos/0.jpg')
  })

  t.test('the pictures of a dataset are passed on by its whole name', async (t) => {
    const report = pictured()
    const [photos] = report.datasets
    report.datasets.push({ ...photos, name: 'photos 2' })
    for (const [key, bytes] of Object.entries(report.pictures))
      report.pictures[key.replace('photos ', 'photos 2 ')] = Buffer.from(`second ${bytes}`).toString('base64')
    const folder = join(root, 'prefix')
    await writeCard(report, folder, { pictures: ['photos'] })
    const contents = await Promise.all(
      (await readdir(join(folder, 'card')))
        .filter((name) => name.endsWith('.webp'))
        .map((name) => readFile(join(folder, 'card', name), 'utf8'))
    )
    t.ok(contents.length > 0)
    t.notOk(
      contents.some((content) => content.startsWith('second')),
      'and not those of one whose name begins alike'
    )
  })

  t.test('embeddings that were made before have a card too', async (t) => {
    const report = smallReport()
    report.models = []
    report.datasets[0].results[0].model = 'embeddings'
    const folder = join(root, 'embeddings')
    await writeCard(report, folder)
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.match(text, /^# embeddings\n/)
    t.match(text, '| Retrieval | Text to image: recall@10 | 65.2 % |')
    t.notMatch(text, 'fingerprint')
  })

  t.test('what datasets say is text in a card, and the card is an SVG of its own', async (t) => {
    const report: Report = pictured()
    const task = report.datasets[0].results[0].tasks[0]
    task.worst![0].queries[0].query = {
      text: '<script>alert(1)</script> | ![x](http://evil) @someone `code`\n# head'
    }
    task.plots![0].title = '</title><script>alert(1)</script>'
    const odd = 'a`b|"c\n\n# head.jpg'
    task.worst![1].queries[0].query = { image: odd }
    report.pictures[`photos ${odd}`] = report.pictures['photos photos/1.jpg']
    const folder = join(root, 'hostile')
    await writeCard(report, folder)
    const text = await readFile(join(folder, 'README.md'), 'utf8')
    t.notMatch(text, /<script|http:\/\/evil|!\[x|\n# head| @someone/)
    t.match(
      text,
      '“&lt;script\\>alert(1)&lt;/script\\> \\| \\!\\[x\\](http&#58;//evil) &#64;someone \\`code\\` # head”'
    )
    t.match(
      text,
      'alt="a&#96;b&#124;&quot;c # head.jpg">',
      'alternative texts are on one line, and end where they end'
    )
    for (const name of (await readdir(join(folder, 'card'))).filter((name) => name.endsWith('.svg')))
      t.notMatch(await readFile(join(folder, 'card', name), 'utf8'), '<script')
  })
})

t.test('text is shown as it is in Markdown', async (t) => {
  t.equal(
    markdown('1. a *b* _c_ [d] e|f <g> &amp; www.h.i'),
    '1\\. a \\*b\\* \\_c\\_ \\[d\\] e\\|f &lt;g\\> &amp;amp; www&#46;h.i'
  )
  t.equal(markdown('- x'), '\\- x')
})
