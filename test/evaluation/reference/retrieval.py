"""Recomputes the retrieval figures that `semblance evaluate` reports, from the dataset's own file and the
saved embeddings.

python3 retrieval.py report.json <captions.json> <embeddings> [--images <folder>] [--duplicates
merge|keep]     [--tolerance 1e-6]

<embeddings> is what --save-embeddings wrote, of a report on one dataset (COCO captions) by one model.
Scores the whole matrix in float64 and sorts it, prints each figure beside its own, and exits with 1
where one differs or is missing. Needs NumPy only, and shares no code with the service. Of ties the
service has the expectation over their order in closed form; here every order is tried. Intervals are
drawn at random, and figures through the HNSW graph are approximate: both are not recomputed.
"""
import argparse
import itertools
import math
import os
import sys

import numpy as np

from dataset_files import digest, read_json, saved_rows

parser = argparse.ArgumentParser()
parser.add_argument('report')
parser.add_argument('dataset')
parser.add_argument('embeddings')
parser.add_argument(
    '--images', help='folder of the photos (default: that of the dataset, and those below it)'
)
parser.add_argument('--duplicates', choices=['merge', 'keep'], default='merge')
parser.add_argument('--tolerance', type=float, default=1e-6)
arguments = parser.parse_args()

KS = (1, 5, 10)
MOST_ORDERS = 1_000_000
MOST_ASKED = 2000


def embeddings(name):
    """The rows by what they are called, of unit length."""
    return {key: row / np.linalg.norm(row) for key, row in saved_rows(arguments.embeddings, name).items()}


def truth():
    """Names of images, captions, and a matrix [captions, images] of what is right."""
    coco = read_json(arguments.dataset)
    files = {image['id']: image['file_name'] for image in coco['images']}
    captions = [(annotation['caption'].strip(), annotation['image_id']) for annotation in coco['annotations']]
    if arguments.duplicates == 'keep':
        image_key = {image: image for image in files}
        caption_key = list(range(len(captions)))
    else:
        image_key = {
            image: digest(arguments.dataset, arguments.images, name) for image, name in files.items()
        }
        caption_key = [text for text, _ in captions]
    image_at, images, caption_at, texts = {}, [], {}, []
    for image, name in files.items():
        if image_key[image] not in image_at:
            image_at[image_key[image]] = len(images)
            images.append(name)
    for key, (text, _) in zip(caption_key, captions):
        if key not in caption_at:
            caption_at[key] = len(texts)
            texts.append(text)
    right = np.zeros((len(texts), len(images)), bool)
    for key, (_, image) in zip(caption_key, captions):
        right[caption_at[key], image_at[image_key[image]]] = True
    return images, texts, right


def sorted_measures(scores, right):
    """Of each query, where no two scores are equal: by sorting."""
    hits = np.take_along_axis(right, np.argsort(-scores, axis=1), axis=1)
    best = hits.argmax(axis=1) + 1
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return np.stack([*(best <= k for k in KS), best, (precision * hits).sum(axis=1) / hits.sum(axis=1)])


def tied_measures(scores, right):
    """Of one query, the mean over all orders of the candidates that tie."""
    recalls, rank, precision = np.zeros(len(KS)), 0.0, 0.0
    ahead, found = 0, 0
    for score in np.unique(scores)[::-1]:
        tied = scores == score
        count, hits = tied.sum(), right[tied].sum()
        if hits:
            if math.comb(count, hits) > MOST_ORDERS:
                sys.exit(f'{hits} of {count} that tie have too many orders to try.')
            places = ahead + 1 + np.array(list(itertools.combinations(range(count), hits)))
            precision += ((found + 1 + np.arange(hits)) / places).sum(axis=1).mean()
            if not found:
                recalls = np.array([(places[:, 0] <= k).mean() for k in KS])
                rank = places[:, 0].mean()
        ahead, found = ahead + count, found + hits
    return np.array([*recalls, rank, precision / found])


def one_way(scores, right):
    asked = right.any(axis=1)
    # A blocked product may round equal rows differently.
    scores, right = np.round(scores[asked], 12), right[asked]
    has_ties = np.array([len(np.unique(row)) < len(row) for row in scores])
    each = np.zeros((len(KS) + 2, len(scores)))
    each[:, ~has_ties] = sorted_measures(scores[~has_ties], right[~has_ties])
    for query in np.flatnonzero(has_ties):
        each[:, query] = tied_measures(scores[query], right[query])
    *recalls, rank, precision = each
    return {
        **{f'.recall@{k}': values.mean() for k, values in zip(KS, recalls)},
        **{f'_exact.recall@{k}': values.mean() for k, values in zip(KS, recalls)},
        '.median_rank': np.median(rank),
        '.map': precision.mean(),
    }


def main():
    figures = next(
        task
        for task in read_json(arguments.report)['datasets'][0]['results'][0]['tasks']
        if task['task'] == 'retrieval'
    )['figures']
    images, texts, right = truth()
    by_image, by_text = embeddings('images'), embeddings('texts')
    image_rows = np.stack(
        [
            next(row for name, row in by_image.items() if os.path.basename(name) == os.path.basename(image))
            for image in images
        ]
    )
    scores = np.stack([by_text[text] for text in texts]) @ image_rows.T
    largest = 0.0
    print(f'{len(texts)} captions, {len(images)} images, {right.sum()} true pairs')
    print(f'{"figure":28} {"reported":>14} {"recomputed":>14} {"difference":>12}')
    for way, (way_scores, way_right) in {
        'text_to_image': (scores, right),
        'image_to_text': (scores.T, right.T),
    }.items():
        for measure, value in one_way(way_scores, way_right).items():
            # Beside the graph's recall, of the queries that it was asked: a sample where they are many.
            if measure.startswith('_exact') and way_right.any(axis=1).sum() > MOST_ASKED:
                continue
            reported = figures.get(way + measure, {'value': math.inf})['value']
            largest = max(largest, abs(reported - value))
            print(f'{way + measure:28} {reported:14.9f} {value:14.9f} {abs(reported - value):12.2e}')
    failed = not largest <= arguments.tolerance
    print(f'largest difference {largest:.2e}: {"FAILED" if failed else "equal"}')
    sys.exit(1 if failed else 0)


main()
