"""The reference preprocessing of each kind of package, with Pillow and numpy alone."""
import numpy as np
from PIL import Image

CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def shortest(image, size, kernel):
    """Resizes the shortest side to `size`; the long side is truncated, as Transformers and torchvision do."""
    width, height = image.size
    whole = (size, int(size * height / width)) if width <= height else (int(size * width / height), size)
    return image.resize(whole, kernel)


def shortest_immich(image, size, kernel):
    """As `shortest`, with Immich's order of the operations."""
    width, height = image.size
    whole = (size, int((height / width) * size)) if width < height else (int((width / height) * size), size)
    return image.resize(whole, kernel)


def floor_offset(length, size):
    """Where Transformers' centre crop begins."""
    return (length - size) // 2


def round_offset(length, size):
    """Where torchvision's centre crop begins; Python rounds halves to even."""
    return int(round((length - size) / 2.0))


def immich_offset(length, size):
    """Where Immich's centre crop begins."""
    return int(length / 2 - size / 2)


def crop(image, size, offset):
    """The centre crop, with the given rule for its offset."""
    left, top = offset(image.size[0], size), offset(image.size[1], size)
    return image.crop((left, top, left + size, top + size))


def squash(size, kernel):
    """A preparation that disregards the aspect ratio."""
    return lambda image: image.resize((size, size), kernel)


def cropped(size, kernel, offset=floor_offset, resize=shortest):
    """A preparation that keeps the aspect ratio and crops the centre."""
    return lambda image: crop(resize(image, size, kernel), size, offset)


def load(path):
    """A picture as RGB."""
    return Image.open(path).convert("RGB")


def tensor(image, mean, std):
    """The bytes of a picture as [3, height, width] float32."""
    values = np.asarray(image, dtype=np.float32) / np.float32(255)
    values = (values - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return values.transpose(2, 0, 1).copy()
