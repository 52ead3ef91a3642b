"""Makes pairs of embeddings for bench/evaluation.js, and ranks them as a plain NumPy script would, to
compare with.

/usr/bin/python3 bench/evaluation.py make FOLDER PAIRS DIMENSION NOISE
/usr/bin/python3 bench/evaluation.py rank FOLDER     (Debian's python3-numpy)
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

MADE_AT_ONCE = 20_000
QUERIES_AT_ONCE = 500
KS = (1, 5, 10)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make(folder, pairs, dimension, noise):
    """images.npy of random directions, and texts.npy of the same with noise that is `noise` times as long."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    files = [
        np.lib.format.open_memmap(folder / name, "w+", np.float32, (pairs, dimension))
        for name in ("images.npy", "texts.npy")
    ]
    for start in range(0, pairs, MADE_AT_ONCE):
        rows = min(MADE_AT_ONCE, pairs - start)
        images = unit(generator.standard_normal((rows, dimension), np.float32))
        files[0][start : start + rows] = images
        files[1][start : start + rows] = unit(
            images + noise / dimension**0.5 * generator.standard_normal((rows, dimension), np.float32)
        )
    for file in files:
        file.flush()


def rank(folder):
    """Ranks both ways, block by block, in float32 and without ties; prints figures, seconds, processor
    seconds and peak memory.
    """
    started = time.perf_counter()
    images, texts = np.load(folder / "images.npy"), np.load(folder / "texts.npy")
    pairs = len(images)
    own = np.empty(pairs, np.float32)
    to_image, to_text = np.empty(pairs, np.int64), np.zeros(pairs, np.int64)
    for start in range(0, pairs, QUERIES_AT_ONCE):
        stop = min(pairs, start + QUERIES_AT_ONCE)
        own[start:stop] = np.einsum("ij,ij->i", texts[start:stop], images[start:stop])
    for start in range(0, pairs, QUERIES_AT_ONCE):
        stop = min(pairs, start + QUERIES_AT_ONCE)
        scores = texts[start:stop] @ images.T
        # The product may round a pair's own score up.
        scores[np.arange(stop - start), np.arange(start, stop)] = -np.inf
        to_image[start:stop] = (scores > own[start:stop, None]).sum(axis=1)
        to_text += (scores > own[None, :]).sum(axis=0)
    figures = {}
    for way, ahead in (("text_to_image", to_image), ("image_to_text", to_text)):
        figures |= {f"{way}.recall@{k}": float((ahead < k).mean()) for k in KS}
        figures |= {
            f"{way}.median_rank": float(np.median(ahead + 1)),
            f"{way}.map": float((1 / (ahead + 1)).mean()),
        }
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - started,
                "cpuSeconds": time.process_time(),
                "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "figures": figures,
            }
        )
    )


if sys.argv[1] == "make":
    make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
else:
    rank(Path(sys.argv[2]))
