# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Labelled images for tests: small packs made here, and the real ones where they are."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: The real CIFAR-10 packs: $PCONV_DATA, or `shared/data` beside the project.
CIFAR10 = Path(os.environ.get("PCONV_DATA") or Path(__file__).parents[3] / "shared" / "data")
NO_DATA = f"no data: there is no cifar10-test.npz in {CIFAR10}, and PCONV_DATA names no folder"


def has_cifar10() -> bool:
    return (CIFAR10 / "cifar10-test.npz").exists()


def pictures(count: int, size: int, channels: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    """Images whose brightness in one of ten rows tells the class, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.uint8) % 10
    pixels = rng.integers(0, 60, (count, size, size, channels), np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[3 * label : 3 * label + 3] += 160
    return pixels, labels


def write_cifar10(folder: Path, count: int = 40) -> None:
    """Packs of JPEG files, as the real ones are."""
    from PIL import Image

    for seed, split in enumerate(("train", "test")):
        pixels, labels = pictures(count, 32, 3, seed)
        files = []
        for image in pixels:
            stream = io.BytesIO()
            Image.fromarray(image).save(stream, "JPEG", quality=90)
            files.append(stream.getvalue())
        offsets = np.cumsum([0, *map(len, files)])
        data = np.frombuffer(b"".join(files), np.uint8)
        np.savez(folder / f"cifar10-{split}.npz", data=data, offsets=offsets, labels=labels)


def write_fashion_mnist(folder: Path, count: int = 40) -> None:
    for seed, split in enumerate(("train", "t10k")):
        pixels, labels = pictures(count, 28, 1, seed)
        for kind, values in (("images-idx3", pixels[..., 0]), ("labels-idx1", labels)):
            sizes = np.array(values.shape, ">u4").tobytes()
            raw = bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()
            (folder / f"{split}-{kind}-ubyte.gz").write_bytes(gzip.compress(raw))
