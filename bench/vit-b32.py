"""Writes a model package the size of CLIP's ViT-B/32 with random weights, to measure execution providers by.

/usr/bin/python3 bench/vit-b32.py FOLDER   (Debian's python3-torch and python3-onnx)

Widths, heads and layers are those of Radford et al. 2021, table 20: image 768, 12, 12, patches of 32;
text 512, 8, 12. The vocabulary is cut to 8,192, so that the tokenizer of models/mini fits.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from torch import nn


class Block(nn.Module):
    """One layer of a transformer, norm first, with QuickGELU as CLIP has it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = (
            self.qkv(self.norm1(x))
            .view(batch, length, 3, self.heads, width // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        scores = q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5
        if mask is not None:
            scores = scores + mask
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width))
        h = self.up(self.norm2(x))
        return x + self.down(h * torch.sigmoid(1.702 * h))


class Image(nn.Module):
    """Pixels [batch, 3, 224, 224] to embeddings [batch, 512]."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 32, 32, bias=False)
        self.first = nn.Parameter(torch.randn(768) * 0.02)
        self.positions = nn.Parameter(torch.randn(50, 768) * 0.02)
        self.before, self.after = nn.LayerNorm(768), nn.LayerNorm(768)
        self.blocks = nn.ModuleList(Block(768, 12) for _ in range(12))
        self.project = nn.Linear(768, 512, bias=False)

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], 1, 768), x], 1) + self.positions
        x = self.before(x)
        for block in self.blocks:
            x = block(x, None)
        return self.project(self.after(x[:, 0]))


class Text(nn.Module):
    """Token ids [batch, sequence] to embeddings [batch, 512], pooled at the largest id."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(8192, 512)
        self.positions = nn.Parameter(torch.randn(77, 512) * 0.01)
        self.blocks = nn.ModuleList(Block(512, 8) for _ in range(12))
        self.after, self.project = nn.LayerNorm(512), nn.Linear(512, 512, bias=False)
        self.register_buffer("mask", torch.full((77, 77), -1e9).triu(1))

    def forward(self, input_ids):
        length = input_ids.shape[1]
        x = self.tokens(input_ids) + self.positions[:length]
        for block in self.blocks:
            x = block(x, self.mask[:length, :length])
        at = input_ids.argmax(-1)
        return self.project(self.after(x)[torch.arange(x.shape[0]), at])


def main(folder):
    """Exports both towers and writes the settings beside them."""
    torch.manual_seed(0)
    mini = Path(__file__).parent.parent / "models" / "mini"
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for name in ["tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"]:
        shutil.copy(mini / name, folder / name)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "clip", "text_config": {"max_position_embeddings": 77}})
    )
    towers = [
        (Image(), torch.randn(1, 3, 224, 224), "pixel_values", {0: "batch"}, "image_embeds", "vision_model"),
        (
            Text(),
            torch.randint(1, 8000, (2, 12)),
            "input_ids",
            {0: "batch", 1: "sequence"},
            "text_embeds",
            "text_model",
        ),
    ]
    for module, example, name, axes, output, file in towers:
        torch.onnx.export(
            module.eval(),
            (example,),
            str(folder / "onnx" / f"{file}.onnx"),
            input_names=[name],
            output_names=[output],
            dynamic_axes={name: axes, output: {0: "batch"}},
            opset_version=14,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
