import { join } from 'node:path'
import t from 'tap'
import { openDataset } from '../../../../src/evaluation/datasets/open-dataset.js'
import { datasetPath, load } from '../../../fixtures/datasets.js'

const small = datasetPath('small')
const images = join(small, 'images')
const shown = ['red square', 'blue circle', 'green star', 'yellow triangle']
const said = (i: number, id = `${shown[i].replace(' ', '-')}.png`) => ({
  id,
  image: { id, path: join(images, `${shown[i].replace(' ', '-')}.png`) },
  captions: [`a ${shown[i]}`, `a drawing of a ${shown[i]}, on white`]
})
const four = [0, 1, 2, 3].map((i) => said(i))

t.test('captions, in the formats that they come in', async (t) => {
  for (const [folder, file, format] of [
    ['coco', 'captions.json', 'coco'],
    ['flickr8k', 'captions.txt', 'flickr'],
    ['flickr30k', 'results.csv', 'flickr'],
    ['csv', 'pairs.csv', 'csv']
  ]) {
    const loaded = await load(join(small, folder))
    t.same(
      loaded,
      { name: `${folder}/${file.split('.')[0]}`, format, kind: 'captions', items: four, faults: [] },
      folder
    )
    t.same(await load(join(small, folder, file)), loaded, `${file} itself`)
  }
  const { items } = await load(join(small, 'tsv'))
  t.same(
    items,
    [0, 1, 2, 3].map((i) => ({
      ...said(i),
      id: `images/${said(i).id}`,
      image: { ...said(i).image, id: `images/${said(i).id}` }
    })),
    'paths are as they are written'
  )
})

t.test("Karpathy's splits", async (t) => {
  const path = join(small, 'karpathy')
  t.same(await load(path), {
    name: 'karpathy/dataset_coco (test)',
    format: 'karpathy',
    kind: 'captions',
    items: [said(3)],
    faults: []
  })
  t.same((await load(path, { split: 'train' })).items, [said(0), said(1)], 'restval is trained on')
  t.same((await load(path, { split: 'val' })).items, [said(2)])
  t.match(await load(path, { split: 'all' }), { name: 'karpathy/dataset_coco (all)', items: four })
  await t.rejects(openDataset(path, { split: 'other' }), {
    message: /has no split 'other'; the splits are test, train, validation, or all\./
  })
})

t.test('a folder of images with metadata, by splits', async (t) => {
  const path = join(small, 'imagefolder')
  const item = (i: number, split: string) => {
    const id = `${split}/${shown[i].replace(' ', '-')}.png`
    return { id, image: { id, path: join(path, id) }, label: shown[i].split(' ')[1], text: `a ${shown[i]}` }
  }
  t.same(await load(path), {
    name: 'imagefolder (test)',
    format: 'imagefolder',
    kind: 'classes',
    items: [item(2, 'test'), item(3, 'test')],
    faults: []
  })
  t.same((await load(path, { split: 'train' })).items, [item(0, 'train'), item(1, 'train')])
  t.equal((await load(path, { split: 'all' })).items.length, 4)
  await t.rejects(openDataset(path, { split: 'validation' }), {
    message: /the splits are test, train, or all/
  })
})

t.test('a folder a class', async (t) => {
  const path = join(small, 'classes')
  const { items, ...rest } = await load(path)
  t.same(rest, { name: 'classes', format: 'classes', kind: 'classes', faults: [] })
  t.same(
    items.map((item) => 'label' in item && [item.id, item.label]),
    [
      ['circle/blue-circle.png', 'circle'],
      ['square/red-square.png', 'square'],
      ['star/green-star.png', 'star'],
      ['triangle/yellow-triangle.png', 'triangle']
    ]
  )
  t.match(await load(path, { format: 'imagefolder' }), { format: 'imagefolder', kind: 'classes', items })
})

