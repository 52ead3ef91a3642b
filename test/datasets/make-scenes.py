"""Makes the datasets beside it: python3 make-scenes.py (Pillow and NumPy; the same files every time).

- scenes/: pairs of rendered scenes and captions of the same words, in Winoground's layout, and
  hard-negatives/ over the same images, in SugarCrepe's.
- leaking/: sets that can be solved without looking. choices.jsonl has negatives that no drawing of
  shapes has as its caption, and some are no sentences; classes/ has 9 images in 10 in one class.
- small/: a few images, described in each format that can be read.
"""
import json
import math
import os
import random
import shutil

import numpy
from PIL import Image, ImageDraw

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE = 128
COLOURS = {
    'red': (214, 39, 40),
    'blue': (31, 80, 200),
    'green': (44, 150, 60),
    'yellow': (250, 210, 40),
    'black': (20, 20, 20),
    'purple': (130, 60, 180),
}
SHAPES = ['square', 'circle', 'triangle', 'star']
NUMBERS = {2: 'two', 3: 'three', 4: 'four'}
chance = random.Random(7)


def shape(draw, kind, centre, radius, colour):
    x, y = centre
    if kind == 'square':
        side = radius * 0.88
        draw.rectangle([x - side, y - side, x + side, y + side], fill=colour)
    elif kind == 'circle':
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    else:
        points, inner = (3, 1) if kind == 'triangle' else (10, 0.45)
        turn = [2 * math.pi * i / points - math.pi / 2 for i in range(points)]
        reach = [radius * 1.15 * (inner if i % 2 and points == 10 else 1) for i in range(points)]
        draw.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for a, r in zip(turn, reach)], fill=colour)


def render(path, things):
    """Each thing is (colour, shape, centre, radius); later ones lie on top."""
    image = Image.new('RGB', (SIZE, SIZE), 'white')
    draw = ImageDraw.Draw(image)
    for colour, kind, centre, radius in things:
        shape(draw, kind, centre, radius, COLOURS[colour])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.quantize(8).save(path, optimize=True)


def near(x, y, by=6):
    return (x + chance.randint(-by, by), y + chance.randint(-by, by))


def placed(relation, first, second):
    """The things of `first relation second`, each (colour, shape)."""
    size = chance.randint(20, 25)
    if relation == 'above':
        return [(*first, near(64, 34), size), (*second, near(64, 94), size)]
    if relation == 'left of':
        return [(*first, near(34, 64), size), (*second, near(94, 64), size)]
    if relation == 'inside':
        return [(*second, near(64, 64, 3), 54), (*first, near(64, 68, 3), 15)]
    if relation == 'bigger than':
        places = [near(42, 64, 4), near(102, 64, 4)]
        if chance.random() < 0.5:
            places = [near(86, 64, 4), near(26, 64, 4)]
        return [(*first, places[0], 36), (*second, places[1], 13)]
    places = [near(34, 64), near(94, 64)]
    chance.shuffle(places)
    return [(*first, places[0], size), (*second, places[1], size)]


def counted(groups):
    places = [near(x, y, 3) for x in (26, 64, 102) for y in (36, 92)]
    chance.shuffle(places)
    return [(colour, kind, places.pop(), 15) for number, colour, kind in groups for _ in range(number)]


def two_things(used):
    """Two colours and two shapes that were not together before."""
    while True:
        colours, shapes = chance.sample(list(COLOURS), 2), chance.sample(SHAPES, 2)
        key = (frozenset(colours), frozenset(shapes), colours[0] < colours[1])
        if key not in used:
            used.add(key)
            return list(zip(colours, shapes))


def phrase(thing):
    return f'a {thing[0]} {thing[1]}'


def several(number, thing):
    return f'{NUMBERS[number]} {thing[0]} {thing[1]}s'


def pairs():
    """Tag, and twice the caption with what is seen and what it is made of."""
    for relation in ['above', 'left of', 'inside', 'bigger than']:
        used = set()
        for _ in range(10):
            first, second = two_things(used)
            yield relation, [
                (f'{phrase(a)} {relation} {phrase(b)}', placed(relation, a, b), (a, relation, b))
                for a, b in [(first, second), (second, first)]
            ]
    used = set()
    for _ in range(12):
        (one, square), (other, circle) = two_things(used)
        scenes = [((one, square), (other, circle)), ((other, square), (one, circle))]
        yield 'colour', [
            (f'{phrase(a)} and {phrase(b)}', placed('and', a, b), (a, 'and', b)) for a, b in scenes
        ]
    used = set()
    for few, many in [(2, 3), (2, 4)] * 4:
        first, second = two_things(used)
        both = []
        for a, b in [(few, many), (many, few)]:
            both.append(
                (f'{several(a, first)} and {several(b, second)}', counted([(a, *first), (b, *second)]), None)
            )
        yield 'count', both


