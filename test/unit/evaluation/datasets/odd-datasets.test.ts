import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DatasetError } from '../../../../src/evaluation/datasets/dataset.js'
import { openDataset } from '../../../../src/evaluation/datasets/open-dataset.js'
import { folderOf, load } from '../../../fixtures/datasets.js'
import { inSequence } from '../../../fixtures/pattern.js'

const captionsOf = async (path: string, options = {}) => {
  const { items, faults } = await load(path, options)
  return {
    captions: Object.fromEntries(items.map((item) => [item.id, 'captions' in item && item.captions])),
    faults: faults.map(({ name, reason }) => `${name.split('/').at(-1)}: ${reason}`)
  }
}
const coco = (images: object[], annotations: object[]) => JSON.stringify({ info: {}, images, annotations })
const refuses = async (t: Test, path: string, message: RegExp, options = {}) => {
  const error = await openDataset(path, options).then(
    () => undefined,
    (error: Error) => error
  )
  t.ok(error instanceof DatasetError, String(error))
  t.match(error?.message, message)
}

t.test('tables as programs write them', async (t) => {
  const root = await folderOf(t, {
    'images/a.png': '.',
    'images/b b.png': '.',
    'images/é.png': '.',
    'images/sub/c.png': '.',
    'bom.csv': '\uFEFFfile_name,text\r\na.png,"says ""hi"", twice"\r\nb b.png,日本語 🙂\r\n',
    'rows.csv':
      'image,caption\na.png,one\nb b.png,two\na.png,three\na.png,one\nsub/c.png,"over\ntwo lines"\n',
    'semicolons.csv': 'Image;Caption\na.png;one; not two\n',
    'semicolons-2.csv': 'Image;Caption\na.png;"one; not two"\n',
    'tabs.csv': 'filepath\ttitle\na.png\tone, two\n',
    'lists.csv': 'raw,filename,split\n"[""one"", ""two""]",a.png,train\n"[""three""]",b b.png,test\n',
    'lists.jsonl':
      '\uFEFF{"image": "a.png", "captions": ["one", "two"]}\n\n{"image": "b b.png", "captions": ["three"]}\n',
    'list.json': '[{"image": "sub/c.png", "caption": ["one", "two"]}]',
    'composed.csv': `image,caption\n${'é.png'.normalize('NFD')},accent\n`,
    'broken.csv': 'image,caption\n,nothing\na.png,\na.png,one,two,three\nb b.png,two\n',
    'long.jsonl':
      '{"image": "a.png", "caption": ' +
      `"${'x'.repeat(8001)}"}\n${'y'.repeat(17 << 20)}\n{"image": "a.png", "caption": ` +
      `"\\ud800"}\n["a.png"]\n{"image": "a.png", "caption": "one"}\n`
  })
  t.same(await captionsOf(join(root, 'bom.csv')), {
    captions: { 'a.png': ['says "hi", twice'], 'b b.png': ['日本語 🙂'] },
    faults: []
  })
  t.same(
    await captionsOf(join(root, 'rows.csv')),
    {
      captions: { 'a.png': ['one', 'three', 'one'], 'b b.png': ['two'], 'sub/c.png': ['over\ntwo lines'] },
      faults: []
    },
    'rows of one image are one item, and a repeated caption is there twice'
  )
  t.match(await captionsOf(join(root, 'semicolons-2.csv')), { captions: { 'a.png': ['one; not two'] } })
  await refuses(
    t,
    join(root, 'semicolons.csv'),
    /semicolons\.csv \(csv\): no item can be used\. .*semicolons\.csv:2: The row can't be read/
  )
  t.match(
    await captionsOf(join(root, 'tabs.csv')),
    { captions: { 'a.png': ['one, two'] } },
    'the header says what is between the columns'
  )
  t.same(await captionsOf(join(root, 'lists.csv')), {
    captions: { 'a.png': ['one', 'two'], 'b b.png': ['three'] },
    faults: []
  })
  t.same((await captionsOf(join(root, 'lists.csv'), { split: 'test' })).captions, { 'b b.png': ['three'] })
  await refuses(t, join(root, 'rows.csv'), /rows\.csv has no splits; leave out 'test'/, { split: 'test' })
  t.same(await captionsOf(join(root, 'lists.jsonl')), {
    captions: { 'a.png': ['one', 'two'], 'b b.png': ['three'] },
    faults: []
  })
  t.same(await captionsOf(join(root, 'list.json')), { captions: { 'sub/c.png': ['one', 'two'] }, faults: [] })
  t.same(
    await captionsOf(join(root, 'composed.csv')),
    { captions: { 'é.png': ['accent'] }, faults: [] },
    'a name is found however its accents are written'
  )
  t.match(await captionsOf(join(root, 'broken.csv')), {
    captions: { 'b b.png': ['two'] },
    faults: [
      'broken.csv:2: The row names no image.',
      'broken.csv:3: The caption is missing.',
      /^broken\.csv:4: The row can't be read: /
    ]
  })
  t.match(await captionsOf(join(root, 'long.jsonl')), {
    captions: { 'a.png': ['one'] },
    faults: [
      'long.jsonl:1: The caption has 8001 characters; at most 8000 are allowed.',
      /long\.jsonl:2: The line has 17825792 bytes/,
      /long\.jsonl:3: The caption holds an unpaired surrogate/,
      /long\.jsonl:4: The line is not a row in JSON/
    ]
  })
})

