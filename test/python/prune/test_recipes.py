# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The recipes of the demo networks: networks, data, training."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes train with torch")
pytest.importorskip("onnx", reason="the built-in networks are made as ONNX")
pytest.importorskip("PIL", reason="the packs hold JPEG files")

import datasets  # noqa: E402

from pconv_mlir import models, prune  # noqa: E402
from pconv_mlir.errors import ModelError, OptionError, PruneError, WeightsError  # noqa: E402
from pconv_mlir.prune import recipes  # noqa: E402
from pconv_mlir.prune.recipes import data  # noqa: E402

NAMES = sorted(recipes.RECIPES)
PATTERN = "pattern:8+connectivity:2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("data")
    datasets.write_cifar10(path)
    datasets.write_fashion_mnist(path)
    return path


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pconv-mlir"


# networks


@pytest.mark.parametrize("name", NAMES)
def test_torch_and_onnx_are_the_same_network(name: str) -> None:
    ort: Any = pytest.importorskip("onnxruntime", reason="running the networks needs onnxruntime")
    model = models.build(name, batch=2, seed=3)
    net = recipes.find(name).build()
    weights = models.weights(model)
    state = set(net.state_dict())
    recipes.load_weights(net, {key: value for key, value in weights.items() if key in state})
    (spec,) = model.graph.input
    shape = [size.dim_value for size in spec.type.tensor_type.shape.dim]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"input": x})
    with torch.no_grad():
        found = net.eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_have_the_variance_of_he(name: str) -> None:
    torch.manual_seed(0)
    for layer, module in recipes.find(name).build().named_modules():
        if isinstance(module, torch.nn.Conv2d):
            inputs = module.weight[0].numel()
            assert float(module.weight.detach().var()) == pytest.approx(2 / inputs, rel=0.3), layer


def test_weights_of_another_network_are_refused() -> None:
    net = recipes.find("vgg-fashion").build()
    with pytest.raises(WeightsError, match="another network.*conv1_1"):
        recipes.load_weights(net, {"conv1.weight": np.zeros((16, 3, 3, 3), np.float32)})


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'vgg11'.*resnet20-cifar"):
        recipes.find("vgg11")


# data


def test_packs_are_decoded_once(
    folder: Path, no_cache_of_the_user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = data.cifar10(folder, "train")
    pixels, labels = datasets.pictures(40, 32, 3, seed=0)
    assert images.labels.tolist() == labels.tolist()
    assert np.abs(images.pixels.numpy().astype(int) - pixels).mean() < 40  # JPEG is lossy
    assert [file.suffix for file in no_cache_of_the_user.iterdir()] == [".npy"]

    def never(*_: Any) -> Any:
        raise AssertionError("decoded again")

    monkeypatch.setattr(data, "_decoded", never)
    assert torch.equal(data.cifar10(folder, "train").pixels, images.pixels)
    with pytest.raises(AssertionError, match="decoded again"):
        data.cifar10(folder, "test")  # another pack, another entry


def test_images_are_normalised_as_the_published_networks_expect(folder: Path) -> None:
    images = data.cifar10(folder, "test")
    x, labels = next(images.batches(8))
    plain = images.pixels[:8].numpy().astype(np.float32) / 255
    wanted = (plain - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(x.numpy(), wanted.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert labels.tolist() == list(range(8))


def test_augmented_images_are_shifted_and_mirrored_ones(folder: Path) -> None:
    images = data.fashion_mnist(folder, "train")
    torch.manual_seed(0)
    batches = list(data.Augmented(images, 12, shift=2))
    assert [len(labels) for _, labels in batches] == [12, 12, 12]
    padded = np.pad(images.pixels.numpy()[..., 0], ((0, 0), (2, 2), (2, 2)))
    kinds = set()
    seen = set()
    for x, labels in batches:
        for image, label in zip((x[:, 0] * 255).round().numpy(), labels.tolist(), strict=True):
            (found,) = [
                (row, y, z, flip)
                for row in range(label, len(images), 10)  # where this label is
                for y in range(5)
                for z in range(5)
                for flip in (1, -1)
                if np.array_equal(padded[row, y : y + 28, z : z + 28][:, ::flip], image)
            ]
            seen.add(found[0])
            kinds.add(found[1:])
    assert len(seen) == 36  # no image twice in an epoch
    assert len(kinds) > 20
    torch.manual_seed(0)
    again = next(iter(data.Augmented(images, 12, shift=2)))
    assert torch.equal(again[0], batches[0][0])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.zeros(3, np.uint8)}, "no pack of CIFAR-10.*data"),
        ({"labels": np.zeros(3), "images": np.zeros((3, 32, 32, 3))}, "expected 3 images"),
        ({"labels": np.zeros(2), "images": np.zeros((3, 32, 32, 3), "u1")}, "expected 2 images"),
        ({"labels": np.full(1, 10), "images": np.zeros((1, 32, 32, 3), "u1")}, "labels from 0"),
        (
            {"labels": np.zeros(1), "data": np.zeros(9, "u1"), "offsets": np.array([0, 9])},
            "damaged",
        ),
    ],
)
def test_damaged_packs_are_refused(tmp_path: Path, arrays: Any, message: str) -> None:
    np.savez(tmp_path / "cifar10-test.npz", **arrays)
    with pytest.raises(ModelError, match=message):
        data.cifar10(tmp_path, "test")


