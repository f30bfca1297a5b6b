# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The convolutions of tools/accuracy against torch's; their loops are not compiled here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the scripts train with torch")

TOOLS = Path(__file__).resolve().parents[3] / "tools" / "accuracy"
Convolution = Callable[[Any, Any], Any]


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(TOOLS))
    with torch.compiler.set_stance("force_eager"):
        yield {name: import_module(name) for name in ("convolutions", "products", "winograd")}


@pytest.fixture
def winograd(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["winograd"]


def assert_like_torch(convolution: Convolution, shape: tuple[int, ...]) -> None:
    """Results and both gradients."""
    n, c, h, w, k = shape
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, c, h, w, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(k, c, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(n, k, h, w, generator=generator, dtype=torch.float64)
    found = convolution(x, weight)
    expected = torch.nn.functional.conv2d(x, weight, padding=1)
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, (x, weight), dy),
        torch.autograd.grad(expected, (x, weight), dy),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


SHAPES = [(3, 5, 8, 12, 7), (5, 2, 7, 9, 3), (4, 6, 2, 2, 5), (1, 1, 1, 3, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_winograd(
    winograd: ModuleType, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(winograd, "CACHE", 600)
    monkeypatch.setattr(winograd, "ROWS", 1)
    assert_like_torch(winograd.Winograd.apply, shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_products_of_neighbours(scripts: dict[str, ModuleType], shape: tuple[int, ...]) -> None:
    assert_like_torch(scripts["products"].Neighbours.apply, shape)


@pytest.mark.parametrize("shape", [(4, 6, 2, 2, 5), (3, 2, 1, 2, 4), (3, 4, 2, 1, 2)])
def test_products_of_planes(scripts: dict[str, ModuleType], shape: tuple[int, ...]) -> None:
    assert_like_torch(scripts["products"].Planes.apply, shape)


def test_a_large_batch_is_cut_where_its_tiles_leave_the_cache(winograd: ModuleType) -> None:
    x = torch.empty(128, 16, 16, 128)
    parts = winograd._chunks(x)
    assert len(parts) > 1
    assert sum(len(x[part]) for part in parts) == len(x)


def conv(*sizes: int, **options: object) -> torch.nn.Conv2d:
    return torch.nn.Conv2d(*sizes, **{"padding": 1, "bias": False, **options})


@pytest.fixture
def called(scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the convolutions that have been called since they were installed."""
    names: list[str] = []

    def noting(name: str, apply: Convolution) -> Convolution:
        return lambda *arguments: names.append(name) or apply(*arguments)  # type: ignore[func-returns-value]

    products = scripts["products"]
    for kind in (scripts["winograd"].Winograd, products.Neighbours, products.Planes):
        monkeypatch.setattr(kind, "apply", noting(kind.__name__, kind.apply))
    monkeypatch.setattr(torch.nn.Conv2d, "_conv_forward", torch.nn.Conv2d._conv_forward)
    scripts["convolutions"].install()
    return names


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (conv(64, 96, 3), ["Winograd"]),
        (conv(96, 64, 3), ["Winograd"]),
        (conv(32, 64, 3), []),
        (conv(64, 32, 3), []),
        (conv(64, 64, 3, 2), []),
        (conv(64, 64, 3, padding=0), []),
        (conv(64, 64, 3, padding="same"), []),
        (conv(64, 64, 3, padding_mode="circular"), []),
        (conv(64, 64, 3, dilation=2), []),
        (conv(128, 128, 3, groups=2), []),
        (conv(64, 64, 1), []),
        (conv(64, 64, 3, bias=True), []),
    ],
)
def test_installed_they_compute_wide_layers_only(
    called: list[str], layer: torch.nn.Conv2d, expected: list[str]
) -> None:
    x = torch.randn(2, layer.in_channels, 8, 6, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        direct = layer(x)
    assert not called
    torch.testing.assert_close(layer(x), direct, rtol=1e-4, atol=1e-4)
    assert called == expected


@pytest.mark.parametrize(
    ("plane", "matrix_instructions", "expected"),
    [
        ((2, 2), True, ["Planes"]),
        ((4, 3), True, ["Neighbours"]),
        ((3, 5), True, []),
        ((2, 2), False, ["Planes"]),
        ((4, 3), False, ["Winograd"]),
        ((3, 5), False, ["Winograd"]),
    ],
)
def test_in_bfloat16_the_plane_and_the_processor_decide(
    called: list[str],
    monkeypatch: pytest.MonkeyPatch,
    plane: tuple[int, int],
    matrix_instructions: bool,
    expected: list[str],
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: matrix_instructions)
    generator = torch.Generator().manual_seed(1)
    layer, x = conv(64, 96, 3), torch.randn(2, 64, *plane, generator=generator).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        with torch.inference_mode():
            direct = layer(x)
        found = layer(x)
    assert called == expected and found.dtype == torch.bfloat16
    rounding = 0.02 if expected == ["Winograd"] else 0.006  # each of two results has 0.003
    assert (found - direct).norm() < rounding * direct.norm()
    found.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32
