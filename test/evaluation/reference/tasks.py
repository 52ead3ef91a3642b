"""Recomputes what `semblance evaluate` reports of a dataset, from the dataset's files and the embeddings
that it saved.

python3 tasks.py report.json <dataset> <embeddings> [--tolerance 1e-6]

<embeddings> is what --save-embeddings wrote. Covers zero-shot, few-shot, compositionality, word-order,
blind, robustness and bias of a report on one dataset by one model; prints each figure beside its own,
and exits with 1 where one differs. Needs NumPy only, and shares no code with the service. The intervals
of few-shot and of zero-shot's top-1 are recomputed too, with a generator of the same random numbers; the
others are not.
"""
import argparse
import csv
import functools
import json
import math
import os
import sys

import numpy as np

from dataset_files import read_json, saved_rows

parser = argparse.ArgumentParser()
parser.add_argument('report')
parser.add_argument('dataset')
parser.add_argument('embeddings')
parser.add_argument('--tolerance', type=float, default=1e-6)
arguments = parser.parse_args()


def read_lines(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.strip()]


IMAGES, TEXTS = saved_rows(arguments.embeddings, 'images'), saved_rows(arguments.embeddings, 'texts')
CONSTANT = next((row for name, row in IMAGES.items() if name.endswith('|{"kind":"constant"}')), None)
document = read_json(arguments.report)
report, SETTINGS = document['datasets'][0], document['settings']
TASKS = {task['task']: task for task in report['results'][0]['tasks']}


def images(ids, corruption=None):
    return np.stack([IMAGES[i if corruption is None else f'{i}|{corruption}'] for i in ids])


def texts(list_of_texts):
    return np.stack([TEXTS[text] for text in list_of_texts])


def cosines(first, second):
    """Equal rows must give equal scores, which a blocked product doesn't promise."""
    return np.round(first @ second.T, 12)


def normalised(vector):
    """In single precision, as the service keeps what it has computed."""
    vector = vector.astype(np.float32)
    return (vector / np.sqrt((vector.astype(np.float64) ** 2).sum())).astype(np.float32).astype(np.float64)


def mean_embedding(rows):
    total = np.zeros(rows.shape[1], np.float32)
    for row in rows.astype(np.float32):
        total = total + row
    return normalised(total)


def mean_of_others(rows, groups):
    groups = np.asarray(groups)
    return np.stack([normalised(rows[groups != own].sum(0)) for own in groups])


# Datasets -----------------------------------------------------------------------------------------


def read_captions(path):
    for name in [
        path,
        *(os.path.join(path, file) for file in ('captions.json', 'annotations/captions.json')),
    ]:
        if name.endswith('.json') and os.path.exists(name):
            coco = read_json(name)
            captions = {image['id']: [] for image in coco['images']}
            for annotation in coco['annotations']:
                captions[annotation['image_id']].append(annotation['caption'].strip())
            return [
                (image['file_name'], captions[image['id']])
                for image in coco['images']
                if captions[image['id']]
            ]
    raise SystemExit(f'{path}: captions are read in the COCO format only')


def read_classes(path):
    if path.endswith('.csv'):
        return [(row['file_name'], row['label']) for row in read_table(path)]
    labels = sorted(entry for entry in os.listdir(path) if os.path.isdir(os.path.join(path, entry)))
    found = [
        (i, label, file)
        for label in labels
        for i, file in enumerate(sorted(os.listdir(os.path.join(path, label))))
    ]
    # One of each class, then the next one of each.
    return [(f'{label}/{file}', label) for _, label, file in sorted(found)]


def read_table(path):
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def read_pairs(path):
    rows = read_lines(path if path.endswith('.jsonl') else os.path.join(path, 'examples.jsonl'))
    return [
        ([row['image_0'], row['image_1']], [row['caption_0'], row['caption_1']], row.get('tag'))
        for row in rows
    ]


