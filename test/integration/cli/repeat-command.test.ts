import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { evaluateCommand } from '../../../src/cli/evaluate/command.js'
import { repeatCommand } from '../../../src/cli/evaluate/repeat-command.js'

t.test('the command that repeats an evaluation', async (t) => {
  t.equal(
    repeatCommand(['/home/someone/photos', '../pets', 'coco/captions.json'], {
      model: '/models/mini',
      images: '../all/images',
      seed: 3,
      json: true,
      html: 'x.html',
      apiKey: 'secret'
    }),
    'semblance evaluate photos pets coco/captions.json --images images --model mini --seed 3'
  )
  t.equal(
    repeatCommand([], { collection: 'photos', labelField: 'kind', tasks: ['retrieval', 'blind'] }),
    'semblance evaluate --collection photos --label-field kind --tasks retrieval,blind'
  )

  t.test('comes through a shell as it was, all options that figures depend on', async (t) => {
    const options = {
      format: 'csv' as const,
      images: "it's here",
      split: '-odd $HOME',
      limit: 10,
      tasks: ['retrieval' as const],
      model: 'mini:int8',
      against: 'Xenova/clip-vit-base-patch32',
      templates: ['a "{label}"\n`ls`', '--{label}!'],
      seed: 0,
      resamples: 20,
      confidence: 0.9,
      duplicates: 'keep' as const,
      m: 4,
      efConstruction: 20,
      efSearch: 30
    }
    const command = repeatCommand(['-a dash', '*'], options)
    const { stdout } = await promisify(execFile)('sh', ['-c', command.replace('semblance', `printf '%s\\0'`)])
    const parsed = evaluateCommand()
      .exitOverride()
      .action(() => undefined)
      .parse(stdout.split('\0').slice(1, -1), { from: 'user' })
    t.same(parsed.args, ['./-a dash', '*'])
    t.match(parsed.opts(), options)
  })

  t.test('leaves out only what figures do not depend on', async (t) => {
    const named = new Set(
      [
        ...repeatCommand(
          [],
          Object.fromEntries(evaluateCommand().options.map((option) => [option.attributeName(), ['x']]))
        ).matchAll(/--([\w-]+)/g)
      ].map(([, name]) => name)
    )
    t.same(
      evaluateCommand()
        .options.filter(({ long }) => !named.has(long!.slice(2)))
        .map(({ long }) => long)
        .sort(),
      [
        '--api-key',
        '--cache',
        '--card',
        '--html',
        '--json',
        '--no-cache',
        '--quiet',
        '--save-embeddings',
        '--url'
      ]
    )
  })
})
