# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The `.pconv` file: round trip, and one test for each way a file can be bad."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import handmade
import numpy as np
import pytest

from pconv_mlir import artefact as artefacts
from pconv_mlir import targets
from pconv_mlir.artefact import Artefact
from pconv_mlir.errors import ArtefactError, TargetError
from pconv_mlir.runtime import load

# --- Good files ---------------------------------------------------------------


def test_round_trip(artefact: Artefact, saved: Path) -> None:
    loaded = artefacts.load(saved)
    assert loaded.code == artefact.code and loaded.ir == artefact.ir
    np.testing.assert_array_equal(loaded.values, artefact.values)
    np.testing.assert_array_equal(loaded.indices, artefact.indices)
    assert dataclasses.replace(loaded.manifest, members={}) == artefact.manifest


def test_weights_are_mapped_and_aligned(saved: Path) -> None:
    loaded = artefacts.load(saved)
    for array in (loaded.values, loaded.indices):
        assert not array.flags.writeable and not array.flags.owndata
    assert loaded.values.ctypes.data % 64 == 0
    assert str(saved) in Path("/proc/self/maps").read_text()


def test_other_programs_can_read_it(artefact: Artefact, saved: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        tensors = safetensors.load(archive.read("data.safetensors"))
    np.testing.assert_array_equal(tensors["values"], artefact.values)
    np.testing.assert_array_equal(tensors["indices"], artefact.indices)


def test_the_same_network_gives_the_same_file(artefact: Artefact, saved: Path) -> None:
    again = saved.with_name("again.pconv")
    artefacts.save(artefact, again)
    assert again.read_bytes() == saved.read_bytes()


def test_a_network_without_indices(artefact: Artefact, tmp_path: Path) -> None:
    memory = dataclasses.replace(artefact.manifest.memory, indices=0)
    manifest = dataclasses.replace(artefact.manifest, memory=memory)
    dense = dataclasses.replace(artefact, manifest=manifest, indices=np.empty(0, np.int32))
    artefacts.save(dense, tmp_path / "dense.pconv")
    assert artefacts.load(tmp_path / "dense.pconv").indices.shape == (0,)


def test_a_failed_save_leaves_the_old_file(
    artefact: Artefact, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtefactError, match="cannot write .*: No space left on device"):
        artefacts.save(artefact, saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_folder_that_does_not_exist(artefact: Artefact, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot write .*: No such file or directory"):
        artefacts.save(artefact, tmp_path / "missing" / "model.pconv")


def test_saving_over_the_file_it_was_loaded_from(saved: Path, x: np.ndarray) -> None:
    network = load(saved, num_threads=1)
    network.save(saved)
    assert load(saved, num_threads=1)(x)[0].tobytes() == network(x)[0].tobytes()


# --- Bad files: damage --------------------------------------------------------


def refuse(path: Path, match: str) -> None:
    with pytest.raises(ArtefactError, match=match):
        load(path, num_threads=1)


def test_no_file(tmp_path: Path) -> None:
    refuse(tmp_path / "missing.pconv", "cannot read .*: No such file or directory")
    refuse(tmp_path, "cannot read .*: Is a directory")


def test_an_empty_file(saved: Path) -> None:
    saved.write_bytes(b"")
    refuse(saved, "damaged or no .pconv file")


def test_a_file_of_another_kind(saved: Path) -> None:
    saved.write_bytes(np.random.default_rng(0).bytes(5000))
    refuse(saved, "damaged or no .pconv file: File is not a zip file")


def test_truncation_anywhere(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(0, len(whole), 97):
        saved.write_bytes(whole[:length])
        refuse(saved, "damaged or no .pconv file")


def test_a_flipped_bit_anywhere_is_noticed(artefact: Artefact, saved: Path) -> None:
    """Either the file is refused, or the bit was in a field without meaning (a date, say)."""
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 1000):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        try:
            loaded = artefacts.load(saved)
        except ArtefactError:
            continue
        assert dataclasses.replace(loaded.manifest, members={}) == artefact.manifest
        assert loaded.code == artefact.code and loaded.ir == artefact.ir
        assert loaded.values.tobytes() == artefact.values.tobytes()
        assert loaded.indices.tobytes() == artefact.indices.tobytes()


# --- Bad files: hostile archives ----------------------------------------------


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, members: dict[str, bytes], **options: Any) -> None:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_compressed_member(saved: Path) -> None:
    rewrite(saved, members_of(saved), compression=zipfile.ZIP_DEFLATED)
    refuse(saved, "is compressed")


def test_a_zip_bomb(saved: Path) -> None:
    members = members_of(saved) | {"data.safetensors": bytes(50_000_000)}
    rewrite(saved, members, compression=zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 100_000
    refuse(saved, "is compressed")


def test_a_member_too_many(saved: Path) -> None:
    rewrite(saved, members_of(saved) | {"extra.py": b"print('hello')"})
    refuse(saved, "expected the members data.safetensors, manifest.json, network.mlir, network.o")


def test_a_missing_member(saved: Path) -> None:
    members = members_of(saved)
    del members["network.mlir"]
    rewrite(saved, members)
    refuse(saved, "expected the members")


def test_a_member_twice(saved: Path) -> None:
    members = members_of(saved)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("network.o", members["network.o"])
    refuse(saved, "each once")


@pytest.mark.parametrize("name", ["../network.o", "/tmp/network.o", "a/network.o", "network.o\0"])
def test_a_path_as_name(saved: Path, name: str) -> None:
    members = members_of(saved)
    rewrite(saved, {name if key == "network.o" else key: members[key] for key in members})
    if name.endswith("\0"):  # zipfile cuts names there; the header in front of the member shows it
        data = saved.read_bytes().replace(b"network.o", b"network\0o")
        saved.write_bytes(data)
    refuse(saved, "expected the members|does not fit the directory")


def test_overlapping_members(saved: Path) -> None:
    """Two directory entries that share bytes: the way of modern zip bombs."""
    whole = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        start, infos = archive.start_dir, archive.infolist()
    at = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02", start) + 4)
    struct.pack_into("<I", whole, at + 42, infos[0].header_offset)
    saved.write_bytes(whole)
    refuse(saved, "does not follow the member before it|does not fit the directory")


def test_sizes_beyond_the_file(saved: Path) -> None:
    whole = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        at = archive.start_dir
    struct.pack_into("<II", whole, at + 20, 1 << 31, 1 << 31)
    saved.write_bytes(whole)
    refuse(saved, "data.safetensors is truncated")


def test_an_encrypted_member(saved: Path) -> None:
    whole = bytearray(saved.read_bytes())
    whole[6] |= 1
    saved.write_bytes(whole)
    refuse(saved, "does not fit the directory")


def test_bytes_in_front_of_the_archive(saved: Path) -> None:
    saved.write_bytes(b"#!/bin/sh\nexit\n" + saved.read_bytes())
    refuse(saved, "does not follow the member before it")


def test_hidden_bytes_between_members(saved: Path) -> None:
    members = members_of(saved)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.fp.write(b"hidden")  # type: ignore[union-attr]
        archive.start_dir = archive.fp.tell()  # type: ignore[union-attr]
    refuse(saved, "bytes between the last member and the directory")


# --- Bad files: well-formed archives with a hostile content ---------------------


def forge(
    path: Path,
    manifest: Callable[[dict[str, Any]], object] | None = None,
    **changes: bytes,
) -> None:
    """Rewrites a file with other members and correct checksums, and a changed manifest."""
    members = members_of(path)
    record = json.loads(members.pop("manifest.json"))
    for name, data in changes.items():
        members[{"code": "network.o", "data": "data.safetensors", "ir": "network.mlir"}[name]] = (
            data
        )
    for name, data in members.items():
        record["members"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if manifest:
        manifest(record)
    rewrite(path, members | {"manifest.json": json.dumps(record).encode()})


def test_forging_without_changes_is_harmless(saved: Path, x: np.ndarray) -> None:
    """Shows that the tests below fail for the reasons that they name."""
    forge(saved)
    np.testing.assert_allclose(load(saved)(x)[0], handmade.expected(x)[0])


def test_a_wrong_checksum(saved: Path) -> None:
    members = members_of(saved)
    members["network.o"] = members["network.o"][:-1] + b"\xff"
    rewrite(saved, members)
    refuse(saved, "the checksum of network.o does not match")


@pytest.mark.parametrize("version", [0, 2, 10**30, "1", None])
def test_another_format_version(saved: Path, version: object) -> None:
    forge(saved, lambda record: record.update(version=version))
    refuse(saved, "it has format version .*, this pconv-mlir reads version 1")


def test_a_zip_that_is_no_network(saved: Path) -> None:
    forge(saved, lambda record: record.update(format="docx"))
    refuse(saved, "its manifest is not that of a compiled network")


def test_code_for_another_processor(saved: Path) -> None:
    target = targets.parse("host")
    other = targets.parse("x86-64" if target.instruction_set == "aarch64" else "aarch64-linux-gnu")
    forge(saved, lambda record: record.update(target=dataclasses.asdict(other)))
    with pytest.raises(TargetError, match="compile the model for this machine"):
        load(saved)


MANIFEST_ATTACKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no inputs": lambda m: m.update(inputs=[]),
    "no outputs": lambda m: m.update(outputs=[]),
    "missing key": lambda m: m.pop("memory"),
    "unknown key": lambda m: m.update(script="rm"),
    "list for table": lambda m: m.update(memory=[]),
    "table for list": lambda m: m.update(steps={}),
    "negative size": lambda m: m["memory"].update(arena=-1),
    "huge size": lambda m: m["memory"].update(arena=10**30),
    "float size": lambda m: m["memory"].update(arena=64.0),
    "boolean size": lambda m: m["memory"].update(arena=True),
    "input outside of the arena": lambda m: m["inputs"][0].update(place=60),
    "output outside of the arena": lambda m: m["outputs"][1].update(shape=[1 << 20, 1 << 20]),
    "negative place": lambda m: m["inputs"][0].update(place=-4),
    "empty input": lambda m: m["inputs"][0].update(shape=[2, 0]),
    "input without shape": lambda m: m["inputs"][0].update(shape=[]),
    "shape of strings": lambda m: m["inputs"][0].update(shape=["2", "4"]),
    "other type": lambda m: m["inputs"][0].update(dtype="float64"),
    "long name": lambda m: m["inputs"][0].update(name="x" * 10**6),
    "many steps": lambda m: m.update(steps=m["steps"] * 10**5),
    "no lanes": lambda m: m["target"].update(lanes=0),
    "values that are not there": lambda m: m["memory"].update(values=9),
    "indices that are not there": lambda m: m["memory"].update(indices=7),
    "member not listed": lambda m: m["members"].pop("network.mlir"),
    "member too many": lambda m: m["members"].update({"../x": m["members"]["network.o"]}),
    "wrong size": lambda m: m["members"]["network.o"].update(bytes=1),
}


@pytest.mark.parametrize("attack", MANIFEST_ATTACKS)
def test_a_hostile_manifest(saved: Path, attack: str) -> None:
    forge(saved, MANIFEST_ATTACKS[attack])
    refuse(saved, "damaged or no .pconv file: .+")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"format": "pconv", "format": "pconv"}',
        b'{"format": "pconv", "version": NaN}',
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_manifest_that_is_no_json(saved: Path, text: bytes) -> None:
    rewrite(saved, members_of(saved) | {"manifest.json": text})
    refuse(saved, "damaged or no .pconv file: .+")


def tensors(header: object, body: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(dtype: str, start: int, stop: int, shape: list[object] | None = None) -> dict[str, Any]:
    shape = [(stop - start) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


GOOD = {"values": entry("F32", 0, 32), "indices": entry("I32", 32, 64)}
TENSOR_ATTACKS = {
    "empty": b"",
    "header longer than the file": tensors(GOOD, bytes(64), 1 << 40),
    "header of 2^64 - 1 bytes": tensors(GOOD, bytes(64), (1 << 64) - 1),
    "no JSON": tensors(b"hello", bytes(64)),
    "no table": tensors([GOOD], bytes(64)),
    "array too many": tensors(GOOD | {"more": entry("F32", 64, 64)}, bytes(64)),
    "array missing": tensors({"values": entry("F32", 0, 32)}, bytes(32)),
    "array twice": tensors(
        b'{"values":{},' + json.dumps(GOOD).encode()[1:],
        bytes(64),
    ),
    "body too short": tensors(GOOD, bytes(60)),
    "body too long": tensors(GOOD, bytes(68)),
    "offsets overlap": tensors(GOOD | {"indices": entry("I32", 0, 32)}, bytes(64)),
    "offsets with a hole": tensors(GOOD | {"indices": entry("I32", 36, 68)}, bytes(68)),
    "offsets backwards": tensors(GOOD | {"indices": entry("I32", 32, 0, [8])}, bytes(64)),
    "offsets negative": tensors(GOOD | {"values": entry("F32", -32, 0)}, bytes(64)),
    "offsets of strings": tensors(
        GOOD | {"values": {"dtype": "F32", "shape": [8], "data_offsets": ["0", "32"]}}, bytes(64)
    ),
    "offsets missing": tensors(GOOD | {"values": {"dtype": "F32", "shape": [8]}}, bytes(64)),
    "shape does not fit": tensors(GOOD | {"values": entry("F32", 0, 32, [9])}, bytes(64)),
    "shape of two dimensions": tensors(GOOD | {"values": entry("F32", 0, 32, [2, 4])}, bytes(64)),
    "shape that wraps around": tensors(
        GOOD | {"values": entry("F32", 0, 32, [(1 << 64) + 8])}, bytes(64)
    ),
    "other type": tensors(GOOD | {"values": entry("F64", 0, 32, [4])}, bytes(64)),
    "type is a list": tensors(
        GOOD | {"values": {"dtype": [], "shape": [8], "data_offsets": [0, 32]}}, bytes(64)
    ),
    "types swapped": tensors(
        {"values": entry("I32", 0, 32), "indices": entry("F32", 32, 64)}, bytes(64)
    ),
}


@pytest.mark.parametrize("attack", TENSOR_ATTACKS)
def test_hostile_tensors(saved: Path, attack: str) -> None:
    forge(saved, data=TENSOR_ATTACKS[attack])
    refuse(saved, "damaged or no .pconv file: .+")


def test_the_tensor_attacks_start_from_a_good_file(saved: Path) -> None:
    forge(saved, data=tensors(GOOD, bytes(64)))
    assert artefacts.load(saved).values.shape == (8,)


def test_code_that_is_no_object(saved: Path) -> None:
    forge(saved, code=b"\x7fELF" + bytes(100))
    refuse(saved, "the code cannot be loaded: not a relocatable 64-bit object")


def test_ir_that_is_no_text(saved: Path) -> None:
    forge(saved, ir=b"\xff\xfe\xfd")
    network = load(saved, num_threads=1)  # runs without it
    with pytest.raises(ArtefactError, match="the IR of the network is damaged"):
        network.artefact.ir  # noqa: B018


def test_a_pickle_is_not_executed(saved: Path, tmp_path: Path) -> None:
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "exploded",))

    stream = io.BytesIO()
    pickle.dump(Bomb(), stream)
    saved.write_bytes(stream.getvalue())
    refuse(saved, "damaged or no .pconv file")
    assert not (tmp_path / "exploded").exists()
