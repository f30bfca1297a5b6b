# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The labelled images of the recipes, from a folder of the user's; nothing is downloaded."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pconv_mlir import container
from pconv_mlir.errors import ArtefactError, DependencyError, ModelError, OptionError


@dataclass(frozen=True)
class Images:
    """Labelled images.

    Attributes:
        pixels: uint8, (N, height, width, channels).
        labels: int64, (N,).
        mean: Of each channel, of values in 0..1; subtracted.
        std: Of each channel; divided by.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> Images:
        """The first so many images; all where no number is given."""
        return Images(self.pixels[:count], self.labels[:count], self.mean, self.std)

    def to(self, device: torch.device) -> Images:
        """The same on a device."""
        return Images(*(t.to(device) for t in (self.pixels, self.labels, self.mean, self.std)))

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 (N, height, width, channels) -> float32 (N, channels, height, width).

        The memory stays channels-last: what CPUs train fastest in.
        """
        return ((pixels.float() / 255 - self.mean) / self.std).permute(0, 3, 1, 2)

    def batches(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All of them, in order and as they are."""
        for pixels, labels in zip(self.pixels.split(size), self.labels.split(size), strict=True):
            yield self.normalise(pixels), labels


class Augmented:
    """Batches for training: shuffled, shifted by up to `shift` pixels, half of them mirrored.

    Random numbers are those of torch's global generator on the CPU, so a seed fixes them wherever
    the images are. Images that do not fill a batch are left out, others in every epoch.
    """

    def __init__(self, images: Images, batch_size: int, shift: int) -> None:
        if not 1 <= batch_size <= len(images):
            raise OptionError(f"expected a batch size from 1 to {len(images)}, got {batch_size}")
        self._images = images
        self.batch_size = batch_size  # called so in a DataLoader too
        self._shift = shift
        around = (0, 0, shift, shift, shift, shift)
        self._padded = torch.nn.functional.pad(images.pixels, around)

    def __len__(self) -> int:
        return len(self._images) // self.batch_size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self._images))[: len(self) * self.batch_size]
        for rows in order.to(self._padded.device).split(self.batch_size):
            yield self._images.normalise(self._cut(rows)), self._images.labels[rows]

    def _cut(self, rows: torch.Tensor) -> torch.Tensor:
        """A window of the padded images each, by one gather."""
        height, width = self._images.pixels.shape[1:3]
        device = rows.device
        y, x = torch.randint(2 * self._shift + 1, (2, len(rows), 1)).to(device)
        columns = torch.arange(width, device=device).expand(len(rows), width)
        mirrored = (torch.rand(len(rows), 1) < 0.5).to(device)
        columns = torch.where(mirrored, columns.flip(1), columns) + x
        lines = torch.arange(height, device=device) + y
        return self._padded[rows[:, None, None], lines[:, :, None], columns[:, None, :]]


def cifar10(folder: Path, split: str) -> Images:
    """CIFAR-10 from `cifar10-train.npz` or `cifar10-test.npz`.

    A pack has either `images`, uint8 (N, 32, 32, 3), or the bytes of JPEG files one after another
    in `data`, file r from `offsets[r]` to `offsets[r + 1]`; and `labels` (N,). Decoded JPEGs are
    kept in the user's cache folder.

    Raises:
        ModelError: There is no such pack in the folder, or it is damaged.
        DependencyError: Pillow, which decodes JPEG, is not installed.
    """
    path = folder / f"cifar10-{split}.npz"
    try:
        with np.load(path, allow_pickle=False) as pack:
            labels = pack["labels"].astype(np.int64)
            if "images" in pack:
                pixels = pack["images"]
            else:
                pixels = _cached(path, lambda: _decoded(pack["data"], pack["offsets"]))
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path.name} in {folder}: see docs/Accuracy.md") from error
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{path} is damaged or no pack of CIFAR-10: {error}") from error
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the published ResNets
    return _images(path, pixels, labels, (32, 32, 3), mean, std)


def fashion_mnist(folder: Path, split: str) -> Images:
    """Fashion-MNIST from the four gzipped idx files of Debian's `dataset-fashion-mnist`.

    Raises:
        ModelError: They are not in the folder, or damaged.
    """
    prefix = {"train": "train", "test": "t10k"}[split]
    path = folder / f"{prefix}-images-idx3-ubyte.gz"
    pixels = _idx(path)
    labels = _idx(folder / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64)
    return _images(path, pixels[..., None], labels, (28, 28, 1), (0.0,), (1.0,))


def _images(
    path: Path,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    shape: tuple[int, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> Images:
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), *shape) or not len(labels):
        raise ModelError(
            f"{path}: expected {len(labels)} images of {shape} bytes, got {pixels.dtype} "
            f"{pixels.shape}"
        )
    if labels.min() < 0 or labels.max() > 9:
        raise ModelError(f"{path}: expected labels from 0 to 9")
    tensors = (torch.from_numpy(pixels), torch.from_numpy(labels))
    return Images(*tensors, torch.tensor(mean), torch.tensor(std))


def _idx(path: Path) -> NDArray[np.uint8]:
    """One gzipped idx file of unsigned bytes: magic 0x000008DD, D sizes (big endian), data."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}: it comes with dataset-fashion-mnist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or len(raw) < 4 + 4 * raw[3]:
        raise ModelError(f"{path}: expected an idx file of unsigned bytes")
    shape = tuple(int(size) for size in np.frombuffer(raw, ">u4", raw[3], 4))
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if values.size != np.prod(shape, dtype=np.int64):
        raise ModelError(f"{path}: expected {shape} bytes, got {values.size}")
    return values.reshape(shape).copy()


def _decoded(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The JPEG files of a pack as (N, height, width, 3)."""
    try:
        from PIL import Image
    except ImportError as error:
        raise DependencyError("decoding JPEG needs pip install 'pconv-mlir[train]'") from error
    files = data.tobytes()
    parts = (files[a:b] for a, b in itertools.pairwise(offsets))
    return np.stack([np.asarray(Image.open(io.BytesIO(part))) for part in parts])


def _cached(path: Path, decode: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """What `decode` gives, kept under the hash of the file it comes from."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    kept = Path(base) / "pconv-mlir" / f"{path.stem}-{digest}.npy"
    if kept.exists():
        pixels: NDArray[np.uint8] = np.load(kept, allow_pickle=False)
        return pixels
    pixels = decode()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with container.write_atomically(str(kept)) as file:
            np.save(file, pixels, allow_pickle=False)
    except (OSError, ArtefactError):
        pass  # a cache that cannot be written costs time, nothing else
    return pixels
