"""Writes pillow-digests.json: SHA-256 of what Pillow makes of pictures that a formula draws.

Run with Debian's python3-pil (Pillow 9.4): /usr/bin/python3 test/parity/make-pillow-digests.py
The formula stands in test/parity/resample.test.ts too.
"""
import hashlib
import json
import os

import PIL
from PIL import Image

SIZES = [
    (1, 1),
    (3, 1000),
    (223, 224),
    (225, 224),
    (224, 224),
    (37, 29),
    (640, 427),
    (427, 640),
    (1800, 900),
    (4000, 3000),
]
FILTERS = {
    "nearest": Image.NEAREST,
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "lanczos": Image.LANCZOS,
}
TARGET = 224


def draw(width, height):
    data = bytearray(width * height * 3)
    state = 1
    for i in range(len(data)):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        data[i] = ((state >> 16) & 63) + ((i // 3 % width) * 190 // width)
    return Image.frombytes("RGB", (width, height), bytes(data))


def shortest(width, height):
    if width <= height:
        return TARGET, int(TARGET * height / width)
    return int(TARGET * width / height), TARGET


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


rows = []
for width, height in SIZES:
    picture = draw(width, height)
    for name, kernel in FILTERS.items():
        row = {
            "width": width,
            "height": height,
            "filter": name,
            "squash": digest(picture.resize((TARGET, TARGET), kernel)),
        }
        whole = shortest(width, height)
        left, top = (whole[0] - TARGET) // 2, (whole[1] - TARGET) // 2
        cropped = picture.resize(whole, kernel).crop((left, top, left + TARGET, top + TARGET))
        row["shortest"] = digest(cropped)
        rows.append(row)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pillow-digests.json")
with open(path, "w") as file:
    lines = ",\n".join("    " + json.dumps(row) for row in rows)
    file.write('{\n  "made_by": "Pillow %s",\n  "rows": [\n%s\n  ]\n}\n' % (PIL.__version__, lines))
