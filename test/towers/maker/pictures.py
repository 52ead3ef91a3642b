"""The pictures of the goldens: edges, gradients and discs, different at each side."""
import os

import numpy as np
from PIL import Image

#: Name, width, height. 43x32 leaves 11 columns to crop: half of that is floored to 5 and rounded to 6.
SIZES = [
    ("wide.png", 60, 40),
    ("tall.png", 33, 64),
    ("odd.png", 43, 32),
    ("near.png", 41, 32),
    ("square.png", 32, 32),
    ("banner.jpg", 97, 50),
]


def draw(width, height, seed):
    """A picture whose colours run over both axes, with a disc, bars and a fine pattern at its sides."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[0:height, 0:width]
    ramps = random.uniform(-1, 1, (3, 2))
    picture = np.stack(
        [128 + 110 * (a * (2 * x / width - 1) + b * (2 * y / height - 1)) for a, b in ramps], -1
    )
    centre, radius = random.uniform(0.25, 0.75, 2), random.uniform(0.2, 0.35) * min(width, height)
    disc = (x - centre[0] * width) ** 2 + (y - centre[1] * height) ** 2 < radius**2
    picture[disc] = random.uniform(0, 255, 3)
    left, lower = x < width * 0.2, y > height * 0.8
    picture[left & (y % 6 < 3)] = random.uniform(0, 255, 3)
    picture[lower & (x % 5 < 2)] = random.uniform(0, 255, 3)
    picture[(x > width * 0.75) & ((x + y) % 4 < 2)] = random.uniform(0, 255, 3)
    return Image.fromarray(np.clip(np.round(picture), 0, 255).astype(np.uint8), "RGB")


def make_pictures(folder):
    """Writes the pictures and gives their names."""
    os.makedirs(folder, exist_ok=True)
    for seed, (name, width, height) in enumerate(SIZES):
        options = {"quality": 95, "subsampling": 0} if name.endswith(".jpg") else {"optimize": True}
        draw(width, height, seed).save(os.path.join(folder, name), **options)
    return [name for name, _, _ in SIZES]