def read_choices(path):
    if path.endswith('.jsonl'):
        return [
            (row['image'], [row['caption'], *row['negatives']], row.get('tag')) for row in read_lines(path)
        ]
    items = []
    for file in sorted(name for name in os.listdir(path) if name.endswith('.json')):
        rows = read_json(os.path.join(path, file))
        items += [
            (row['filename'], [row['caption'], row['negative_caption']], file[:-5]) for row in rows.values()
        ]
    return items


# Measures -----------------------------------------------------------------------------------------


def share_in_top(scores, right, k):
    """How probable it is that one of `right` is among the k highest, ties in a random order: one minus none
    of them.
    """
    best = max(scores[i] for i in right)
    above, tied, own = (
        int((scores > best).sum()),
        int((scores == best).sum()),
        sum(scores[i] == best for i in right),
    )
    draws = k - above
    return (
        0.0
        if draws <= 0
        else 1.0
        if draws >= tied
        else 1 - math.comb(tied - own, draws) / math.comb(tied, draws)
    )


def recall(scores, rights, k):
    return np.array([share_in_top(row, right, k) for row, right in zip(scores, rights)])


def auroc(scores, positive):
    gaps = scores[positive][:, None] - scores[~positive][None, :]
    return ((gaps > 1e-12).sum() + (np.abs(gaps) <= 1e-12).sum() / 2) / gaps.size


def top_first(scores, truth, k=1):
    return np.array([share_in_top(row, [label], k) for row, label in zip(scores, truth)])


def winoground(images_of, captions):
    """Rows of pairs: images_of and captions are [pairs, 2, dimension]."""
    s = np.round(np.einsum('pcd,pid->pci', captions, images_of), 12)
    text = (s[:, 0, 0] > s[:, 1, 0]) & (s[:, 1, 1] > s[:, 0, 1])
    image = (s[:, 0, 0] > s[:, 0, 1]) & (s[:, 1, 1] > s[:, 1, 0])
    return {'text': text.astype(float), 'image': image.astype(float), 'group': (text & image).astype(float)}


def choices_right(rows, items):
    return np.array(
        [
            share_in_top(np.round(texts(captions) @ row, 12), [0], 1)
            for row, (_, captions, _) in zip(rows, items)
        ]
    )


def logistic(features, targets, c, steps=100):
    """Binary logistic regression by Newton's method. Two rows of weights that are each penalised by half
    their square are opposite at the minimum, so that their difference u is penalised by a quarter of its
    own.
    """
    x = np.hstack([features, np.ones((len(features), 1))])
    penalty = np.append(np.full(features.shape[1], 0.5), 0.0)
    u = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(x @ u)))
        gradient = penalty * u + c * x.T @ (p - targets)
        step = np.linalg.solve(np.diag(penalty) + c * (x * (p * (1 - p))[:, None]).T @ x, gradient)
        u -= step
        if np.abs(step).max() < 1e-10:
            break
    return lambda rows: np.hstack([rows, np.ones((len(rows), 1))]) @ u


