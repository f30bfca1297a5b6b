# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/accuracy/winograd.py against torch's convolution; its loops are not compiled here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch", reason="the scripts train with torch")

TOOLS = Path(__file__).resolve().parents[3] / "tools" / "accuracy"


@pytest.fixture
def winograd(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(TOOLS))
    with torch.compiler.set_stance("force_eager"):
        yield import_module("winograd")


@pytest.mark.parametrize("tile", [2, 4])
@pytest.mark.parametrize(
    "shape", [(3, 5, 8, 12, 7), (5, 2, 7, 9, 3), (4, 6, 2, 2, 5), (1, 1, 1, 3, 1)]
)
def test_results_and_gradients_are_those_of_torch(
    winograd: ModuleType, monkeypatch: pytest.MonkeyPatch, tile: int, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(winograd, "CACHE", 600)
    monkeypatch.setattr(winograd, "ROWS", 1)
    n, c, h, w, k = shape
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, c, h, w, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(k, c, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(n, k, h, w, generator=generator, dtype=torch.float64)
    found = winograd.Winograd.apply(x, weight, tile)
    expected = torch.nn.functional.conv2d(x, weight, padding=1)
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, (x, weight), dy),
        torch.autograd.grad(expected, (x, weight), dy),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_a_network_that_was_evaluated_trains_on(winograd: ModuleType) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 7, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.conv2d(x, weight, padding=1)
    with torch.inference_mode():
        torch.testing.assert_close(winograd.Winograd.apply(x, weight, 4), expected)
    found = winograd.Winograd.apply(x, weight, 4)
    torch.testing.assert_close(found, expected)
    found.sum().backward()


def test_a_large_batch_is_cut_where_its_tiles_leave_the_cache(winograd: ModuleType) -> None:
    x = torch.empty(128, 16, 16, 128)
    parts = winograd._chunks(x, 4)
    assert len(parts) > 1
    assert sum(len(x[part]) for part in parts) == len(x)


def conv(*sizes: int, **options: object) -> torch.nn.Conv2d:
    return torch.nn.Conv2d(*sizes, **{"padding": 1, "bias": False, **options})


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (conv(64, 96, 3), True),
        (conv(96, 64, 3), True),
        (conv(32, 64, 3), False),
        (conv(64, 32, 3), False),
        (conv(64, 64, 3, 2), False),
        (conv(64, 64, 3, padding=0), False),
        (conv(64, 64, 3, padding="same"), False),
        (conv(64, 64, 3, padding_mode="circular"), False),
        (conv(64, 64, 3, dilation=2), False),
        (conv(128, 128, 3, groups=2), False),
        (conv(64, 64, 1), False),
        (conv(64, 64, 3, bias=True), False),
    ],
)
def test_installed_it_computes_wide_layers_only(
    winograd: ModuleType, monkeypatch: pytest.MonkeyPatch, layer: torch.nn.Conv2d, expected: bool
) -> None:
    x = torch.randn(2, layer.in_channels, 8, 6, generator=torch.Generator().manual_seed(1))
    direct = layer(x)
    called = []
    apply = winograd.Winograd.apply
    monkeypatch.setattr(winograd.Winograd, "apply", lambda *a: called.append(a) or apply(*a))
    monkeypatch.setattr(torch.nn.Conv2d, "_conv_forward", torch.nn.Conv2d._conv_forward)
    winograd.install()
    torch.testing.assert_close(layer(x), direct, rtol=1e-4, atol=1e-4)
    assert bool(called) == expected
