# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch models: the imported network computes what torch computes, and keeps its names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pconv_mlir import prune, reference
from pconv_mlir.errors import (
    ModelError,
    ShapeError,
    UnsupportedOpError,
    WeightsError,
)
from pconv_mlir.importer import import_model

torch = pytest.importorskip("torch")
pytest.importorskip("torch_mlir")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.utils import parametrize  # noqa: E402
from torch.nn.utils import prune as torch_prune  # noqa: E402


def image(*shape: int, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


X = image(2, 3, 7, 5)


class Calls(nn.Module):
    """A network that calls one function."""

    def __init__(self, function: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs, **dict(self.named_children()))


def check(model: nn.Module, *inputs: Any) -> str:
    """The IR of the network, once its results are right."""
    inputs = inputs or (X,)
    module = import_model(model, inputs)
    with torch.no_grad():
        expected = model.eval()(*inputs)
    got = reference.run(module, *(x.numpy() for x in inputs))
    expected = [expected] if isinstance(expected, torch.Tensor) else expected
    for a, b, spec in zip(got, expected, module.outputs, strict=True):
        assert a.shape == tuple(b.shape) == spec.shape
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-5, atol=1e-5)
    return module.ir


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(3, 4, 3),
    "conv, all options": lambda: nn.Conv2d(3, 6, (3, 2), (2, 1), (1, 2), (1, 2), 3, bias=False),
    "conv, same": lambda: nn.Conv2d(3, 4, (2, 3), padding="same"),
    "conv, valid": lambda: nn.Conv2d(3, 4, 3, padding="valid"),
    "batch norm": lambda: nn.BatchNorm2d(3),
    "batch norm without parameters": lambda: nn.BatchNorm2d(3, affine=False),
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hardtanh": lambda: nn.Hardtanh(0, 6),
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "softmax": lambda: nn.Softmax(1),
    "max pool": lambda: nn.MaxPool2d((2, 3), (2, 1), (1, 0), ceil_mode=True),
    "max pool with dilation": lambda: nn.MaxPool2d(2, 1, dilation=(2, 3)),
    "average pool": lambda: nn.AvgPool2d((3, 2), 2, (1, 0)),
    "average pool of the inside": lambda: nn.AvgPool2d(
        3, 2, 1, ceil_mode=True, count_include_pad=False
    ),
    "adaptive pool": lambda: nn.AdaptiveAvgPool2d((3, 2)),
    "adaptive pool of an axis": lambda: nn.AdaptiveAvgPool2d((None, 1)),
    "identity": lambda: nn.Sequential(nn.Identity(), nn.Dropout(), nn.ReLU()),
    "flatten": nn.Flatten,
    "nearest": lambda: nn.Upsample(scale_factor=2),
    "nearest to a size": lambda: nn.Upsample((9, 5)),
    "bilinear": lambda: nn.Upsample(scale_factor=(2, 3), mode="bilinear"),
    "bilinear to a size": lambda: nn.Upsample((9, 4), mode="bilinear"),
    "bilinear by corners": lambda: nn.Upsample((9, 4), mode="bilinear", align_corners=True),
    "zero padding": lambda: nn.ZeroPad2d((1, 0, 2, 1)),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(105, 4), nn.BatchNorm1d(4)),
    "linear without bias": lambda: nn.Sequential(nn.Flatten(), nn.Linear(105, 4, bias=False)),
}


def randomize(model: nn.Module) -> nn.Module:
    """Statistics and parameters that are not those of a fresh layer."""
    generator = torch.Generator().manual_seed(1)
    for tensor in model.state_dict().values():
        if tensor.dtype == torch.float32:
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return model


class Branches(nn.Module):
    """Many small networks on one input, since every export takes a while."""

    def __init__(self, networks: dict[str, nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks.values())

    def forward(self, x: Any) -> Any:
        return [network(x) for network in self.networks]


def compute(networks: dict[str, nn.Module]) -> dict[str, tuple[Any, Any]]:
    """What each network gives here and in torch."""
    model = randomize(Branches(networks)).eval()
    x = 4 * X
    got = reference.run(import_model(model, (x,)), x.numpy())
    with torch.no_grad():
        expected = model(x)
    return dict(zip(networks, zip(got, expected, strict=True), strict=True))


@pytest.fixture(scope="module")
def layer_results() -> dict[str, tuple[Any, Any]]:
    return compute({name: make() for name, make in LAYERS.items()})


@pytest.mark.parametrize("name", LAYERS)
def test_layer(layer_results: dict[str, tuple[Any, Any]], name: str) -> None:
    got, expected = layer_results[name]
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-5)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (x * 2 + 1 - x) / 4 - 0.5 + 2 * x + (3 + x),
    "factor": lambda x: torch.add(x, functional.relu(x), alpha=0.5),
    "difference": lambda x: torch.sub(x, functional.relu(x), alpha=2),
    "clamps": lambda x: x.clamp(0, 6) + x.clamp(min=0),
    "in place": lambda x: functional.relu_(x * 1) + functional.hardswish(x, inplace=False),
    "gates": lambda x: x * torch.sigmoid(x) + functional.hardsigmoid(x) * x,
    "broadcast": lambda x: x * x.mean((2, 3), keepdim=True) + x.mean((2, 3))[:, :, None, None],
    "concat": lambda x: torch.cat([x, functional.relu(x), x], 1),
    "shapes": lambda x: x.view(2, -1).reshape(6, 35).unsqueeze(0).squeeze(),
    "transposed": lambda x: x.mean((2, 3), keepdim=True).permute(0, 2, 3, 1).transpose(1, 3),
    "every second": lambda x: x[:, :, ::2, 0::3] + x[:, :, ::2, ::3],
    "channels": lambda x: functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2)),
    "softmax": lambda x: functional.softmax(x, -1),
}