def multinomial(features, labels, classes, c):
    """Multinomial logistic regression, 1/2 |W|^2 + C times the cross-entropies with free intercepts, by
    damped Newton. The minimum's rows of W lie in the span of the features, so that it is looked for
    there. Intercepts may all be moved alike: their sum is held at 0.
    """
    _, strengths, basis = np.linalg.svd(features, full_matrices=False)
    basis = basis[strengths > 1e-10]
    x = np.hstack([features @ basis.T, np.ones((len(features), 1))])
    width, hot = x.shape[1], np.eye(classes)[labels]
    penalty = np.append(np.ones(width - 1), 0.0)
    last = np.arange(width - 1, classes * width, width)

    def loss(w):
        logits = x @ w.T
        highest = logits.max(1, keepdims=True)
        totals = highest[:, 0] + np.log(np.exp(logits - highest).sum(1))
        return (
            (penalty * w * w).sum() / 2 + w[:, -1].sum() ** 2 / 2 + c * (totals - (logits * hot).sum(1)).sum()
        )

    w = np.zeros((classes, width))
    for _ in range(200):
        p = np.exp(x @ w.T - (x @ w.T).max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        gradient = penalty * w + c * (p - hot).T @ x
        gradient[:, -1] += w[:, -1].sum()
        hessian = np.zeros((classes, width, classes, width))
        for k in range(classes):
            for other in range(classes):
                weights = p[:, k] * ((k == other) - p[:, other])
                hessian[k, :, other, :] = c * (x * weights[:, None]).T @ x + (k == other) * np.diag(penalty)
        hessian = hessian.reshape(classes * width, -1)
        hessian[np.ix_(last, last)] += 1
        step = np.linalg.solve(hessian, gradient.ravel()).reshape(w.shape)
        if np.abs(step).max() < 1e-9:
            break
        size = 1.0
        while loss(w - size * step) > loss(w) - 1e-4 * size * (gradient * step).sum() and size > 1e-6:
            size /= 2
        w = w - size * step
    else:
        raise SystemExit('the logistic regression did not converge')
    return lambda rows: np.hstack([rows @ basis.T, np.ones((len(rows), 1))]) @ w.T


@functools.cache
def resampled(groups):
    """[resamples, groups]: which groups are drawn, by xoroshiro128+ (Blackman and Vigna 2018) as pure-rand
    seeds it.
    """
    mask, seed = 2**64 - 1, SETTINGS['seed'] & 0xFFFFFFFF
    first, second = 0xFFFFFFFF << 32 | ~seed & 0xFFFFFFFF, seed << 32
    rotated = lambda value, by: (value << by | value >> 64 - by) & mask
    allowed = 2**32 // groups * groups
    drawn = []
    while len(drawn) < SETTINGS['resamples'] * groups:
        number = ((first + second) + 2**31) % 2**32
        second ^= first
        first, second = rotated(first, 24) ^ second ^ second << 16 & mask, rotated(second, 37)
        if number < allowed:
            drawn.append(number % groups)
    return np.array(drawn).reshape(SETTINGS['resamples'], groups)


def interval(values, clusters):
    """The percentile bootstrap interval of the mean: clusters are drawn with all of their values."""
    number = {cluster: i for i, cluster in enumerate(dict.fromkeys(clusters))}
    assert 2 < len(number) <= 10_000
    places = np.array([number[cluster] for cluster in clusters])
    sums, counts = np.bincount(places, np.asarray(values, float)), np.bincount(places)
    drawn = resampled(len(number))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    return np.percentile(means, [50 - 50 * SETTINGS['confidence'], 50 + 50 * SETTINGS['confidence']])


def with_interval(task, name, values, clusters):
    """The ends of a figure's interval, as figures of their own."""
    found = {}
    for end, value in zip(('low', 'high'), interval(values, clusters)):
        task['figures'][f'({end} of {name})'] = {'value': task['figures'][name][end]}
        found[f'({end} of {name})'] = value
    return found


# Tasks: each returns its figures by name ----------------------------------------------------------


def tagged(group, tags, values):
    found = {f'{group}.{name}': v.mean() for name, v in values.items()}
    for tag in set(tags) - {None, ''}:
        own = np.array([other == tag for other in tags])
        if own.sum() >= 5:
            found.update({f'{group}[{tag}].{name}': v[own].mean() for name, v in values.items()})
    return found


def zero_shot(task):
    items = read_classes(arguments.dataset)
    labels = sorted({label for _, label in items})
    truth = np.array([labels.index(label) for _, label in items])
    rows, settings = images([i for i, _ in items]), task['details']['settings']
    scale, bias = settings.get('logitScale', 1), settings.get('logitBias', 0)
    found = {}
    for group, templates in task['details']['templates'].items():
        prompts = [texts([template.replace('{label}', label) for template in templates]) for label in labels]
        similarities = cosines(rows, np.stack([mean_embedding(own) for own in prompts]))
        logits = scale * similarities + bias
        probability = np.exp(logits - logits.max(1, keepdims=True))
        probability = (
            probability / probability.sum(1, keepdims=True)
            if settings['activation'] == 'softmax'
            else 1 / (1 + np.exp(-logits))
        )
        right, confidence = top_first(similarities, truth), probability.max(1)
        found[f'{group}.top1'] = right.mean()
        found.update(with_interval(task, f'{group}.top1', right, range(len(right))))
        found[f'{group}.mean_per_class'] = np.mean(
            [right[truth == label].mean() for label in range(len(labels))]
        )
        found[f'{group}.auroc'] = np.mean(
            [auroc(np.log(probability[:, label]), truth == label) for label in range(len(labels))]
        )
        edges = np.linspace(0, 1, 16)
        bins = [(confidence > low) & (confidence <= high) for low, high in zip(edges, edges[1:])]
        found[f'{group}.ece'] = sum(
            b.mean() * abs(right[b].mean() - confidence[b].mean()) for b in bins if b.any()
        )
        if len(labels) > 5:
            found[f'{group}.top5'] = top_first(similarities, truth, 5).mean()
        if len(templates) > 1:
            alone = np.mean(
                [
                    top_first(cosines(rows, np.stack([own[t] for own in prompts])), truth)
                    for t in range(len(templates))
                ],
                0,
            )
            found[f'{group}.top1_single_template'] = alone.mean()
            found[f'{group}.ensembling_gain'] = (right - alone).mean()
        if group == 'zero_shot':
            counts = np.zeros((len(labels), len(labels)), int)
            np.add.at(counts, (truth, similarities.argmax(1)), 1)
            task['figures']['(confusion, differing cells)'] = {
                'value': float((counts != np.array(task['confusion']['counts'])).sum())
            }
            found['(confusion, differing cells)'] = 0.0
            for own in task['details']['perClass']:
                task['figures'][f"(accuracy of {own['label']})"] = own
                found[f"(accuracy of {own['label']})"] = right[truth == labels.index(own['label'])].mean()
    return found


def few_shot(task):
    details, items = task['details'], read_classes(arguments.dataset)
    classes = details['classes']
    counts = {label: sum(own == label for _, own in items) for label in classes}
    assert len(classes) == 50 or classes == sorted(
        {label for _, label in items if sum(own == label for _, own in items) >= 3}
    ), classes
    shots = [count for count in (1, 2, 4, 8, 16) if 1.5 * count <= min(counts.values())]
    words = texts([details['template'].replace('{label}', label) for label in classes])
    tested, right = [], {
        name: []
        for name in [
            'few_shot.zero_shot',
            *(
                f'few_shot.{method}@{count}'
                for method in ('linear_probe', 'linear_probe_alone', 'nearest_mean')
                for count in shots
            ),
        ]
    }
    for draw in details['draws']:
        drawn = {image for own in draw for image in own}
        assert all(
            len(own) == shots[-1] and {image.split('/')[0] for image in own} == {label}
            for label, own in zip(classes, draw)
        ), draw
        assert len(drawn) == shots[-1] * len(classes), 'no image is an example twice'
        test = [
            (image, classes.index(label)) for image, label in items if label in classes and image not in drawn
        ]
        tested += [image for image, _ in test]
        rows, truth = images([image for image, _ in test]), np.array([label for _, label in test])
        count_right = lambda name, scores: right[f'few_shot.{name}'].extend(scores.argmax(1) == truth)
        count_right('zero_shot', rows @ words.T)
        for count in shots:
            examples, labels = np.stack([images(own[:count]) for own in draw]), np.repeat(
                np.arange(len(classes)), count
            )
            means = examples.mean(1)
            count_right(
                f'nearest_mean@{count}', rows @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
            )
            features, setting = (
                examples.reshape(len(labels), -1),
                lambda name: details['settings'][f'{name}@{count}'],
            )
            assert count > 1 or setting('linear_probe') == setting('linear_probe_alone') == 1, details[
                'settings'
            ]
            alone = multinomial(features, labels, len(classes), setting('linear_probe_alone'))
            count_right(f'linear_probe_alone@{count}', alone(rows))
            both = multinomial(
                np.vstack([features, words]),
                np.append(labels, np.arange(len(classes))),
                len(classes),
                setting('linear_probe'),
            )
            count_right(f'linear_probe@{count}', both(rows))
    found = {name: np.mean(values) for name, values in right.items()}
    for name, values in right.items():
        found.update(with_interval(task, name, values, tested))
    return found


def compositionality(task):
    if report['kind'] == 'pairs':
        items = read_pairs(arguments.dataset)
        values = winoground(
            np.stack([images(i) for i, _, _ in items]), np.stack([texts(c) for _, c, _ in items])
        )
        return tagged('winoground', [tag for _, _, tag in items], values)
    items = read_choices(arguments.dataset)
    return tagged(
        'hard_negatives',
        [tag for _, _, tag in items],
        {'accuracy': choices_right(images([i for i, _, _ in items]), items)},
    )


def captioned():
    """Images, distinct captions, the captions of each image and the images of each caption."""
    items = (
        read_captions(arguments.dataset)
        if report['kind'] == 'captions'
        else [(i, [c]) for both, captions, _ in read_pairs(arguments.dataset) for i, c in zip(both, captions)]
    )
    distinct = list(dict.fromkeys(caption for _, captions in items for caption in captions))
    place = {caption: i for i, caption in enumerate(distinct)}
    texts_of = [sorted({place[caption] for caption in captions}) for _, captions in items]
    images_of = [[i for i, own in enumerate(texts_of) if c in own] for c in range(len(distinct))]
    return [i for i, _ in items], distinct, texts_of, images_of


def word_order(task):
    ids, distinct, _, images_of = captioned()
    rows, place, found = images(ids), {caption: i for i, caption in enumerate(distinct)}, {}
    for way, pairs in task['details']['shuffled'].items():
        for before, after in pairs:
            assert (
                sorted(before.strip(' .!?').split()) == sorted(after.strip(' .!?').split())
                and before != after
            ), (before, after)
        group = 'word_order' if way == 'words' else f'word_order[{way}]'
        right = [images_of[place[before]] for before, _ in pairs]
        true, shuffled = (cosines(texts([pair[side] for pair in pairs]), rows) for side in (0, 1))
        own = lambda scores: [scores[i, r] for i, r in enumerate(right)]
        found[f'{group}.drop'] = np.mean([a.mean() - b.mean() for a, b in zip(own(true), own(shuffled))])
        found[f'{group}.preference'] = np.mean(
            [((a > b) + 0.5 * (a == b)).mean() for a, b in zip(own(true), own(shuffled))]
        )
        for k in (1, 5):
            found[f'{group}.recall@{k}'] = recall(shuffled, right, k).mean()
            found[f'{group}.recall@{k}_drop'] = (recall(true, right, k) - recall(shuffled, right, k)).mean()
    return found


def both_ways(rows, captions, texts_of, images_of):
    scores = cosines(captions, rows)
    return {
        f'{name}_recall@{k}': recall(s, right, k)
        for name, s, right in (('text_to_image', scores, images_of), ('image_to_text', scores.T, texts_of))
        for k in (1, 5)
    }


def zero_shot_top1(task, labels, truth):
    template = task['details']['template']
    weights = texts([template.replace('{label}', label) for label in labels])
    return lambda rows: {'top1': top_first(cosines(rows, weights), truth)}


def blind(task):
    other, found = [pair[1] for pair in task['details']['swapped']], {}
    if report['kind'] == 'captions':
        ids, distinct, texts_of, images_of = captioned()
        captions, rows = texts(distinct), images(ids)
        measure = lambda seen: both_ways(seen, captions, texts_of, images_of)
        to_image, to_text = cosines(mean_of_others(captions, [own[0] for own in images_of]), rows), cosines(
            mean_of_others(rows, ids), captions
        )
        prior = {
            f'{name}_recall@{k}': recall(s, right, k)
            for name, s, right in (
                ('text_to_image', to_image, images_of),
                ('image_to_text', to_text, texts_of),
            )
            for k in (1, 5)
        }
        counts = np.array([len(own) for own in images_of], float)
        others = np.stack([counts - np.isin(np.arange(len(counts)), own) for own in texts_of])
        runs = {
            'prior': prior,
            'frequency': {f'image_to_text_recall@{k}': recall(others, texts_of, k) for k in (1, 5)},
        }
    elif report['kind'] == 'classes':
        items = read_classes(arguments.dataset)
        labels = sorted({label for _, label in items})
        truth = np.array([labels.index(label) for _, label in items])
        ids, measure = [i for i, _ in items], zero_shot_top1(task, labels, truth)
        rows = images(ids)
        runs = {
            'majority': {'top1': (truth == np.bincount(truth).argmax()).astype(float)},
            'prior': measure(mean_of_others(rows, ids)),
        }
        if 'folds' in task['details']:
            runs['text_only'] = {
                'top1': text_only(
                    [row['text'] for row in read_table(arguments.dataset)],
                    truth,
                    np.array(task['details']['folds']),
                )
            }
    elif report['kind'] == 'pairs':
        items = read_pairs(arguments.dataset)
        captions, ids = np.stack([texts(c) for _, c, _ in items]), [both[0] for both, _, _ in items]
        rows = np.stack([images(both) for both, _, _ in items])
        measure = lambda seen: winoground(seen, captions)
        runs = {
            'prior': measure(
                mean_of_others(rows.reshape(-1, rows.shape[2]), np.arange(2 * len(rows)) // 2).reshape(
                    rows.shape
                )
            )
        }
    else:
        items = read_choices(arguments.dataset)
        ids = [i for i, _, _ in items]
        rows, measure = images(ids), lambda seen: {'accuracy': choices_right(seen, items)}
        runs = {'prior': measure(mean_of_others(rows, ids))}
        if 'folds' in task['details']:
            runs['caption_only'] = {
                'accuracy': caption_only(
                    [items[i][1] for i in task['details']['items']], np.array(task['details']['folds'])
                )
            }
    swaps, place = task['details']['swapped'], {i: n for n, i in enumerate(ids)}
    assert report['kind'] != 'choices' or [pair[0] for pair in swaps] == ids
    assert sorted(other) == sorted(ids) and sorted(pair[0] for pair in swaps) == sorted(
        ids
    ), 'swapped images are a permutation'
    assert all(own != others for own, others in swaps), 'none keeps its own'
    order = (
        [place[pair[1]] for pair in swaps]
        if report['kind'] == 'choices'
        else [place[dict(swaps)[i]] for i in ids]
    )
    runs = {
        'sighted': measure(rows),
        'swapped': measure(rows[order]),
        'constant': measure(np.broadcast_to(CONSTANT, rows.shape)),
        **runs,
    }
    for run, measures in runs.items():
        found.update({f'blind[{run}].{name}': values.mean() for name, values in measures.items()})
    return found


def text_only(written, truth, folds):
    assert all(
        len({fold for other, fold in zip(written, folds) if other == text}) == 1 for text in set(written)
    ), 'equal texts are in one fold'
    rows, right = texts(written), np.zeros(len(truth))
    for fold in set(folds):
        kept, held = folds != fold, np.flatnonzero(folds == fold)
        right[held] = top_first(
            np.round(multinomial(rows[kept], truth[kept], truth.max() + 1, 10)(rows[held]), 12), truth[held]
        )
    return right


def caption_only(captions, folds):
    right = np.zeros(len(captions))
    for fold in set(folds):
        kept = [i for i in range(len(captions)) if folds[i] != fold]
        score = logistic(
            np.vstack([texts(captions[i]) for i in kept]),
            np.concatenate([[1.0] + [0.0] * (len(captions[i]) - 1) for i in kept]),
            10,
        )
        for i in np.flatnonzero(folds == fold):
            right[i] = share_in_top(np.round(score(texts(captions[i])), 12), [0], 1)
    return right


CORRUPTIONS = [
    ('jpeg', 'quality', [75, 50, 25, 10]),
    ('blur', 'sigma', [1, 2, 4]),
    ('rotation', 'degrees', [10, 30, 90, 180]),
]


def robustness(task):
    if report['kind'] == 'captions':
        ids, distinct, texts_of, images_of = captioned()
        captions = texts(distinct)
        measure = lambda seen: both_ways(seen, captions, texts_of, images_of)
    else:
        items = read_classes(arguments.dataset)
        labels, ids = sorted({label for _, label in items}), [i for i, _ in items]
        measure = zero_shot_top1(task, labels, np.array([labels.index(label) for _, label in items]))
    steps = {
        f'{kind} {value}': json.dumps(
            dict(sorted({'kind': kind, name: value}.items())), separators=(',', ':')
        )
        for kind, name, values in CORRUPTIONS
        for value in values
    }
    clean = measure(images(ids))
    found = {f'robustness[clean].{name}': values.mean() for name, values in clean.items()}
    for step, corruption in {**steps, 'grey': '{"kind":"grey"}'}.items():
        rows = images(ids, corruption)
        found[f'robustness[{step}].cosine'] = (rows * images(ids)).sum(1).mean()
        for name, values in measure(rows).items():
            found[f'robustness[{step}].{name}'] = values.mean()
            found[f'robustness[{step}].{name}_drop'] = (clean[name] - values).mean()
    return found


def bias(task):
    ids = {
        'captions': lambda: [i for i, _ in read_captions(arguments.dataset)],
        'classes': lambda: [i for i, _ in read_classes(arguments.dataset)],
        'pairs': lambda: list(dict.fromkeys(i for both, _, _ in read_pairs(arguments.dataset) for i in both)),
        'choices': lambda: list(dict.fromkeys(i for i, _, _ in read_choices(arguments.dataset))),
    }[report['kind']]()
    rows, found = images(ids), {}
    effect = lambda d: d.mean() / d.std(ddof=1)
    for s in task['details']['counterfactuals']:
        differences = []
        for attribute in [None, *s['attributes']]:
            prompt = s['neutral'] if attribute is None else s['template'].replace('{attribute}', attribute)
            first, second = (rows @ TEXTS[prompt.replace('{group}', group)] for group in s['groups'])
            differences.append(first - second)
            found[f"bias[{s['name']}: {attribute or 'no attribute'}].effect"] = effect(first - second)
        mean = np.mean(differences[1:], 0)
        found.update(
            {f"bias[{s['name']}].effect": effect(mean), f"bias[{s['name']}].difference": mean.mean()}
        )
    for s in task['details']['associations']:
        a, b = (texts(words) for words in s['attributes'])
        associated = [(texts(words) @ a.T).mean(1) - (texts(words) @ b.T).mean(1) for words in s['targets']]
        found[f"weat[{s['name']}].effect"] = (associated[0].mean() - associated[1].mean()) / np.concatenate(
            associated
        ).std(ddof=1)
    return found


CHECKS = {
    'zero-shot': zero_shot,
    'few-shot': few_shot,
    'compositionality': compositionality,
    'word-order': word_order,
    'blind': blind,
    'robustness': robustness,
    'bias': bias,
}
wrong = compared = 0
for name, check in CHECKS.items():
    if name not in TASKS:
        continue
    found = check(TASKS[name])
    figures = TASKS[name]['figures']
    for figure in sorted(set(found) | set(figures)):
        own, theirs = found.get(figure), figures.get(figure, {}).get('value')
        differs = own is None or theirs is None or not abs(own - theirs) <= arguments.tolerance
        wrong += differs
        compared += 1
        show = lambda value: '-' if value is None else f'{value:.8f}'
        print(f"{name:18} {figure:60} {show(theirs):>14} {show(own):>14} {'DIFFERS' if differs else 'equal'}")
print(f'{compared} figures, {wrong} differ by more than {arguments.tolerance}')
sys.exit(1 if wrong or compared == 0 else 0)