t.test("lines of Flickr's files, which are no CSV", async (t) => {
  const root = await folderOf(t, {
    'Images/1.jpg': '.',
    'Images/2.jpg': '.',
    'captions.txt':
      'image,caption\n1.jpg,A dog , a cat , and a "quoted" word .\n1.jpg,"A boy, with ""Hi"" on ' +
      'it"\n2.jpg,"Stop" says a sign .\n3.jpg,lost\n',
    'results.csv':
      'image_name| comment_number| comment\r\n1.jpg| 0| Two men | one hat .\r\n2.jpg| 4   A dog runs ' +
      'across the grass .\r\n2.jpg| 1| Two dogs .\r\n',
    'Flickr8k.token.txt': '1.jpg#0\tA dog .\n1.jpg#1\tA cat , too .\n2.jpg#0\tTwo .\n'
  })
  t.same(await captionsOf(join(root, 'captions.txt')), {
    captions: {
      '1.jpg': ['A dog , a cat , and a "quoted" word .', 'A boy, with "Hi" on it'],
      '2.jpg': ['"Stop" says a sign .']
    },
    faults: [`3.jpg: The image is not in ${join(root, 'Images')}.`]
  })
  t.same(await captionsOf(join(root, 'results.csv')), {
    captions: { '1.jpg': ['Two men | one hat .'], '2.jpg': ['Two dogs .'] },
    faults: ['results.csv:3: The line does not have an image and a caption.']
  })
  t.same(await captionsOf(join(root, 'Flickr8k.token.txt')), {
    captions: { '1.jpg': ['A dog .', 'A cat , too .'], '2.jpg': ['Two .'] },
    faults: []
  })
  await refuses(
    t,
    root,
    inSequence(
      /several datasets; name one of them: .*Flickr8k\.token\.txt \(flickr\), /,
      /.*captions\.txt \(flickr\), .*results\.csv \(flickr\)/
    )
  )
})

t.test('lines of images and captions without a header', async (t) => {
  const root = await folderOf(t, {
    '1.jpg': '.',
    '2.jpg': '.',
    'labels/2.jpg': '.',
    'captions.txt': '1.jpg,A dog , a | cat .\n"2.jpg",2 dogs , no more\n',
    'captions.csv': '1.jpg,"A dog, a ""cat"""\n1.jpg,Another one\n',
    'results.txt': '1.jpg| 0| Two men | one hat .\n2.jpg| 1| 3 dogs\n',
    'labels/list.csv': '2.jpg,cat\n'
  })
  t.same(
    await captionsOf(join(root, 'captions.txt')),
    { captions: { '1.jpg': ['A dog , a | cat .'], '2.jpg': ['2 dogs , no more'] }, faults: [] },
    'the first line is no header'
  )
  t.same(await captionsOf(join(root, 'captions.csv')), {
    captions: { '1.jpg': ['A dog, a "cat"', 'Another one'] },
    faults: []
  })
  t.same(await captionsOf(join(root, 'results.txt')), {
    captions: { '1.jpg': ['Two men | one hat .'], '2.jpg': ['3 dogs'] },
    faults: []
  })
  await refuses(t, join(root, 'labels', 'list.csv'), /no known format/)
  t.same(
    (await captionsOf(join(root, 'labels', 'list.csv'), { format: 'flickr' })).captions,
    { '2.jpg': ['cat'] },
    'one word is taken for a caption where one says so'
  )
})

