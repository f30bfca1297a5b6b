# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruning under DistributedDataParallel: every process ends with the same masks and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pconv_mlir import prune
from pconv_mlir.errors import PruneError
from pconv_mlir.performance.model import LayerModel
from pconv_mlir.prune.layers import find_layers

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import distributed, nn  # noqa: E402

if not distributed.is_available():
    pytest.skip("torch was built without its distributed part", allow_module_level=True)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.Flatten(),
        nn.Linear(32, 2),
    )  # fmt: skip


MODELS = {"3": LayerModel("3", 1e9, 1e5, 1e4, 1e11, 1e10, alpha=1.5)}
METHODS = {
    "admm": (lambda: prune.ADMMPruner(6, rhos=[0.1, 1.0]), "pattern:8+connectivity:2"),
    "taylor": (lambda: prune.MagnitudePruner(6, importance="taylor"), "filter@2"),
    "gdns": (lambda: prune.GDNSPruner(6, MODELS, every=1, spread=0.5), "unstructured@10"),
}


def train(rank: int, folder: str, method: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    torch.manual_seed(0)
    make, scheme = METHODS[method]
    model, pruner = network(), make()
    with pytest.raises(PruneError, match="prepare the network first"):
        pruner.prepare(torch.compile(nn.parallel.DistributedDataParallel(model)), scheme)
    pruner.prepare(model, scheme)
    parallel = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    torch.manual_seed(1 + rank)  # each process has images of its own
    for _ in range(9):
        loss = parallel(torch.randn(4, 3, 6, 6)).square().mean() + pruner.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pruner.step()
    pruner.squash_mask()
    assert [layer.name for layer in find_layers(parallel)] == ["0", "3", "5"]
    torch.save(model.state_dict(), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_agree(tmp_path: Path, method: str) -> None:
    torch.multiprocessing.spawn(train, (str(tmp_path), method), nprocs=2)
    first: dict[str, Any] = torch.load(tmp_path / "0.pt", weights_only=True)
    second: dict[str, Any] = torch.load(tmp_path / "1.pt", weights_only=True)
    for name in ("0.weight", "3.weight", "5.weight"):
        assert torch.equal(first[name], second[name])
    kept = first["3.weight"].count_nonzero(dim=(1, 2, 3))
    if method == "admm":
        assert kept.tolist() == [8] * 8  # two of four kernels, four weights each
    elif method == "taylor":
        assert sorted(kept.tolist()) == [0] * 4 + [36] * 4
    else:
        assert 29 <= int(kept.sum()) < 288 / 1.5  # the rate's tenth, and less than x_hi