@pytest.fixture(scope="module")
def function_results() -> dict[str, tuple[Any, Any]]:
    return compute({name: Calls(function) for name, function in FUNCTIONS.items()})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(function_results: dict[str, tuple[Any, Any]], name: str) -> None:
    got, expected = function_results[name]
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_a_change_in_place_is_seen_by_other_names_of_the_tensor() -> None:
    def forward(x: Any) -> Any:
        y = x + 0
        z = y
        functional.relu_(y)
        return z + x

    check(Calls(forward))


def test_products_with_matrices() -> None:
    class Products(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.v = nn.Parameter(image(6, 4)), nn.Parameter(image(5, 4))
            self.b = nn.Parameter(image(4))

        def forward(self, x: Any) -> Any:
            return torch.addmm(self.b, x @ self.w @ self.v.t(), self.v)

    check(Products(), image(3, 6))


class Block(nn.Module):
    """A residual block as users write it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        return functional.relu(self.relu(self.bn1(self.conv1(x))) + x)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2)
        self.layer1 = nn.Sequential(Block(8), Block(8))
        self.fc = nn.Linear(8, 5)

    def forward(self, picture: Any) -> Any:
        return self.fc(self.layer1(self.stem(picture)).mean((2, 3)))


def test_names_of_layers_weights_inputs_and_outputs() -> None:
    module = import_model(randomize(Net()), (X,))
    for name in ("stem", "layer1.0.conv1", "layer1.1.bn1", "layer1.0.relu", "layer1.1.add", "fc"):
        assert f'layer = "{name}"' in module.ir
    assert {"stem.bias", "layer1.0.conv1.weight", "layer1.1.bn1.running_var"} <= set(module.weights)
    assert module.inputs[0].name == "picture"
    check(randomize(Net()))


def test_weights_are_shared_not_copied() -> None:
    model = Net()
    module = import_model(model, (X,))
    with torch.no_grad():
        model.fc.weight.fill_(0.25)
    assert (module.weights["fc.weight"] == 0.25).all()


def test_an_exported_program_needs_no_examples() -> None:
    model = randomize(Net()).eval()
    program = torch.export.export(model, (X,))
    assert import_model(program).ir == import_model(model, (X,)).ir
    with pytest.raises(ShapeError, match=r"\(2, 3, 7, 5\).*\(2, 3, 7, 6\)"):
        import_model(program, (image(2, 3, 7, 6),))


def test_the_mode_of_the_model_stays() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout()).train()
    model[1].eval()
    check_before = [module.training for module in model.modules()]
    import_model(model, (X,))
    assert [module.training for module in model.modules()] == check_before == [True, True, False]


def test_several_inputs_and_outputs() -> None:
    model = Calls(lambda a, b: (functional.relu(b), a + b))
    check(model, X, image(2, 3, 7, 5, seed=1))


def test_one_tensor_or_numpy_arrays_as_examples() -> None:
    model = nn.ReLU()
    texts = {import_model(model, examples).ir for examples in (X, [X.numpy()], (X,))}
    assert len(texts) == 1


def test_channels_last_weights() -> None:
    check(nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last))


def test_a_shared_layer() -> None:
    conv = nn.Conv2d(3, 3, 1)
    text = check(Calls(lambda x, conv: conv(functional.relu(conv(x))), conv=conv))
    assert text.count("pattern.weights @conv.weight") == 1
    assert text.count("weights(@conv.weight)") == 2


# --- The sparsity that is found ---------------------------------------------------------------


def test_kernel_patterns_are_found() -> None:
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 24, 3))
    prune.magnitude(model, "pattern:8+connectivity:3.6")
    module = import_model(model, (X,))
    assert '@"0.weight" : tensor<16x3x3x3xf32>, #pattern.dense' in module.ir
    assert '@"2.weight" : tensor<24x16x3x3xf32>, #pattern.kernel' in module.ir
    assert module.notes["2"].startswith("kernel: 8 kernel patterns")


def test_masks_of_torch_prune_are_applied() -> None:
    conv = nn.Conv2d(8, 16, 3)
    model = nn.Sequential(conv)
    torch_prune.random_unstructured(conv, "weight", 0.5)
    x = image(1, 8, 5, 5)
    text = check(model, x)
    assert '@"0.weight" : tensor<16x8x3x3xf32>, #pattern.unstructured' in text
    weight = import_model(model, (x,)).weights["0.weight"]
    np.testing.assert_array_equal(weight, conv.weight.detach().numpy())


def test_parametrized_weights_are_computed() -> None:
    class Double(nn.Module):
        def forward(self, weight: Any) -> Any:
            return weight * 2

    conv = nn.Conv2d(3, 4, 3)
    parametrize.register_parametrization(conv, "weight", Double())
    assert '@"0.weight"' in check(nn.Sequential(conv))


# --- Errors -----------------------------------------------------------------------------------


def test_all_unsupported_ops_come_in_one_error() -> None:
    model = nn.Sequential(nn.GELU(), nn.ReLU(), nn.GELU(), nn.Hardtanh(-1, 1), nn.Mish())
    with pytest.raises(UnsupportedOpError) as caught:
        import_model(model, (X,))
    text = str(caught.value)
    assert "aten.gelu" in text and "0, 2" in text
    assert "clamping to -1" in text and "aten.mish" in text


UNSUPPORTED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "transpose": (lambda x: x.permute(0, 2, 3, 1), "keep the order N, C, H, W"),
    "crop": (lambda x: x[:, :, 1:], "a slice 1:"),
    "mean": (lambda x: x.mean(1), "only over rows and columns"),
    "reflect": (lambda x: functional.pad(x, (1, 1, 1, 1), mode="reflect"), "aten.pad: padding of"),
    "fill": (lambda x: functional.pad(x, (1, 1), value=1.0), "another value than zero"),
    "division": (lambda x: x / (x + 1), "a division by zero, or by"),
    "divisor": (lambda x: functional.avg_pool2d(x, 2, divisor_override=3), "a divisor of its own"),
    "indices": (lambda x: functional.max_pool2d(x, 2, return_indices=True)[1] * 2, "indices of"),
    "weights": (lambda x: functional.conv2d(x[:, :, 0:], x), "must be a constant"),
    "nearest": (lambda x: functional.interpolate(x, scale_factor=1.4), "nearest resizing from"),
    "bilinear": (
        lambda x: functional.interpolate(x, scale_factor=1.5, mode="bilinear"),
        "bilinear resizing from [7, 5] to [10, 7]",
    ),
}


@pytest.fixture(scope="module")
def unsupported_message() -> str:
    networks = {name: Calls(function) for name, (function, _) in UNSUPPORTED.items()}
    networks["transposed"] = nn.ConvTranspose2d(3, 2, 2)
    with pytest.raises(UnsupportedOpError) as caught:
        import_model(Branches(networks), (image(3, 3, 7, 5),))
    return str(caught.value)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_form_that_is_not_supported_says_why(unsupported_message: str, name: str) -> None:
    assert UNSUPPORTED[name][1] in unsupported_message


def test_a_transposed_convolution(unsupported_message: str) -> None:
    assert "aten.conv_transpose2d.input: replace it" in unsupported_message


def test_an_export_that_fails() -> None:
    with pytest.raises(ModelError, match="torch.export cannot export"):
        import_model(Calls(lambda x: x if x.sum() > 0 else -x), (X,))


def test_no_examples() -> None:
    with pytest.raises(ModelError, match="example inputs"):
        import_model(nn.ReLU())


def test_an_input_of_another_type() -> None:
    with pytest.raises(ModelError, match="'input' is torch.float64"):
        import_model(nn.ReLU(), (X.double(),))


def test_an_open_size() -> None:
    size = torch.export.Dim("n", min=2, max=9)
    program = torch.export.export(nn.ReLU(), (X,), dynamic_shapes=({0: size},))
    with pytest.raises(ModelError, match="'input' has an open size"):
        import_model(program)


def test_a_weight_that_is_no_number() -> None:
    conv = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        conv.weight[1, 1, 1, 1] = float("nan")
    with pytest.raises(WeightsError, match=r"layer '0'.*'0.weight'.*NaN"):
        import_model(nn.Sequential(conv), (X,))


def test_an_output_that_is_constant() -> None:
    model = Calls(lambda x, c: (functional.relu(x), c.weight * 2), c=nn.Linear(2, 2))
    with pytest.raises(ModelError, match="does not depend on the input"):
        import_model(model, (X,))


def test_a_network_that_wears_masks() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3))
    pruner = prune.MagnitudePruner()
    pruner.prepare(net, "pattern:4")
    with pytest.raises(ModelError, match=r"call squash_mask\(\)"):
        import_model(net, (X,))
    pruner.squash_mask()
    check(net)