t.test('images that are not where they should be', async (t) => {
  const root = await folderOf(t, {
    'secret.png': '.',
    'set/annotations/captions_val2017.json': coco(
      [
        { id: 1, file_name: '1.jpg' },
        { id: 2, file_name: '2.jpg' },
        { id: 3, file_name: '../../secret.png' },
        { id: 4, file_name: 'C:\\4.jpg' },
        { id: 5, file_name: 'folder' },
        { id: 6, file_name: '6.heic' },
        { id: 7, file_name: 'a\\7.jpg' }
      ],
      [1, 2, 3, 4, 5, 6, 7].map((id) => ({ id, image_id: id, caption: `caption ${id}` }))
    ),
    'set/annotations/instances_val2017.json': JSON.stringify({
      images: [{ id: 1, file_name: '1.jpg' }],
      annotations: [{ bbox: [] }],
      categories: []
    }),
    'set/val2017/folder/x': '.',
    'set/val2017/6.heic': '.',
    'set/val2017/a/7.jpg': '.',
    'elsewhere/2.jpg': '.'
  })
  const path = join(root, 'set/val2017')
  await symlink(join(root, 'secret.png'), join(path, '1.jpg'))
  const loaded = await load(join(root, 'set'))
  t.match(
    loaded,
    {
      name: 'annotations/captions_val2017',
      items: [{ id: '1.jpg', image: { path: join(path, '1.jpg') } }, { id: 'a/7.jpg' }]
    },
    'a link to a file is as good as the file'
  )
  t.same(loaded.faults, [
    { name: '2.jpg', reason: `The image is not in ${path}.` },
    { name: '../../secret.png', reason: 'The path leads out of the image folder.' },
    { name: 'C:\\4.jpg', reason: 'The path leads out of the image folder.' },
    { name: 'folder', reason: `The image is not in ${path}.` },
    { name: '6.heic', reason: 'The image type is not supported; use JPEG, PNG, WebP, GIF, TIFF or AVIF.' }
  ])
  t.match(await load(join(root, 'set'), { images: join(root, 'elsewhere') }), {
    items: [{ id: '2.jpg' }],
    faults: { length: 6 }
  })
  await refuses(t, join(root, 'set'), /The image folder .*nowhere does not exist/, {
    images: join(root, 'nowhere')
  })
  await refuses(t, join(root, 'set'), /no item can be used\. 1\.jpg: The image is not in .*And 6 more\./, {
    images: join(root, 'set/annotations')
  })
  await refuses(
    t,
    join(root, 'set/annotations/instances_val2017.json'),
    /its annotations have no captions\. The format of a dataset/
  )
  await refuses(t, join(root, 'set'), /which has no splits/, { split: 'val' })
})

t.test('COCO annotations that fit nothing', async (t) => {
  const root = await folderOf(t, {
    'a.png': '.',
    'b.png': '.',
    'odd.json': `\uFEFF${coco(
      [
        { id: 1, file_name: 'a.png' },
        { id: 1, file_name: 'b.png' },
        { id: 2 },
        { id: 3, file_name: 'b.png' }
      ],
      [
        { image_id: 1, id: 7, caption: 'one' },
        { image_id: 9, id: 8, caption: 'two' },
        { image_id: 1, caption: ' ' },
        { image_id: 1, id: 9, caption: 5 }
      ]
    )}`,
    'cut.json': '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"caption": "on',
    'no-list.json': '{"images": {}, "annotations": [{"caption": "one"}]}',
    'empty.json': '{"images": [], "annotations": [], "about": ["caption"]}',
    'none.json': ''
  })
  t.same(await captionsOf(join(root, 'odd.json')), {
    captions: { 'a.png': ['one'] },
    faults: [
      'odd.json: image 1: Another image has the same id.',
      'odd.json: image 2: The image has no id or no file_name.',
      'odd.json: annotation 8: There is no image 9.',
      'odd.json: annotation 2: The caption is missing.',
      'odd.json: annotation 9: The caption is missing.',
      'b.png: The caption is missing.'
    ]
  })
  await refuses(t, join(root, 'cut.json'), /cut\.json is not valid JSON: /)
  await refuses(t, join(root, 'no-list.json'), /no-list\.json has no list "images"\./)
  await refuses(t, join(root, 'empty.json'), /empty\.json \(coco\) is empty\./)
  await refuses(
    t,
    join(root, 'none.json'),
    /no known format\. The format of a dataset is recognised by its files:\n {2}coco /
  )
  await refuses(t, join(root, 'none.json'), /none\.json is not valid JSON/, { format: 'coco' })
})

