"""The towers in torch: one transformer layer each, with the inputs, pooling and outputs of the real ones."""
import torch
from torch import nn
from torch.nn import functional

HIDDEN_FROM_VIEW = -10000.0


class Attention(nn.Module):
    """Multi-head attention over an optional additive mask."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads, self.width = heads, width
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        """[batch, length, width] to [batch, heads, length, width / heads]."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, self.width // self.heads).transpose(1, 2)

    def forward(self, query, memory, mask=None):
        q, k, v = self.split(self.q(query)), self.split(self.k(memory)), self.split(self.v(memory))
        scores = q @ k.transpose(-1, -2) * (self.width // self.heads) ** -0.5
        weights = (scores if mask is None else scores + mask).softmax(-1)
        mixed = (weights @ v).transpose(1, 2)
        return self.o(mixed.reshape(query.shape[0], query.shape[1], self.width))


class Mlp(nn.Module):
    """The feed-forward half of a layer: CLIP's quick GELU, or SigLIP's tanh approximation."""

    def __init__(self, width, quick):
        super().__init__()
        self.fc1, self.fc2, self.quick = nn.Linear(width, 2 * width), nn.Linear(2 * width, width), quick

    def forward(self, x):
        x = self.fc1(x)
        x = x * torch.sigmoid(1.702 * x) if self.quick else functional.gelu(x, approximate="tanh")
        return self.fc2(x)


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width, quick):
        super().__init__()
        self.norm1, self.attention, self.norm2, self.mlp = (
            nn.LayerNorm(width),
            Attention(width),
            nn.LayerNorm(width),
            Mlp(width, quick),
        )

    def forward(self, x, mask=None):
        y = self.norm1(x)
        x = x + self.attention(y, y, mask)
        return x + self.mlp(self.norm2(x))


class ClipVision(nn.Module):
    """CLIP's image tower: a class token pooled and projected."""

    def __init__(self, image, width, out, patch=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (image // patch) ** 2 + 1, width))
        self.before, self.layer, self.after = nn.LayerNorm(width), Layer(width, True), nn.LayerNorm(width)
        self.projection = nn.Linear(width, out, bias=False)

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.positions
        hidden = self.layer(self.before(x))
        return hidden, self.projection(self.after(hidden[:, 0]))


class ClipText(nn.Module):
    """CLIP's text tower: causal, pooled at the first end-of-text token, which has the largest id."""

    def __init__(self, vocabulary, width, out, context=77):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.layer, self.after = Layer(width, True), nn.LayerNorm(width)
        self.projection = nn.Linear(width, out, bias=False)

    def forward(self, input_ids):
        at = torch.arange(input_ids.shape[1])
        mask = (at[None, :] > at[:, None]).float() * HIDDEN_FROM_VIEW
        x = self.tokens(input_ids) + self.positions[: input_ids.shape[1]]
        hidden = self.after(self.layer(x, mask))
        pooled = hidden[torch.arange(input_ids.shape[0]), input_ids.argmax(-1)]
        return hidden, self.projection(pooled)


class SiglipVision(nn.Module):
    """SigLIP's image tower: pooled by attention from a learned probe."""

    def __init__(self, image, width, patch=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.positions = nn.Parameter(torch.zeros(1, (image // patch) ** 2, width))
        self.layer, self.after = Layer(width, False), nn.LayerNorm(width)
        self.probe, self.attention = nn.Parameter(torch.zeros(1, 1, width)), Attention(width)
        self.norm, self.mlp = nn.LayerNorm(width), Mlp(width, False)

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2) + self.positions
        hidden = self.after(self.layer(x))
        pooled = self.attention(self.probe.expand(x.shape[0], -1, -1), hidden)
        pooled = pooled + self.mlp(self.norm(pooled))
        return hidden, pooled[:, 0]


class SiglipText(nn.Module):
    """SigLIP's text tower: attention over all positions, padding included, pooled at the last."""

    def __init__(self, vocabulary, width, out, context=64):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.layer, self.after, self.head = Layer(width, False), nn.LayerNorm(width), nn.Linear(width, out)

    def forward(self, input_ids):
        x = self.tokens(input_ids) + self.positions[: input_ids.shape[1]]
        hidden = self.after(self.layer(x))
        return hidden, self.head(hidden[:, -1])


class MaskedText(nn.Module):
    """A multilingual tower: attention and mean pooling over the tokens that the mask names."""

    def __init__(self, vocabulary, width, out, context=77):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.layer, self.after, self.projection = (
            Layer(width, False),
            nn.LayerNorm(width),
            nn.Linear(width, out),
        )

    def forward(self, input_ids, attention_mask):
        seen = attention_mask.float()
        x = self.tokens(input_ids) + self.positions[: input_ids.shape[1]]
        hidden = self.after(self.layer(x, (1.0 - seen)[:, None, None, :] * HIDDEN_FROM_VIEW))
        pooled = (hidden * seen[:, :, None]).sum(1) / seen.sum(1, keepdim=True)
        return hidden, self.projection(pooled)


class Embedding(nn.Module):
    """Immich's exports: one output, already of length 1."""

    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, *inputs):
        return functional.normalize(self.tower(*inputs)[1], dim=-1)


def scale(name, shape):
    """How far the weights of a parameter spread: wide enough that random towers tell their inputs apart."""
    if "norm" in name or "before" in name or "after" in name:
        return 0.1
    if name.endswith("bias"):
        return 0.05
    if "patches" in name:
        return 3.0 / (shape[1] * shape[2] * shape[3]) ** 0.5
    if "tokens" in name:
        return 1.0
    if "positions" in name or "first" in name or "probe" in name:
        return 0.5
    gain = 2.0 if ".q." in name or ".k." in name else 1.5
    return gain / shape[-1] ** 0.5


def seeded(tower, seed, quiet=(), contrast=1):
    """Draws the weights of a tower; the `quiet` tokens, in nearly every text, are kept small.

    More `contrast` makes up for pixels that are not normalised: larger filters that see no even brightness.
    """
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in tower.named_parameters():
            values = torch.randn(parameter.shape, generator=draw) * scale(name, parameter.shape)
            gains = name.endswith("weight") and scale(name, parameter.shape) == 0.1
            parameter.copy_(1 + values if gains else values)
        if contrast > 1:
            filters = tower.patches.weight
            filters.copy_((filters - filters.mean((1, 2, 3), keepdim=True)) * contrast)
        for token in quiet:
            tower.tokens.weight[token] *= 0.2
    return tower.eval()
