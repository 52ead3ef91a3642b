"""Writes reference.json: what the objective of scikit-learn's LogisticRegression makes of rows that a
formula draws.

Run with Debian's python3-torch (PyTorch's own L-BFGS, in float64): /usr/bin/python3
test/classifiers/reference.py The formula stands in test/classifiers/linear-probe.test.ts too.
"""
import json
import os

import numpy as np
import torch

CASES = [
    {"n": 40, "dimension": 8, "classes": 3, "c": 1.0},
    {"n": 40, "dimension": 8, "classes": 3, "c": 100.0},
    {"n": 12, "dimension": 32, "classes": 4, "c": 10.0},
    {"n": 12, "dimension": 32, "classes": 4, "c": 0.05},
    {"n": 60, "dimension": 5, "classes": 2, "c": 0.5},
    {"n": 90, "dimension": 16, "classes": 10, "c": 1000.0},
]


def draw(count):
    state, values = 1, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        values.append((state >> 8) / (1 << 23) * 2 - 1)
    return values


def loss(x, y, weights, intercepts, c):
    logits = x @ weights.T + intercepts
    return 0.5 * (weights**2).sum() + c * torch.nn.functional.cross_entropy(logits, y, reduction="sum")


def solve(case):
    n, dimension, classes, c = case["n"], case["dimension"], case["classes"], case["c"]
    drawn = draw(n * dimension)
    x = torch.tensor(np.array(drawn).astype(np.float32).astype(np.float64)).reshape(n, dimension)
    # Uneven classes, and labels that the rows tell a little of.
    y = torch.tensor([classes - 1 if i % 7 == 0 else (i + int(x[i, 0] > 0)) % classes for i in range(n)])
    weights = torch.zeros(classes, dimension, dtype=torch.float64, requires_grad=True)
    intercepts = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights, intercepts],
        max_iter=20000,
        max_eval=40000,
        tolerance_grad=1e-10,
        tolerance_change=0,
        history_size=50,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        value = loss(x, y, weights, intercepts, c)
        value.backward()
        return value

    optimizer.step(closure)
    with torch.no_grad():
        scores = torch.softmax(x @ weights.T + intercepts, 1)
        value = loss(x, y, weights, intercepts, c).item()
    return {
        **case,
        "loss": round(value, 8),
        "scores": [[round(p, 7) for p in row] for row in scores[:8].tolist()],
    }


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json")
with open(path, "w") as file:
    lines = ",\n".join("    " + json.dumps(solve(case)) for case in CASES)
    file.write('{\n  "made_by": "PyTorch %s",\n  "cases": [\n%s\n  ]\n}\n' % (torch.__version__, lines))