def test_missing_and_torn_files_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no cifar10-test.npz"):
        data.cifar10(tmp_path, "test")
    with pytest.raises(ModelError, match="dataset-fashion-mnist"):
        data.fashion_mnist(tmp_path, "test")
    whole = (folder / "cifar10-test.npz").read_bytes()
    (tmp_path / "cifar10-test.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        data.cifar10(tmp_path, "test")
    for raw, message in (
        (b"\0\0\x08\x01\0\0\0\x03ab", r"expected \(3,\) bytes"),
        (b"\0\0\x0d\x01", "idx file of unsigned bytes"),
    ):
        (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(raw))
        with pytest.raises(ModelError, match=message):
            data.fashion_mnist(tmp_path, "test")
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(99))[:20])
    with pytest.raises(ModelError, match="damaged"):
        data.fashion_mnist(tmp_path, "test")


def test_a_batch_larger_than_the_data_is_refused(folder: Path) -> None:
    with pytest.raises(OptionError, match="from 1 to 40"):
        data.Augmented(data.fashion_mnist(folder, "train"), 41, 2)


# training


def small(**changes: Any) -> recipes.Recipe:
    numbers = {"batch": 8, "epochs": 3, "retrain_epochs": 2, "lr": 0.01, "retrain_lr": 0.01}
    return replace(recipes.find("vgg-fashion"), **{**numbers, **changes})


def trained(folder: Path, **options: Any) -> recipes.Outcome:
    weights = {k: v.numpy() for k, v in recipes.find("vgg-fashion").build().state_dict().items()}
    options = {"weights": weights, **options}
    recipe = options.pop("recipe", small())
    return recipes.run(recipe, options.pop("config", PATTERN), folder, **options)