t.test('folders of classes', async (t) => {
  const root = await folderOf(t, {
    'plain/cat/1.jpg': '.',
    'plain/cat/deep/2.png': '.',
    'plain/cat/notes.txt': '.',
    'plain/cat/3.heic': '.',
    'plain/dog/1.jpg': '.',
    'plain/stray.png': '.',
    'plain/.hidden/1.jpg': '.',
    'plain/empty/notes.txt': '.',
    'split/train/cat/1.jpg': '.',
    'split/train/dog/1.jpg': '.',
    'split/val/cat/2.jpg': '.',
    'split/val/dog/2.jpg': '.',
    'named/n01/1.jpg': '.',
    'named/n02/2.jpg': '.',
    'named/labels.json': '{"n01": "tench", "n02": "goldfish"}',
    'long/n01/1.jpg': '.',
    'long/n02/2.jpg': '.',
    'long/labels.json': `{"n01": "${'x'.repeat(1001)}"}`,
    'table/1.jpg': '.',
    'table/rows.csv': `file_name,label\n1.jpg,cat\n1.jpg,${'x'.repeat(1001)}\n`,
    'one/cat/1.jpg': '.',
    'test/a/1.jpg': '.',
    'test/b/1.jpg': '.',
    'nothing/notes.txt': 'text'
  })
  await symlink(join(root, 'plain/cat'), join(root, 'plain/linked'))
  const { items, faults } = await load(join(root, 'plain'))
  t.same(
    items.map((item) => 'label' in item && [item.id, item.label]),
    [
      ['cat/1.jpg', 'cat'],
      ['dog/1.jpg', 'dog'],
      ['cat/deep/2.png', 'cat']
    ]
  )
  t.same(
    faults.map(({ name }) => name),
    ['linked', 'stray.png', 'cat/3.heic']
  )
  t.match(await load(join(root, 'split')), {
    name: 'split (validation)',
    items: [
      { id: 'val/cat/2.jpg', label: 'cat' },
      { id: 'val/dog/2.jpg', label: 'dog' }
    ]
  })
  t.match(await load(join(root, 'split'), { split: 'train' }), {
    items: [{ id: 'train/cat/1.jpg' }, { id: 'train/dog/1.jpg' }]
  })
  t.match(await load(join(root, 'split'), { split: 'all' }), { items: { length: 4 } })
  t.match(await load(join(root, 'named')), { items: [{ label: 'tench' }, { label: 'goldfish' }] })
  t.match(await load(join(root, 'test')), { name: 'test', items: [{ label: 'a' }, { label: 'b' }] })
  await refuses(
    t,
    join(root, 'long'),
    /labels\.json: n01: The label has 1001 characters; at most 1000 are allowed\./
  )
  t.match(await load(join(root, 'table', 'rows.csv')), {
    items: [{ label: 'cat' }],
    faults: [{ name: 'rows.csv:3', reason: 'The label has 1001 characters; at most 1000 are allowed.' }]
  })
  await refuses(
    t,
    join(root, 'one'),
    /has only one class, 'cat'; it needs one folder for each of two or more classes/,
    { format: 'classes' }
  )
  await refuses(t, join(root, 'one'), /contains no dataset of a known format/)
  await refuses(t, join(root, 'nothing'), /no class folders/, { format: 'classes' })
  await refuses(t, join(root, 'plain'), /has no splits; leave out 'test'/, { split: 'test' })
})

t.test('metadata of imagefolder, where it may lie', async (t) => {
  const root = await folderOf(t, {
    'above/metadata.csv': 'file_name,caption\ntrain/1.png,one\ntest/2.png,two\n',
    'above/train/1.png': '.',
    'above/test/2.png': '.',
    'below/metadata.jsonl': '{"file_name": "1.png", "text": "one"}\n',
    'below/1.png': '.',
    'below/x/y/metadata.jsonl':
      '{"file_name": "2.png", "text": "two"}\n{"file_name": "../../1.png", "text": "out"}\n',
    'below/x/y/2.png': '.',
    'numbers/metadata.jsonl':
      '{"file_name": "1.png", "label": 0}\n{"file_name": "2.png", "label": 1}\n{"file_name": "2.png", ' +
      '"label": 1}\n{"file_name": "1.png"}\n',
    'numbers/1.png': '.',
    'numbers/2.png': '.',
    'numbers/labels.json': '{"0": "cat"}',
    'both/metadata.csv': 'file_name,text\n1.png,one\n',
    'both/metadata.jsonl': '{"file_name": "2.png", "text": "two"}',
    'both/1.png': '.',
    'both/2.png': '.',
    'pairs/metadata.jsonl': '{"image_0": "1", "image_1": "2", "caption_0": "a b", "caption_1": "b a"}\n',
    'pairs/images/1.png': '.',
    'pairs/images/2.jpg': '.'
  })
  t.match(await captionsOf(join(root, 'above')), { captions: { 'test/2.png': ['two'] }, faults: [] })
  t.same((await captionsOf(join(root, 'above'), { split: 'training' })).captions, { 'train/1.png': ['one'] })
  t.match(await captionsOf(join(root, 'below')), {
    captions: { '1.png': ['one'], 'x/y/2.png': ['two'] },
    faults: [/metadata\.jsonl:2: \.\.\/\.\.\/1\.png leads out of the folder\./]
  })
  t.match(await load(join(root, 'numbers')), {
    kind: 'classes',
    items: [
      { id: '1.png', label: 'cat' },
      { id: '2.png', label: '1' }
    ],
    faults: [{ reason: 'Another row already names the image 2.png.' }, { reason: 'The row has no label.' }]
  })
  t.match(await captionsOf(join(root, 'both')), { captions: { '1.png': ['one'], '2.png': ['two'] } })
  t.match(await load(join(root, 'pairs')), {
    format: 'winoground',
    items: [{ id: '1', images: [{ id: '1' }, { id: '2' }] }]
  })
})