t.test('pairs and choices', async (t) => {
  t.match(await load(join(small, 'winoground')), {
    format: 'winoground',
    kind: 'pairs',
    faults: [],
    items: [
      {
        id: '0',
        images: [{ id: 'red-square', path: join(images, 'red-square.png') }, { id: 'blue-circle' }],
        captions: ['a red square, no blue circle', 'a blue circle, no red square'],
        tag: 'Object'
      }
    ]
  })
  const all = await load(join(small, 'sugarcrepe'))
  t.match(all, { name: 'sugarcrepe', format: 'choices', kind: 'choices', items: { length: 5 } })
  t.match(all.items[4], {
    id: 'replace_obj/0',
    image: said(0).image,
    caption: 'a red square',
    negatives: ['a red circle'],
    tag: 'replace_obj'
  })
  const one = await load(join(small, 'sugarcrepe/replace_obj.json'))
  t.same(
    one.items,
    [{ id: '0', image: said(0).image, caption: 'a red square', negatives: ['a red circle'] }],
    'one file gives no tags'
  )
  t.match((await load(join(small, 'choices'))).items[3], {
    caption: 'a yellow triangle',
    negatives: ['a purple triangle', 'a yellow elephant']
  })
})

t.test('embeddings that were computed before', async (t) => {
  const path = join(small, 'embeddings')
  const imageOf = Uint32Array.from([0, 0, 1, 1, 2, 2, 3, 3])
  t.same(await openDataset(path), {
    name: 'embeddings',
    format: 'embeddings',
    kind: 'embeddings',
    images: { path: join(path, 'images.npy') },
    captions: { path: join(path, 'texts.npy') },
    imageOf
  })
  t.match(await openDataset(path, { limit: 3 }), {
    images: { dimension: 8, values: { length: 24 } },
    captions: { values: { length: 48 } },
    imageOf: imageOf.slice(0, 6)
  })
  const parts = join(small, 'clip-retrieval')
  t.same(await openDataset(parts), {
    name: 'clip-retrieval',
    format: 'embeddings',
    kind: 'embeddings',
    images: { path: join(parts, 'img_emb') },
    captions: { path: join(parts, 'text_emb') }
  })
})

t.test('a limit takes the first items, of classes in turn from each', async (t) => {
  t.same((await load(join(small, 'coco'), { limit: 3 })).items, four.slice(0, 3))
  t.same(
    (await load(datasetPath('leaking/classes'), { limit: 6 })).items.map(({ id }) => id),
    ['circle/00.png', 'square/00.png', 'star/00.png', 'triangle/00.png', 'circle/01.png', 'square/01.png']
  )
  for (const limit of [0, -1, 1.5, NaN])
    await t.rejects(openDataset(join(small, 'coco'), { limit }), { message: /limit must be .* above 0/ })
})

t.test('items can be read again, and reading can be ended', async (t) => {
  const dataset = await openDataset(datasetPath('scenes'))
  if (dataset.kind !== 'pairs') throw new Error(dataset.kind)
  const ids = async () => {
    const found = []
    for await (const item of dataset.items()) found.push('id' in item ? item.id : item)
    return found
  }
  const first = await ids()
  t.equal(first.length, 60)
  t.same(await ids(), first)
  const controller = new AbortController()
  await t.rejects(
    async () => {
      for await (const item of dataset.items(controller.signal))
        if ('id' in item && item.id === '3') controller.abort(new Error('enough'))
    },
    { message: 'enough' }
  )
})

t.test('the scenes are pairs of the same words, each with images of its own', async (t) => {
  const { kind, items, faults } = await load(datasetPath('scenes'))
  if (kind !== 'pairs') throw new Error(kind)
  const words = (caption: string) => caption.split(' ').sort().join(' ')
  t.same(faults, [])
  t.same(
    items.filter(({ captions: [one, other] }) => one === other || words(one) !== words(other)),
    []
  )
  t.equal(new Set(items.flatMap(({ images }) => images.map(({ path }) => path))).size, 120)
  t.same(
    [...new Set(items.map(({ tag }) => tag))],
    ['above', 'left of', 'inside', 'bigger than', 'colour', 'count']
  )
  const choices = await load(datasetPath('scenes/hard-negatives'))
  t.same([choices.items.length, choices.faults], [472, []])
  t.match(await load(datasetPath('leaking')), { kind: 'choices', items: { length: 80 }, faults: [] })
})