def test_dense_training_learns_and_prunes_nothing(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    recipe = small(epochs=8, lr=0.05)
    result = trained(folder, recipe=recipe, config="dense", weights=None, log=log)
    assert list(result.scores) == ["before", "after"]
    assert result.scores["after"] > 60 > 30 > result.scores["before"]
    assert {layer.scheme for layer in result.layers.layers} == {"dense"}
    start, *epochs, end = map(json.loads, log.read_text().splitlines())
    assert start["config"] == {"scheme": "dense"} and start["seed"] == 0
    assert [epoch["number"] for epoch in epochs] == list(range(1, 9))
    assert epochs[-1]["accuracy"] == end["scores"]["after"] == result.scores["after"]
    assert end["images"] == 40


@pytest.mark.parametrize("method", ["magnitude", "gradual", "admm"])
def test_an_interrupted_training_ends_as_if_it_had_not_been(
    folder: Path, tmp_path: Path, method: str
) -> None:
    torch.manual_seed(1)
    weights = {k: v.numpy() for k, v in recipes.find("vgg-fashion").build().state_dict().items()}
    whole = trained(folder, method=method, weights=weights, seed=5)
    found: list[str] = []

    def tear(epoch: prune.Epoch) -> None:
        found.append(str(epoch).split(":")[0])
        if len(found) % 2 == 0:  # the checkpoint of this epoch is not written: it runs once more
            raise KeyboardInterrupt

    for _ in range(10):
        try:
            torn = trained(
                folder,
                method=method,
                weights=weights,
                seed=5,
                checkpoint=tmp_path / "state.pt",
                log=tmp_path / "log.jsonl",
                progress=tear,
            )
            break
        except KeyboardInterrupt:
            pass
    assert len(found) > len(whole.losses)
    assert torn.losses == whole.losses
    assert torn.scores == whole.scores
    for name, value in whole.weights().items():
        np.testing.assert_array_equal(torn.weights()[name], value)
    assert str(torn.layers) == str(whole.layers)
    events = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").open()]
    assert events.count("end") == 1 and events.count("start") > 1


def test_the_result_is_in_the_scheme(folder: Path) -> None:
    result = trained(folder)
    for layer in result.layers.layers:
        kernels = result.weights()[f"{layer.name}.weight"]
        if layer.scheme == PATTERN:
            structure = prune.find_library(kernels)
            assert isinstance(structure, prune.FoundLibrary)
            assert np.count_nonzero(structure.kernels) * 2 == structure.kernels.size
        else:
            assert kernels.all()


def test_statistics_are_measured_anew_on_request(folder: Path) -> None:
    means = [
        trained(folder, recipe=small(retrain_epochs=0), recalibrate=anew).weights()[
            "bn1_1.running_mean"
        ]
        for anew in (False, True)
    ]
    assert not np.array_equal(*means)


def test_bfloat16_learns_as_well(folder: Path) -> None:
    full, half = (trained(folder, autocast=it) for it in (False, True))
    assert half.losses != full.losses
    np.testing.assert_allclose(half.losses, full.losses, rtol=0.05)
    assert {value.dtype for value in half.weights().values()} == {np.dtype("float32")}


@pytest.mark.parametrize("autocast", [False, True])
def test_an_epoch_is_scored_in_the_precision_of_the_training(
    folder: Path, tmp_path: Path, autocast: bool
) -> None:
    log = tmp_path / "log.jsonl"
    seen: list[tuple[bool, bool]] = []

    def note(_module: Any, _inputs: Any) -> None:
        seen.append((torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")))

    hook = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        trained(folder, autocast=autocast, log=log)
    finally:
        hook.remove()
    evaluated = {precision for inference, precision in seen if inference}
    assert evaluated == {False, autocast}  # the scores of the ends are in float32


def test_compiled_it_learns_as_well(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = trained(folder)
    compile_model = torch.compile  # without C++, which takes a minute
    monkeypatch.setattr(torch, "compile", lambda model: compile_model(model, backend="aot_eager"))
    log = tmp_path / "log.jsonl"
    compiled = trained(folder, compiled=True, log=log)
    np.testing.assert_allclose(compiled.losses, plain.losses, rtol=1e-3)
    assert list(compiled.weights()) == list(plain.weights())
    start = json.loads(log.read_text().splitlines()[0])
    assert start["compiled"] and not start["autocast"]


@pytest.mark.parametrize("device", ["nowhere", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(folder: Path, device: str) -> None:
    with pytest.raises(OptionError, match=f"cannot train on device '{device}': "):
        trained(folder, device=device)


def test_a_checkpoint_of_another_training_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    trained(folder, checkpoint=path)
    with pytest.raises(PruneError, match="other settings"):
        trained(folder, checkpoint=path, seed=1)
    with pytest.raises(PruneError, match="other settings"):
        trained(folder, checkpoint=path, limit=32)
    with pytest.raises(PruneError, match="other settings"):  # as many batches as before
        trained(folder, checkpoint=path, limit=20, recipe=small(batch=4))
    with pytest.raises(PruneError, match="ADMMPruner"):
        trained(folder, checkpoint=path, method="gradual")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(PruneError, match="damaged"):
        trained(folder, checkpoint=path)
    path.write_text("hello")
    with pytest.raises(PruneError, match="no checkpoint"):
        trained(folder, checkpoint=path)
    torch.save([1, 2], path)
    with pytest.raises(PruneError, match="no checkpoint"):
        trained(folder, checkpoint=path)


def test_a_log_that_cannot_be_written_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot write"):
        trained(folder, log=tmp_path / "missing" / "log.jsonl")


# the real data, where it is


@pytest.mark.skipif(not datasets.has_cifar10(), reason=datasets.NO_DATA)
def test_the_published_network_on_the_real_pack() -> None:
    recipe = recipes.find("resnet20-cifar")
    weights = prune.read_weights(datasets.CIFAR10 / recipe.weights)
    net = recipe.build()
    recipes.load_weights(net, weights)
    test = data.cifar10(datasets.CIFAR10, "test").first(1000)
    before = recipes.accuracy(net, test)
    assert 77 < before < 85  # the whole test set: 81.03 %
    prune.magnitude(net, "pattern:8")
    assert recipes.accuracy(net, test) < before - 3