OPPOSITE = {'above': 'below', 'left of': 'right of', 'inside': 'outside', 'bigger than': 'smaller than'}


def hard_negatives(first, relation, second):
    """By SugarCrepe's names of kinds, a caption that is not true."""
    said = lambda a, b, r=relation: f'{phrase(a)} {r} {phrase(b)}'
    other = [colour for colour in COLOURS if colour not in (first[0], second[0])]
    strange = [kind for kind in SHAPES if kind not in (first[1], second[1])]
    yield 'swap_att', said((second[0], first[1]), (first[0], second[1]))
    if relation != 'and':
        yield 'swap_obj', said(second, first)
        yield 'replace_rel', said(first, second, OPPOSITE[relation])
    yield 'replace_att', said((chance.choice(other), first[1]), second)
    yield 'replace_obj', said(first, (second[0], chance.choice(strange)))


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write('\n')


def write_lines(path, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)


def write_text(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write(text)


def make_scenes():
    folder = f'{HERE}/scenes'
    examples, negatives, captions = [], {}, []
    for number, (tag, both) in enumerate(pairs()):
        row = {'id': number}
        for side, (text, things, parts) in enumerate(both):
            name = f'ex_{number}_img_{side}'
            render(f'{folder}/images/{name}.png', things)
            row[f'image_{side}'], row[f'caption_{side}'] = name, text
            captions.append((f'{name}.png', text))
            for kind, wrong in hard_negatives(*parts) if parts else []:
                of_kind = negatives.setdefault(kind, {})
                of_kind[str(len(of_kind))] = {
                    'filename': f'{name}.png',
                    'caption': text,
                    'negative_caption': wrong,
                }
        assert sorted(row['caption_0'].split()) == sorted(row['caption_1'].split()), row
        examples.append({**row, 'tag': tag})
    write_lines(
        f'{folder}/examples.jsonl',
        [
            {key: row[key] for key in ['id', 'image_0', 'image_1', 'caption_0', 'caption_1', 'tag']}
            for row in examples
        ],
    )
    for kind, rows in negatives.items():
        write_json(f'{folder}/hard-negatives/{kind}.json', rows)
    return captions


NOT_DRAWN = [
    'a man riding a horse on the beach',
    'a young boy on a skateboard',
    'people sitting at a long table in a restaurant',
    'a baseball player swinging a bat',
    'a red bus parked on a street',
    'two dogs playing in the snow',
    'a bride and groom cutting a cake',
    'a train arriving at the station',
    'a bathroom with a white toilet',
    'a woman holding an umbrella in the rain',
    'a cat sleeping on a couch',
]


def make_leaking(captions):
    folder = f'{HERE}/leaking'
    rows = []
    for number, (name, text) in enumerate(captions[:80]):
        wrong = NOT_DRAWN[number % len(NOT_DRAWN)]
        if number % 4 == 0:
            words = wrong.split()
            chance.shuffle(words)
            wrong = ' '.join(words)
        rows.append({'image': f'scenes/images/{name}', 'caption': text, 'negatives': [wrong]})
    write_lines(f'{folder}/choices.jsonl', rows)
    for kind, number in [('square', 45), ('circle', 2), ('triangle', 2), ('star', 1)]:
        for i in range(number):
            things = [(chance.choice(list(COLOURS)), kind, near(64, 64, 18), chance.randint(18, 42))]
            render(f'{folder}/classes/{kind}/{i:02}.png', things)


SMALL = [
    ('red-square.png', 'red', 'square'),
    ('blue-circle.png', 'blue', 'circle'),
    ('green-star.png', 'green', 'star'),
    ('yellow-triangle.png', 'yellow', 'triangle'),
]


def make_small():
    folder = f'{HERE}/small'
    for name, colour, kind in SMALL:
        render(f'{folder}/images/{name}', [(colour, kind, (64, 64), 40)])
    said = [
        (name, [f'a {colour} {kind}', f'a drawing of a {colour} {kind}, on white'])
        for name, colour, kind in SMALL
    ]
    every = [(name, text) for name, texts in said for text in texts]
    write_json(
        f'{folder}/coco/captions.json',
        {
            'info': {'description': 'four drawings'},
            'images': [
                {'id': 100 + i, 'file_name': name, 'width': SIZE, 'height': SIZE}
                for i, (name, _) in enumerate(said)
            ],
            'annotations': [
                {'id': i, 'image_id': 100 + i // 2, 'caption': text} for i, (_, text) in enumerate(every)
            ],
        },
    )
    write_text(
        f'{folder}/flickr8k/captions.txt',
        'image,caption\n'
        + ''.join(
            f'{name},{text if "," not in text else chr(34) + text + chr(34)}\n' for name, text in every
        ),
    )
    write_text(
        f'{folder}/flickr30k/results.csv',
        'image_name| comment_number| comment\n'
        + ''.join(f'{name}| {i % 2}| {text}\n' for i, (name, text) in enumerate(every)),
    )
    splits = ['train', 'restval', 'val', 'test']
    write_json(
        f'{folder}/karpathy/dataset_coco.json',
        {
            'images': [
                {
                    'filepath': 'images',
                    'sentids': [2 * i, 2 * i + 1],
                    'filename': name,
                    'imgid': i,
                    'split': splits[i],
                    'cocoid': 100 + i,
                    'sentences': [
                        {
                            'tokens': text.replace(',', '').split(),
                            'raw': text,
                            'imgid': i,
                            'sentid': 2 * i + j,
                        }
                        for j, text in enumerate(texts)
                    ],
                }
                for i, (name, texts) in enumerate(said)
            ],
            'dataset': 'coco',
        },
    )
    write_text(
        f'{folder}/csv/pairs.csv', 'image,caption\n' + ''.join(f'{name},"{text}"\n' for name, text in every)
    )
    write_text(
        f'{folder}/tsv/pairs.tsv',
        'filepath\ttitle\n' + ''.join(f'images/{name}\t{text}\n' for name, text in every),
    )
    write_lines(
        f'{folder}/winoground/examples.jsonl',
        [
            {
                'id': 0,
                'image_0': 'red-square',
                'image_1': 'blue-circle',
                'caption_0': 'a red square, no blue circle',
                'caption_1': 'a blue circle, no red square',
                'tag': 'Negation',
                'secondary_tag': '',
                'num_main_preds': 1,
                'collapsed_tag': 'Object',
            }
        ],
    )
    write_json(
        f'{folder}/sugarcrepe/replace_att.json',
        {
            str(i): {
                'filename': name,
                'caption': f'a {colour} {kind}',
                'negative_caption': f'a purple {kind}',
            }
            for i, (name, colour, kind) in enumerate(SMALL)
        },
    )
    write_json(
        f'{folder}/sugarcrepe/replace_obj.json',
        {'0': {'filename': 'red-square.png', 'caption': 'a red square', 'negative_caption': 'a red circle'}},
    )
    write_lines(
        f'{folder}/choices/choices.jsonl',
        [
            {
                'image': name,
                'caption': f'a {colour} {kind}',
                'negatives': [f'a purple {kind}', f'a {colour} elephant'],
            }
            for name, colour, kind in SMALL
        ],
    )
    for i, (name, colour, kind) in enumerate(SMALL):
        for where in [f'imagefolder/{"train" if i < 2 else "test"}', f'classes/{kind}']:
            os.makedirs(f'{folder}/{where}', exist_ok=True)
            shutil.copyfile(f'{folder}/images/{name}', f'{folder}/{where}/{name}')
    write_lines(
        f'{folder}/imagefolder/train/metadata.jsonl',
        [
            {'file_name': name, 'text': f'a {colour} {kind}', 'label': kind}
            for name, colour, kind in SMALL[:2]
        ],
    )
    write_text(
        f'{folder}/imagefolder/test/metadata.csv',
        'file_name,text,label\n'
        + ''.join(f'{name},a {colour} {kind},{kind}\n' for name, colour, kind in SMALL[2:]),
    )
    rows = numpy.random.default_rng(7).standard_normal((12, 8)).astype('float32')
    rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    for name in ['embeddings', 'clip-retrieval/img_emb', 'clip-retrieval/text_emb']:
        os.makedirs(f'{folder}/{name}', exist_ok=True)
    numpy.save(f'{folder}/embeddings/images.npy', rows[:4])
    numpy.save(f'{folder}/embeddings/texts.npy', rows[4:])
    numpy.save(f'{folder}/embeddings/image_of.npy', numpy.arange(8, dtype='int64') // 2)
    for part in range(2):
        numpy.save(
            f'{folder}/clip-retrieval/img_emb/img_emb_{part}.npy',
            rows[2 * part : 2 * part + 2].astype('float16'),
        )
        numpy.save(
            f'{folder}/clip-retrieval/text_emb/text_emb_{part}.npy',
            rows[4 + 2 * part : 6 + 2 * part].astype('float16'),
        )


if __name__ == '__main__':
    for made in ['scenes', 'leaking', 'small']:
        shutil.rmtree(f'{HERE}/{made}', ignore_errors=True)
    make_leaking(make_scenes())
    make_small()