t.test('pairs and choices that are none', async (t) => {
  const root = await folderOf(t, {
    'images/1.png': '.',
    'images/2.png': '.',
    'pairs.jsonl':
      '{"id": 4, "image_0": "1", "image_1": "2", "caption_0": "a b", "caption_1": "b a", "tag": ' +
      '"Swap"}\n{"image_0": "1", "image_1": "3", "caption_0": "a b", "caption_1": "b a"}\n{"image_0": ' +
      '"1", "caption_0": "a b", "caption_1": "b a"}\n{"image_0": "1", "image_1": "2", "caption_0": "a ' +
      'b"}\n',
    'choices.json':
      '{"0": {"filename": "1.png", "caption": "one", "negative_caption": "two"}, "1": {"filename": ' +
      '"1.png", "caption": "one", "negative_caption": "one"}, "2": {"filename": "1.png", "caption": ' +
      '"one"}, "3": [], "4": {"filename": "9.png", "caption": "one", "negative_caption": "two"}}',
    'choices.csv': 'image,caption,negatives\n1.png,one,"[""two"", ""three""]"\n'
  })
  t.match(await load(join(root, 'pairs.jsonl')), {
    items: [{ id: '4', tag: 'Swap' }],
    faults: [
      { name: '3' },
      { reason: 'The row has no image_0 or no image_1.' },
      { reason: 'The caption is missing.' }
    ]
  })
  t.match(await load(join(root, 'choices.json')), {
    items: [{ id: '0', negatives: ['two'] }],
    faults: [
      { reason: 'The caption is also one of the negatives.' },
      { reason: 'The row has no negatives.' },
      { reason: 'The row is not an object.' },
      { name: '9.png' }
    ]
  })
  t.match(await load(join(root, 'choices.csv')), {
    format: 'choices',
    items: [{ caption: 'one', negatives: ['two', 'three'] }]
  })
})

t.test('what is no dataset', async (t) => {
  const root = await folderOf(t, {
    'a.png': '.',
    'rows.parquet': 'PAR1....',
    'x.npy': Buffer.from('\x93NUMPY', 'latin1'),
    'other.csv': 'name,age\nx,1\n',
    'text.md': 'words',
    'empty/.keep': '',
    'emb/images.npy': 'no',
    'emb/texts.npy': 'no'
  })
  await refuses(t, join(root, 'missing'), /There is no dataset at .*missing: ENOENT/)
  await refuses(t, join(root, 'a.png'), /no known format: it is an image\. The format/)
  await refuses(t, join(root, 'rows.parquet'), /it is Parquet; export it/)
  await refuses(t, join(root, 'x.npy'), /; name the folder that has images\.npy and texts\.npy/)
  await refuses(t, join(root, 'other.csv'), /its header has the columns name, age\. The format/)
  await refuses(t, join(root, 'text.md'), /has no known format\. /)
  await refuses(t, join(root, 'empty'), /contains no dataset of a known format/)
  await refuses(t, join(root, 'empty'), /has no file of the format coco/, { format: 'coco' })
  await refuses(t, join(root, 'a.png'), /is a file, but the format classes is a folder/, {
    format: 'classes'
  })
  await refuses(t, join(root, 'empty'), /has no embeddings; it needs images\.npy and texts\.npy/, {
    format: 'embeddings'
  })
  await refuses(t, join(root, 'emb'), /images\.npy is not a \.npy file/)
})
