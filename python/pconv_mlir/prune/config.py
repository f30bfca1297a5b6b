# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which layer gets which scheme: one value, from Python or YAML, that fits one or many networks.

scheme: pattern:8+connectivity:3.6      # convolutions larger than 1x1
kinds:                                  # left dense unless named here
  1x1: block:8x8@4
  linear: dense
layers:                                 # names or globs; they win over the rest
  "layer4.*": block-punched:8x4@6
  layer1.0.conv1: dense
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, get_args

from numpy.typing import NDArray

from pconv_mlir.errors import ConfigError, DependencyError, SchemeError
from pconv_mlir.prune.layers import LEFT_ALONE, Kind, Layer, mask_of
from pconv_mlir.prune.mining import mine_natural
from pconv_mlir.prune.patterns import PatternLibrary
from pconv_mlir.prune.schemes import NM, Block, Dense, KernelPattern, Scheme, parse_scheme
from pconv_mlir.prune.units import Mask

KINDS: tuple[Kind, ...] = get_args(Kind)
KEYS = ("scheme", "kinds", "layers", "shapes")


@dataclass(frozen=True)
class Choice:
    """The scheme of one layer; the library mined for it; why it is left alone, if it is."""

    layer: Layer
    scheme: Scheme
    note: str = ""
    library: PatternLibrary | None = None

    @property
    def spelled_out(self) -> Scheme:
        """The scheme with the patterns that were mined for it."""
        if self.library is None or not isinstance(self.scheme, KernelPattern):
            return self.scheme
        return replace(self.scheme, patterns=self.library, library=None)

    def mask(self, value: NDArray[Any], scores: NDArray[Any] | None = None) -> Mask:
        """Project a weight of the layer: arguments and errors are those of `mask_of`."""
        return mask_of(self.layer.name, value, self.scheme, self.library, scores)


