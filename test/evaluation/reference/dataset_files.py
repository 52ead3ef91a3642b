"""Reads what the scripts here compare: saved embeddings, and the files of a dataset. Needs NumPy only."""
import hashlib
import json
import os

import numpy as np


def read_json(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def saved_rows(folder, name):
    """The rows by what they are called, in float64."""
    rows = np.load(os.path.join(folder, name + '.npy')).astype(np.float64)
    return dict(zip(read_json(os.path.join(folder, name + '.json')), rows))


def digest(dataset, images, file_name):
    """Of a photo: it lies in `images`, or without it in the dataset's folder, in one below it, or above."""
    base = os.path.dirname(os.path.abspath(dataset))
    folders = (
        [images]
        if images
        else [base, *(entry.path for entry in os.scandir(base) if entry.is_dir()), os.path.dirname(base)]
    )
    path = next(
        path for path in (os.path.join(folder, file_name) for folder in folders) if os.path.exists(path)
    )
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()
