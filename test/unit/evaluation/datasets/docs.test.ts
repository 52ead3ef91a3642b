import { readFile } from 'node:fs/promises'
import t from 'tap'
import { FORMATS } from '../../../../src/evaluation/datasets/dataset.js'
import { datasetPath, folderOf, load } from '../../../fixtures/datasets.js'

t.test('the examples of the docs are what they are said to be', async (t) => {
  const page = await readFile(datasetPath('../../../docs/how-to/datasets.md'), 'utf8')
  const sections = [...page.matchAll(/^### (\w+)\n([\s\S]*?)(?=^##|(?![\s\S]))/gm)].map(
    ([, format, text]) => ({ format, text })
  )
  t.same(sections.map(({ format }) => format).sort(), [...FORMATS].sort())
  for (const { format, text } of sections) {
    for (const [i, [, file, content]] of [
      ...text.matchAll(/^`([^`]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)
    ].entries()) {
      await t.test(`${format}: ${file}`, async (t) => {
        // Images beside the file, or as the list of files after it has them.
        const listed = [...text.matchAll(/^(n\S+\.jpg)$/gm)].map(([, path]) => path)
        const named = [...content.matchAll(/[\w-]+\.(?:jpg|png)|(?<=")ex_\d_img_\d/g)].map(([name]) =>
          name.includes('.') ? name : `${name}.png`
        )
        const folder = file.slice(0, file.lastIndexOf('/') + 1)
        const root = await folderOf(
          t,
          Object.fromEntries([
            [file, content],
            ...named.map((name) => [folder + name, '.']),
            ...listed.map((path) => [path, '.'])
          ])
        )
        const loaded = await load(root)
        t.match(loaded, { format, faults: [] })
        t.ok(loaded.items.length > 0)
        if (format === 'classes')
          t.same(
            new Set(loaded.items.map((item) => 'label' in item && item.label)),
            new Set(['tench', 'goldfish'])
          )
        else if ('captions' in loaded.items[0] && format !== 'imagefolder')
          t.equal(loaded.items[0].captions.length, 2, `example ${i}`)
      })
    }
  }
})