@dataclass(frozen=True)
class PruneConfig:
    """A scheme for every layer of a network. Schemes may be given as their text.

    Args:
        scheme: For all layers that nothing else is said about; one with kernel patterns leaves
            kernels of other sizes alone.
        kinds: For kinds of layers: `first` convolution, `1x1`, `depthwise`, `linear`, `conv` (any
            other). Where nothing is said the first four stay dense; for `Block` and `NM`, which are
            made for matrices, only `first` and `depthwise` do.
        layers: For layers by name; `*` and `?` match as in file names. The full name wins, then the
            first that matches.
        shapes: Shapes of the weights of the network that the config was made for; it then fits no
            other. `made_for` fills them in.

    Raises:
        ConfigError: A kind that does not exist, or a wrong type.
        SchemeError: A scheme is malformed.
    """

    scheme: Scheme | str = field(default_factory=KernelPattern)
    kinds: Mapping[Kind, Scheme | str] = field(default_factory=dict)
    layers: Mapping[str, Scheme | str] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scheme", _scheme("scheme", self.scheme))
        for key in ("kinds", "layers"):
            object.__setattr__(self, key, _schemes(key, getattr(self, key)))
        object.__setattr__(self, "shapes", _shapes(self.shapes))
        _refuse_unknown("kind of layer", self.kinds, KINDS)

    @staticmethod
    def of(value: PruneConfig | Scheme | str | Mapping[str, Any]) -> PruneConfig:
        """A config from what can stand for one: a scheme, its text, or a dict as `to_dict` gives.

        Raises:
            ConfigError: The dict has keys or values that a config does not have.
            SchemeError: A scheme is malformed.
        """
        if isinstance(value, PruneConfig):
            return value
        if isinstance(value, (Scheme, str)):
            return PruneConfig(value)
        if not isinstance(value, Mapping):
            raise ConfigError(f"expected a config, a scheme or a dict, got {_short(value)}")
        _refuse_unknown("key of a config", value, KEYS)
        return PruneConfig(**value)

    @staticmethod
    def from_yaml(text: str) -> PruneConfig:
        """A config from YAML text: the keys `scheme`, `kinds`, `layers` and `shapes`.

        Raises:
            ConfigError: The text is no YAML, or not that of a config.
            SchemeError: A scheme is malformed.
            DependencyError: PyYAML is not installed.
        """
        yaml = _yaml()
        try:
            return PruneConfig.of(yaml.safe_load(text))
        except (yaml.YAMLError, RecursionError) as error:
            problem = " ".join(str(error).split())
            raise ConfigError(f"the config is no valid YAML: {problem}") from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `of` reads back: text, and lists of numbers."""
        kinds = {kind: str(scheme) for kind, scheme in self.kinds.items()}
        layers = {name: str(scheme) for name, scheme in self.layers.items()}
        shapes = {name: list(shape) for name, shape in self.shapes.items()}
        parts = {"kinds": kinds, "layers": layers, "shapes": shapes}
        return {"scheme": str(self.scheme), **{key: part for key, part in parts.items() if part}}

    def to_yaml(self) -> str:
        """The text that `from_yaml` reads back.

        Raises:
            DependencyError: PyYAML is not installed.
        """
        return str(_yaml().safe_dump(self.to_dict(), sort_keys=False, default_flow_style=None))

    def made_for(self, layers: Iterable[Layer]) -> PruneConfig:
        """The same config, refusing every network but the one with these layers."""
        return replace(self, shapes={layer.name: tuple(layer.value.shape) for layer in layers})

    def choose(self, layers: list[Layer]) -> list[Choice]:
        """The scheme of every layer; libraries to be mined are mined, one for each kernel size.

        Raises:
            ConfigError: The config was made for another network, or names layers it does not have.
            SchemeError: No layer is left to prune, or one cannot be: its weight is shared, computed
                by a parametrization, or being pruned already.
        """
        self.check_network(layers)
        names = [layer.name for layer in layers]
        for name in self.layers:
            if name not in names and not any(fnmatchcase(known, name) for known in names):
                raise ConfigError(_unknown("layer", name, names))
        choices = [Choice(layer, *self._scheme_of(layer)) for layer in layers]
        chosen = [choice for choice in choices if not choice.note]
        if not chosen and not isinstance(self.scheme, Dense):
            notes = ", ".join(dict.fromkeys(choice.note for choice in choices))
            raise SchemeError(
                f"no layer is left to prune with {self.scheme}: leave fewer kinds of layers alone, "
                f"or give layers a scheme by name (left alone: {notes or 'nothing'})"
            )
        for choice in chosen:
            if choice.layer.trouble:
                raise SchemeError(choice.layer.trouble, layer=choice.layer.name)
        return _mined(choices)

    def _scheme_of(self, layer: Layer) -> tuple[Scheme, str]:
        """The scheme of a layer, and why it is dense."""
        named = self.layers.get(layer.name) or next(
            (scheme for name, scheme in self.layers.items() if fnmatchcase(layer.name, name)), None
        )
        scheme = parse_scheme(named or self.kinds.get(layer.kind) or self.scheme)
        if isinstance(scheme, Dense):
            by_name = named or isinstance(self.scheme, Dense)
            return scheme, "dense asked for" if by_name else LEFT_ALONE.get(layer.kind, "dense")
        if named or layer.kind in self.kinds:
            return scheme, ""
        if layer.kind not in LEFT_ALONE:
            note = _wrong_size(scheme, layer.value.shape)
            return (Dense(), note) if note else (scheme, "")
        if isinstance(scheme, (Block, NM)) and layer.kind in ("1x1", "linear"):
            return scheme, ""
        return Dense(), LEFT_ALONE[layer.kind]

    def check_network(self, layers: Iterable[Layer]) -> None:
        """
        Raises:
            ConfigError: The config was made for another network than the one with these layers.
        """
        if not self.shapes:
            return
        found = {layer.name: tuple(layer.value.shape) for layer in layers}
        for name in {**self.shapes, **found}:
            here, there = found.get(name, "no such layer"), self.shapes.get(name, "no such layer")
            if here != there:
                raise ConfigError(
                    f"the config was made for another network: it has {there}, this one {here}",
                    layer=name,
                )


def _wrong_size(scheme: Scheme, shape: tuple[int, ...]) -> str:
    """Why kernels of this size have no patterns of a scheme; empty where they have."""
    if not isinstance(scheme, KernelPattern):
        return ""
    height, width = shape[2:]
    library = scheme.fixed_library
    if library and (height, width) != (library.height, library.width):
        return f"{height}x{width} kernels, {library.height}x{library.width} patterns"
    if not library and (height % 2 == 0 or width % 2 == 0):
        return f"{height}x{width} kernels, which have no centre"
    return ""


def _mined(choices: list[Choice]) -> list[Choice]:
    """The choices with the libraries that they want mined: one for each scheme and kernel size."""
    weights: dict[Any, list[NDArray[Any]]] = {}
    for choice in choices:
        if key := _mining_key(choice):
            weights.setdefault(key, []).append(choice.layer.value)
    libraries = {key: mine_natural(found, key[0].patterns) for key, found in weights.items()}
    return [replace(choice, library=libraries.get(_mining_key(choice))) for choice in choices]


def _mining_key(choice: Choice) -> Any:
    """What layers with the same mined library have in common; None where nothing is mined."""
    scheme, size = choice.scheme, choice.layer.value.shape[2:]
    if not isinstance(scheme, KernelPattern) or scheme.fixed_library or size in ((), (1, 1)):
        return None
    return scheme, size


def _scheme(where: str, value: object) -> Scheme:
    if not isinstance(value, (Scheme, str)):
        raise ConfigError(f"expected a scheme as the {where}, got {_short(value)}")
    return parse_scheme(value)


def _schemes(key: str, value: object) -> dict[str, Scheme]:
    """Checks names too: YAML takes an unquoted 0 for a number, and 1.10 for 1.1."""
    parts = _mapping(key, value)
    for name in parts:
        if not isinstance(name, str):
            raise ConfigError(f"expected names as keys of {key}, got {_short(name)}: quote it")
    return {name: _scheme(f"scheme of {name!r}", scheme) for name, scheme in parts.items()}


def _shapes(value: object) -> dict[str, tuple[int, ...]]:
    shapes = _mapping("shapes", value)
    for shape in shapes.values():
        if not isinstance(shape, (list, tuple)) or not all(isinstance(n, int) for n in shape):
            raise ConfigError(f"expected shapes as lists of numbers, got {_short(shape)}")
    return {str(name): tuple(shape) for name, shape in shapes.items()}


def _mapping(key: str, value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"expected a dict as {key}, got {_short(value)}")
    return value


def _refuse_unknown(what: str, names: Iterable[object], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(_unknown(what, str(name), list(known)))


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"no {what} is called {reprlib.repr(name)}: {hint}"


def _short(value: object) -> str:
    """For error texts: a hostile YAML file of some lines can be a value of gigabytes."""
    return f"{type(value).__name__} {reprlib.repr(value)}"


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise DependencyError(
            "a config in YAML needs PyYAML: pip install 'pconv-mlir[yaml]'"
        ) from None
    return yaml
