# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small network that learns quickly, its data, and the training loop that a user would write."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from pconv_mlir import prune

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

torch.set_num_threads(1)  # the networks are tiny

RHOS = (0.03, 0.1, 0.3, 1.0)  # a short training needs more of it
METHODS: dict[str, Callable[[], prune.Pruner]] = {
    "magnitude": prune.MagnitudePruner,
    "gradual": lambda: prune.GradualPruner(16, every=4),
    "admm": lambda: prune.ADMMPruner(16, rhos=RHOS),
    "group-lasso": lambda: prune.GroupLassoPruner(16, every=4, strength=1e-3),
}
PATTERN = "pattern:8+connectivity:2"
PUNCHED = "block-punched:4x2@3"
SCHEMES = [PATTERN, "pattern:mined6+connectivity:2/layer", PUNCHED, "unstructured@5", "filter@2"]
PAIRS = [
    (method, scheme)
    for method in METHODS
    for scheme in SCHEMES
    if method != "group-lasso" or not scheme.startswith("pattern")
]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 8, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 4),
    )


def batches(count: int = 4) -> list[tuple[Any, Any]]:
    """Images whose class is the quarter that is bright."""
    generator = torch.Generator().manual_seed(1)
    result = []
    for _ in range(count):
        targets = torch.randint(4, (16,), generator=generator)
        inputs = torch.randn(16, 3, 8, 8, generator=generator)
        for image, target in zip(inputs, targets.tolist(), strict=True):
            row, column = divmod(target, 2)
            image[:, row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] += 1
        result.append((inputs, targets))
    return result


DATA = batches()


class Training:
    """The loop that a user would write."""

    def __init__(self, model: nn.Module, pruner: prune.Pruner) -> None:
        self.model = model
        self.pruner = pruner
        self.optimizer = torch.optim.Adam(model.parameters(), 0.01)

    def run(self, steps: int, forward: Any = None) -> None:
        for step in range(steps):
            inputs, targets = DATA[step % len(DATA)]
            outputs = (forward or self.model)(inputs)
            loss = functional.cross_entropy(outputs.float(), targets) + self.pruner.penalty()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.pruner.step()


def prepared(method: str, scheme: Any = PATTERN) -> Training:
    model, pruner = network(), METHODS[method]()
    pruner.prepare(model, scheme)
    return Training(model, pruner)


def effective(model: nn.Module) -> dict[str, Any]:
    """The weights that the layers compute with."""
    return {
        name: layer.weight.detach().numpy().copy()
        for name, layer in model.named_modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    }


def accuracy(model: nn.Module) -> float:
    assert not model.training
    hits = [(model(inputs).argmax(1) == targets).float().mean() for inputs, targets in DATA]
    return float(torch.stack(hits).mean())


def assert_resumed_ends_the_same(prepare: Callable[[], Training], stop: int, steps: int) -> None:
    """Saves a training after `stop` steps, and goes on with it and with a new one that loads it."""
    whole, resumed = prepare(), prepare()
    whole.run(stop)
    file = io.BytesIO()
    torch.save({"model": whole.model.state_dict(), "pruner": whole.pruner.state_dict()}, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    resumed.model.load_state_dict(state["model"])
    resumed.pruner.load_state_dict(state["pruner"])
    for training in (whole, resumed):
        training.optimizer = torch.optim.SGD(training.model.parameters(), 0.01)
        training.run(steps - stop)
    assert resumed.pruner.history == whole.pruner.history
    assert resumed.pruner.squash_mask() == whole.pruner.squash_mask()
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name])
