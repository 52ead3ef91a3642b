"""Recomputes the fusion figures that `semblance evaluate` reports, from the dataset's own file and the
saved embeddings.

python3 fusion.py report.json <captions.json> <embeddings> [--images <folder>] [--duplicates merge|keep]
    [--tolerance 1e-6]

<embeddings> is what --save-embeddings wrote, of a report on one dataset (COCO captions) by one model.
Joint vectors are made and normalised one by one, ranks are counted, and which records lack which
modality is read from the report's details. Prints each figure beside its own, and exits with 1 where one
differs or is missing. Needs NumPy only, and shares no code with the service.
"""
import argparse
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

METHODS = ['image', 'text', 'weighted', 'weighted z-score', 'rrf', 'joint']


def dataset():
    """Of each record its file and its first caption; of each query its words and the number of its record."""
    coco = read_json(arguments.dataset)
    captions = {}
    for annotation in coco['annotations']:
        captions.setdefault(annotation['image_id'], []).append(annotation['caption'].strip())
    images, first_of = [], {}
    for image in (image for image in coco['images'] if image['id'] in captions):
        first = (
            first_of.setdefault(digest(arguments.dataset, arguments.images, image['file_name']), image)
            if arguments.duplicates == 'merge'
            else image
        )
        if first is image:
            images.append(image)
        else:
            captions[first['id']] += captions[image['id']]
    records = [(os.path.basename(image['file_name']), captions[image['id']][0]) for image in images]
    queries = [
        (text, i)
        for i, image in enumerate(images)
        for text in dict.fromkeys(captions[image['id']][1:])
        if text != records[i][1]
    ]
    return records, queries


def ranks(scores):
    """From 1, a row a query; what ties shares the mean of its ranks."""
    ahead = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    tied = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    found = ahead + (tied + 1) / 2
    return np.where(np.isnan(scores), np.nan, found)


def mean_of_present(parts):
    """Of the modalities that are there, both weighing 0.5."""
    return np.nanmean(np.stack(parts), axis=0)


def fuse(method, queries, images, texts, has_image, has_text):
    by_image = np.where(has_image, queries @ images.T, np.nan)
    by_text = np.where(has_text, queries @ texts.T, np.nan)
    if method == 'image':
        return by_image
    if method == 'text':
        return by_text
    if method == 'weighted':
        return mean_of_present([by_image, by_text])
    if method == 'weighted z-score':
        return mean_of_present(
            [
                (scores - np.nanmean(scores, axis=1, keepdims=True))
                / np.nanstd(scores, axis=1, keepdims=True)
                for scores in (by_image, by_text)
            ]
        )
    if method == 'rrf':
        return mean_of_present([1 / (60 + ranks(scores)) for scores in (by_image, by_text)])
    joint = np.empty_like(images)
    for i, (image, text) in enumerate(zip(images, texts)):
        joint[i] = image if not has_text[i] else text if not has_image[i] else 0.5 * image + 0.5 * text
        joint[i] /= np.linalg.norm(joint[i])
    return queries @ joint.T


def measures(scores, targets):
    """Of each query the chances over the order of what ties."""
    each = {name: np.zeros(len(targets)) for name in ('recall@1', 'recall@5', 'recall@10', 'mrr')}
    for query, target in enumerate(targets):
        own = scores[query, target]
        if np.isnan(own):
            continue
        others = np.delete(scores[query], target)
        first = 1 + (others > own + 1e-12).sum()
        places = first + np.arange((np.abs(others - own) <= 1e-12).sum() + 1)
        for k in (1, 5, 10):
            each[f'recall@{k}'][query] = (places <= k).mean()
        each['mrr'][query] = (1 / places).mean()
    return each


def main():
    task = next(
        task
        for task in read_json(arguments.report)['datasets'][0]['results'][0]['tasks']
        if task['task'] == 'fusion'
    )
    if 'queries' in task['details'] or 'records' in task['details']:
        sys.exit('The report is on a sample of the records or of the queries, which this does not draw.')
    if isinstance(task['details']['missing']['0 %']['image'], int):
        sys.exit('The report does not name the records that lack a modality: there are too many.')
    records, asked = dataset()
    by_image, by_text = saved_rows(arguments.embeddings, 'images'), saved_rows(arguments.embeddings, 'texts')
    by_image = {os.path.basename(name): row for name, row in by_image.items()}
    images = np.stack([by_image[name] for name, _ in records])
    texts = np.stack([by_text[text] for _, text in records])
    queries = np.stack([by_text[text] for text, _ in asked])
    targets = np.array([record for _, record in asked])
    recomputed = {}
    for part, lacking in task['details']['missing'].items():
        lacks = {modality: {os.path.basename(name) for name in names} for modality, names in lacking.items()}
        has_image, has_text = (
            np.array([name not in lacks[modality] for name, _ in records]) for modality in ('image', 'text')
        )
        suffix = '' if part == '0 %' else f', {part} missing'
        kinds = {'both': has_image & has_text, 'image only': ~has_text, 'text only': ~has_image}
        for method in METHODS:
            each = measures(fuse(method, queries, images, texts, has_image, has_text), targets)
            recomputed.update(
                {f'fusion[{method}{suffix}].{name}': values.mean() for name, values in each.items()}
            )
            if suffix:
                recomputed.update(
                    {
                        f'fusion[{method}, of {kind}{suffix}].recall@10': each['recall@10'][
                            held[targets]
                        ].mean()
                        for kind, held in kinds.items()
                        if held[targets].any()
                    }
                )
    largest = 0.0
    for name in sorted(set(recomputed) | set(task['figures'])):
        reported = task['figures'].get(name, {'value': np.inf})['value']
        value = recomputed.get(name, -np.inf)
        largest = max(largest, abs(reported - value))
        print(f'{name:60} {reported:14.9f} {value:14.9f} {abs(reported - value):12.2e}')
    failed = not largest <= arguments.tolerance
    print(
        f'{len(recomputed)} figures, {len(records)} records, {len(asked)} queries; '
        f'largest difference {largest:.2e}: {"FAILED" if failed else "equal"}'
    )
    sys.exit(1 if failed else 0)


main()
