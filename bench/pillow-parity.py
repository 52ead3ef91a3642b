"""Draws pictures of many sizes and kinds, and prepares each with Pillow, for bench/pillow-parity.js to
compare with.

/usr/bin/python3 bench/pillow-parity.py FOLDER   (Debian's python3-pil and python3-numpy)
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 224
SIZES = [(1, 1), (3, 1000), (223, 224), (225, 224), (640, 427), (4000, 3000)]
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def draw(width, height):
    """A picture with slopes, edges and fine grain."""
    y, x = np.mgrid[0:height, 0:width]
    grain = np.random.default_rng(width * 10007 + height).integers(0, 60, (height, width, 3))
    bands = np.stack(
        [x * 195 // max(1, width - 1), y * 195 // max(1, height - 1), ((x // 9 + y // 7) % 2) * 180], -1
    )
    return Image.fromarray((bands + grain).astype(np.uint8), "RGB")


def kinds(picture):
    """The picture as files of several kinds: name, image, options of the file."""
    yield "rgb.png", picture, {}
    yield "grey.png", picture.convert("L"), {}
    alpha = picture.convert("L").point(lambda value: 255 if value > 90 else value * 2)
    rgba = picture.copy()
    rgba.putalpha(alpha)
    yield "rgba.png", rgba, {}
    yield "cmyk.jpg", picture.convert("CMYK"), {"quality": 95, "subsampling": 0}


def to_rgb(image):
    """What the towers' references are fed: alpha laid on white, then RGB."""
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def prepare(image, mode, resample):
    """Squashed, or the shortest side and the centre crop of Hugging Face's CLIPImageProcessor."""
    if mode == "squash":
        return image.resize((SIZE, SIZE), resample)
    width, height = image.size
    size = (SIZE, int(SIZE * height / width)) if width <= height else (int(SIZE * width / height), SIZE)
    left, top = (size[0] - SIZE) // 2, (size[1] - SIZE) // 2
    return image.resize(size, resample).crop((left, top, left + SIZE, top + SIZE))


def main(folder):
    """Writes files, prepared pixels and a list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for width, height in SIZES:
        for kind, image, options in kinds(draw(width, height)):
            file = f"{width}x{height}-{kind}"
            image.save(folder / file, **options)
            rgb = to_rgb(Image.open(folder / file))
            for mode in ["shortest", "squash"]:
                for name, resample in FILTERS.items():
                    prepared = f"{file}-{mode}-{name}.raw"
                    (folder / prepared).write_bytes(prepare(rgb, mode, resample).tobytes())
                    rows.append(
                        {
                            "file": file,
                            "size": f"{width}x{height}",
                            "kind": kind,
                            "mode": mode,
                            "filter": name,
                            "prepared": prepared,
                        }
                    )
    (folder / "list.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
