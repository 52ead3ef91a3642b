"""One package: its tokenizer, towers and preprocessing, what it holds on disk and the embeddings it must
give.
"""
import itertools
import json
import math
import os
import re
import sys

import numpy as np
import onnx
import PIL
import sentencepiece
import torch
from PIL import Image

from . import corpus, graphs, preprocess


def cosine(a, b):
    """The cosine of two vectors."""
    return float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))


def unit(tensor):
    """A row of length 1."""
    vector = tensor[0].double().numpy()
    return vector / np.linalg.norm(vector)


def cut(ids, length):
    """The first ids, of which the last stays the sequence's own."""
    return ids if len(ids) <= length else ids[: length - 1] + ids[-1:]


def dump(path, value):
    """JSON with one list of numbers a line."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(
        r"\[\s+(-?[\d.e-]+(?:,\s+-?[\d.e-]+)*)\s+\]",
        lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]",
        text,
    )
    write(path, (text + "\n").encode())


def write(path, data):
    """Bytes into a file whose folder may have to be made."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


class Package:
    """A dual encoder of one family. `pad` is the length that every text is padded to, if any."""

    def __init__(self, name, tokenizer, vision, text, **options):
        self.name, self.tokenizer, self.vision, self.text = name, tokenizer, vision, text
        self.size, self.context, self.pad, self.masked = 32, 77, None, False
        self.clean = lambda text: text
        self.texts, self.zero_shot, self.variants = corpus.ENGLISH + [corpus.UNKNOWN], None, False
        self.mean, self.std = preprocess.CLIP_MEAN, preprocess.CLIP_STD
        self.__dict__.update(options)

    # What is embedded

    def ids(self, text):
        """The token ids of a text, special ones included, cut to the context."""
        return cut(self.tokenizer.encode(self.clean(text)), self.context)

    def embed_ids(self, ids, pad="own", token=None, mask=True):
        """The embedding of token ids, padded as the family does or otherwise."""
        length = self.pad if pad == "own" else pad
        missing = max(0, (length or 0) - len(ids))
        whole = torch.tensor([ids + [self.tokenizer.pad if token is None else token] * missing])
        seen = torch.tensor([[1] * len(ids) + [0 if mask else 1] * missing])
        with torch.no_grad():
            return unit(self.text(whole, seen)[1] if self.masked else self.text(whole)[1])

    def embed_picture(self, picture, mean=None, std=None):
        """The embedding of a prepared picture."""
        pixels = preprocess.tensor(picture, mean or self.mean, std or self.std)
        with torch.no_grad():
            return unit(self.vision(torch.from_numpy(pixels)[None])[1])

    def embed_text(self, text):
        """The embedding of a text."""
        return self.embed_ids(self.ids(text))

    # What is written

    def write(self, root, pictures):
        """Writes the package: settings, tokenizer, graphs and goldens."""
        folder = os.path.join(root, self.name)
        for name, value in self.settings.items():
            dump(os.path.join(folder, name), value)
        for name, value in self.tokenizer.files(self.context).items():
            if name in ("tokenizer.json", "tokenizer_config.json") or self.fixed:
                data = json.dumps(value, ensure_ascii=False, indent=None if name == "tokenizer.json" else 1)
                write(os.path.join(folder, self.tokens_in, name), (data + "\n").encode())
        for name, model in self.graphs().items():
            write(os.path.join(folder, name), model.SerializeToString())
        self.write_golden(folder, root, pictures)

    @property
    def fixed(self):
        """Whether the layout is Immich's: fixed shapes, int32, one output."""
        return "visual/preprocess_cfg.json" in self.settings

    @property
    def tokens_in(self):
        """The folder of the tokenizer."""
        return "textual" if self.fixed else ""

    def graphs(self):
        """Every ONNX file by its path."""
        if self.fixed:
            return self.fixed_graphs()
        outputs = self.outputs
        pixels = {"pixel_values": torch.zeros(2, 3, self.size, self.size)}
        axes = {0: "batch_size", 1: "num_channels", 2: "height", 3: "width"}
        vision = graphs.export(
            self.vision,
            pixels,
            ["last_hidden_state", outputs[0]],
            {"pixel_values": axes, "last_hidden_state": {0: "batch_size"}, outputs[0]: {0: "batch_size"}},
        )
        names = ["input_ids", "attention_mask"] if self.masked else ["input_ids"]
        tokens = {name: torch.ones(2, 7, dtype=torch.int64) for name in names}
        both = {0: "batch_size", 1: "sequence_length"}
        text = graphs.export(
            self.text,
            tokens,
            ["last_hidden_state", outputs[1]],
            {**{name: both for name in names}, "last_hidden_state": both, outputs[1]: {0: "batch_size"}},
        )
        found = {"onnx/vision_model.onnx": vision, "onnx/text_model.onnx": text}
        if self.variants:
            makers = {
                "fp16": graphs.half,
                "quantized": lambda m: graphs.dynamic_int8(m, False),
                "int8": lambda m: graphs.dynamic_int8(m, True),
                "q4": graphs.matmul_four_bits,
            }
            found.update(
                {
                    path.replace(".onnx", "_%s.onnx" % kind): make(model)
                    for path, model in list(found.items())
                    for kind, make in makers.items()
                }
            )
        return found

    def fixed_graphs(self):
        """Immich's two files: one item at a time, an embedding of length 1."""
        from .nets import Embedding

        names = ["input_ids", "attention_mask"] if self.masked else ["text"]
        tokens = {name: torch.ones(1, self.context, dtype=torch.int32) for name in names}
        image = {"image": torch.zeros(1, 3, self.size, self.size)}
        return {
            "visual/model.onnx": graphs.export(Embedding(self.vision), image, ["embedding"], {}),
            "textual/model.onnx": graphs.export(Embedding(self.text), tokens, ["embedding"], {}),
        }

    def write_golden(self, folder, root, pictures):
        """golden.json, and the prepared pictures below each other in golden-pixels.png."""
        prepared = [self.prepare(preprocess.load(os.path.join(root, "images", name))) for name in pictures]
        strip = Image.new("RGB", (self.size, self.size * len(prepared)))
        for at, picture in enumerate(prepared):
            strip.paste(picture, (0, at * self.size))
        strip.save(os.path.join(folder, "golden-pixels.png"), optimize=True)
        values = lambda vector: [round(float(v), 7) for v in vector]
        texts = [
            {"text": text, "input_ids": self.ids(text), "embedding": values(self.embed_text(text))}
            for text in self.texts
        ]
        images = [
            {"file": "../images/" + name, "embedding": values(self.embed_picture(picture))}
            for name, picture in zip(pictures, prepared)
        ]
        golden = {
            "made_by": made_by(),
            "preprocess": self.preprocess,
            "tokenize": self.tokenize,
            "pixel_mean": self.mean,
            "pixel_std": self.std,
            "texts": texts,
            "images": images,
        }
        if self.zero_shot:
            golden["zero_shot"] = self.classify(images)
        dump(os.path.join(folder, "golden.json"), golden)

    def classify(self, images):
        """A zero-shot case: of all pictures and triples of labels, the one with the least certain scores."""
        template = self.zero_shot["template"]
        known = {label: self.embed_text(template.format(label=label)) for label in corpus.THINGS}
        cases = []
        for image, labels in itertools.product(images, itertools.combinations(corpus.THINGS, 3)):
            scores = self.scores([cosine(image["embedding"], known[label]) for label in labels])
            cases.append((sum(score * (1 - score) for score in scores), image["file"], labels, scores))
        _, image, labels, scores = max(cases, key=lambda case: case[0])
        prompts = [template.format(label=label) for label in labels]
        return {
            "image": image,
            "template": template,
            "labels": list(labels),
            "prompts": prompts,
            "scores": [round(score, 6) for score in scores],
        }

    def scores(self, cosines):
        """The family's activation of cosines."""
        logits = [self.zero_shot["scale"] * c + self.zero_shot.get("bias", 0) for c in cosines]
        if "bias" in self.zero_shot:
            return [1 / (1 + math.exp(-logit)) for logit in logits]
        powers = [math.exp(logit - max(logits)) for logit in logits]
        return [power / sum(powers) for power in powers]

    # What is checked

    def check(self, root, pictures):
        """Sees that inputs are told apart and that each wrong way would be noticed."""
        images = [preprocess.load(os.path.join(root, "images", name)) for name in pictures]
        right = [self.embed_picture(self.prepare(image)) for image in images]
        texts = [self.embed_text(text) for text in self.texts]
        spread(self.name + " images", right)
        spread(self.name + " texts", texts)
        for name, wrong in self.wrong_pictures(images).items():
            noticed("%s: %s" % (self.name, name), right, wrong)
        for name, wrong in self.wrong_texts().items():
            noticed("%s: %s" % (self.name, name), texts, wrong)
        if self.masked or self.pad is None or self.pools_first:
            unseen = [self.embed_ids(self.ids(text), pad=self.context) for text in self.texts]
            assert min(map(cosine, texts, unseen)) > 0.999999, self.name + ": padding shows"

    @property
    def pools_first(self):
        """Whether the text tower pools at the first end token, so that padding can't matter."""
        return type(self.text).__name__ == "ClipText"

    def wrong_pictures(self, images):
        """Embeddings by each wrong preparation."""
        wrong = {
            name: [self.embed_picture(prepare(image)) for image in images]
            for name, prepare in self.wrong_ways.items()
        }
        other = (
            ([0.5] * 3, [0.5] * 3) if self.mean != [0.5] * 3 else (preprocess.CLIP_MEAN, preprocess.CLIP_STD)
        )
        wrong["another mean"] = [self.embed_picture(self.prepare(image), *other) for image in images]
        return wrong

    def wrong_texts(self):
        """Embeddings by each wrong treatment of the texts."""
        ids = [self.ids(text) for text in self.texts]
        wrong = {
            "end token cut off": [
                self.embed_ids(self.tokenizer.encode(self.clean(text))[: self.context]) for text in self.texts
            ]
        }
        if self.masked:
            wrong["mask of ones"] = [self.embed_ids(i, pad=self.context, mask=False) for i in ids]
        elif not self.pools_first:
            wrong["no padding"] = [self.embed_ids(i, pad=None) for i in ids]
            wrong["another padding token"] = [self.embed_ids(i, token=1 - self.tokenizer.pad) for i in ids]
        return wrong


def spread(name, vectors):
    """Prints how alike different inputs are, and sees that most are not."""
    pairs = sorted(cosine(a, b) for a, b in itertools.combinations(vectors, 2))
    print("%-28s median cosine of two %.3f, largest %.3f" % (name, pairs[len(pairs) // 2], pairs[-1]))
    assert pairs[int(len(pairs) * 0.7)] < 0.9, name + " are too alike"


def noticed(name, right, wrong):
    """Sees that a wrong way gives a visibly different embedding somewhere."""
    least = min(map(cosine, right, wrong))
    print("%-52s %.4f" % (name, least))
    assert least < 0.999, name + " would not be noticed"


def made_by():
    """The versions of everything that decides the goldens."""
    versions = [
        ("Pillow", PIL.__version__),
        ("torch", torch.__version__),
        ("SentencePiece", sentencepiece.__version__),
        ("onnx", onnx.__version__),
        ("numpy", np.__version__),
    ]
    return ", ".join("%s %s" % version for version in versions) + ", Python %d.%d" % sys.version_info[:2]
