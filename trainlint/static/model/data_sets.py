"""Data sets: the classes of the file, what they keep, and what a loader is given."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr, Function
from trainlint.static.model.tree import BindingKind, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.tree import Binding, Scope

_INDEXED = frozenset({"torch.utils.data.TensorDataset", "torch.utils.data.Subset"})
_DIVIDES = frozenset(
    {
        "torch.utils.data.Subset",
        "torch.utils.data.random_split",
        "torch.utils.data.dataset.random_split",
        "torch.utils.data.dataset.Subset",
    }
)
"""Functions and classes that give a part of the data set that is their first argument."""
_GENERATORS = frozenset(
    {
        "numpy.random.default_rng",
        "numpy.random.RandomState",
        "numpy.random.Generator",
        "random.Random",
        "torch.Generator",
    }
)
_SEEDS = frozenset({"seed", "manual_seed", "set_state", "setstate", "jumped", "spawn"})
_CHOOSES = frozenset(
    {
        *("random.choice", "random.randint", "random.randrange", "random.sample", "torch.randint"),
        *("numpy.random.choice", "numpy.random.randint", "torch.randn", "torch.rand"),
        *("numpy.random.randn", "numpy.random.rand", "numpy.random.normal"),
    }
)
"""Functions that choose an example, or make one up."""
_READING = ("__getitem__", "__getitems__", "__iter__", "__next__")
_DECODES = re.compile(
    r"^(PIL\.Image\.open|cv2\.imread|imageio\.(v\d\.)?imread|skimage\.io\.imread|torchaudio\.load"
    r"|soundfile\.read|librosa\.load|torchvision\.io\.\w+|matplotlib\.(pyplot|image)\.imread"
    r"|torch\.load|numpy\.load|builtins\.open|torchvision\.datasets\.folder\.\w+)$"
)


@immutable
class KeptGenerator:
    """A generator of random numbers that a data set makes once and keeps."""

    name: str
    made: Call
    draws: tuple[Expr, ...]
    """Where the methods that read an example use it."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.made.path

    @property
    def span(self) -> Span:
        """The construction."""
        return self.made.span


class DataSetClass:
    """A class of the file that a ``DataLoader`` can read."""

    def __init__(self, scope: Scope) -> None:
        self.model = scope.index.model
        self.scope = scope

    def __eq__(self, other: object) -> bool:
        """Compare by place."""
        return isinstance(other, DataSetClass) and other.scope is self.scope

    def __hash__(self) -> int:
        """Hash by place."""
        return hash(id(self.scope))

    @property
    def name(self) -> str:
        """The name as defined."""
        return str(getattr(self.scope.node, "name", ""))

    @property
    def is_indexed(self) -> bool:
        """Whether its examples are read by index, so that a loader can shuffle them."""
        bases = self.model.foreign_bases(self.scope)
        if any("Iter" in base.rpartition(".")[2] for base in bases):
            return False
        return self.model.method_scope(self.scope, "__getitem__") is not None

    @cached_property
    def reading(self) -> tuple[Function, ...]:
        """The methods that read an example: ``__getitem__`` or ``__iter__``, and what they call."""
        found: dict[Function, None] = {}
        scopes = [self.model.method_scope(self.scope, name) for name in _READING]
        while scopes:
            scope = scopes.pop(0)
            function = None if scope is None else self.model.function_of(scope)
            if function is None or function in found:
                continue
            found[function] = None
            targets = (call.target for call in function.calls)
            scopes += [one for one in targets if one is not None and one.kind is ScopeKind.FUNCTION]
        return tuple(found)

    @property
    def draws_examples(self) -> bool:
        """Whether reading draws by itself which example it gives: their order says nothing."""
        return any(call.callee in _CHOOSES for function in self.reading for call in function.calls)

    @property
    def decodes(self) -> bool:
        """Whether reading an example opens a file: work that a worker can do meanwhile."""
        return any(
            _DECODES.match(call.callee or "")
            for function in self.reading
            for call in function.calls
        )

    def generators(self) -> Iterator[KeptGenerator]:
        """Yield the generators that ``__init__`` makes and nothing seeds or replaces later."""
        for name, bindings in self.scope.attributes.items():
            if len(bindings) != 1 or bindings[0].value is None or bindings[0].path:
                continue
            (binding,) = bindings
            made = _generator(self.model.expr(bindings[0].value, binding.site))
            if made is None or made.function is None or made.function.name != "__init__":
                continue
            uses = [one for one in self.model.attributes_read(name) if self._is_own(one)]
            if not any(self._is_seeded(use) for use in uses):
                draws = tuple(use for use in uses if use.function in self.reading)
                yield KeptGenerator(name, made, draws)

    def _is_own(self, use: Expr) -> bool:
        """Say whether an attribute is one of this class's instance."""
        owner = use.owner
        home = None if owner is None else self.model.class_of_self(use.site, owner.node)
        return home is not None and self.scope in self.model.lineage(home)

    def _is_seeded(self, use: Expr) -> bool:
        """Say whether something outside ``__init__`` sets the state of a generator."""
        function = use.function
        if function is None or function.name == "__init__":
            return False
        return any(
            call.method in _SEEDS and call.receiver is not None and call.receiver.same_as(use)
            for call in function.calls
        )


def data_set_class(model: FileModel, expr: Expr) -> DataSetClass | None:
    """Return the class of the project that a data set is an instance of; behind parts of it, too."""
    found = {_class_of(origin) for origin in whole(model, expr)}
    return found.pop() if len(found) == 1 else None


def is_indexed(model: FileModel, expr: Expr) -> bool:
    """Say whether a data set is surely read by index, so that a loader can shuffle it."""
    origins = whole(model, expr)
    return bool(origins) and all(_origin_is_indexed(origin) for origin in origins)


def decodes(model: FileModel, expr: Expr) -> bool:
    """Say whether reading an example surely takes work: a file is opened, an image transformed."""
    origins = whole(model, expr)
    if origins and all(
        isinstance(one, Call) and (one.callee or "").startswith("torchvision.datasets.")
        for one in origins
    ):
        return True
    found = data_set_class(model, expr)
    return found is not None and found.decodes


def whole(model: FileModel, expr: Expr, depth: int = 4) -> tuple[Expr, ...]:
    """Return what made a data set, behind ``Subset`` and ``random_split``."""
    found: dict[Expr, None] = {}
    for origin in expr.origins():
        maker: Expr = origin
        binding = origin.binding if origin.is_name or origin.is_attribute else None
        unpacked = binding is not None and binding.path and binding.kind is BindingKind.ASSIGN
        if binding is not None and binding.value is not None and unpacked:
            maker = _unpacked(model.expr(binding.value, binding.site), binding)
        if isinstance(maker, Call) and maker.callee in _DIVIDES and maker.args and depth:
            for one in whole(model, maker.args[0], depth - 1):
                found[one] = None
        else:
            found[origin] = None
    return tuple(found)


def _unpacked(value: Expr, binding: Binding) -> Expr:
    """Return what gives a name of an unpacking its value, behind a star: ``parts`` of ``*parts, n``."""
    origins = value.origins()
    if len(origins) != 1:
        return value
    (made,) = origins
    target = getattr(binding.site.statement, "targets", [None])[0]
    if not isinstance(made.node, ast.Tuple) or not isinstance(target, ast.Tuple):
        return made
    items = made.node.elts
    stars = [number for number, item in enumerate(items) if isinstance(item, ast.Starred)]
    if len(stars) != 1 or any(isinstance(one, ast.Starred) for one in target.elts):
        return made
    star = items[stars[0]]
    behind = len(items) - 1 - stars[0]
    if isinstance(star, ast.Starred) and stars[0] <= binding.path[0] < len(target.elts) - behind:
        parts = made.child(star.value).origins()
        return parts[0] if len(parts) == 1 else made
    return made


def _origin_is_indexed(origin: Expr) -> bool:
    """Say whether one thing that may have made a data set is read by index."""
    if not isinstance(origin, Call):
        return False
    callee = origin.callee or ""
    if callee in _INDEXED or callee.startswith("torchvision.datasets."):
        return True
    found = _class_of(origin)
    return found is not None and found.is_indexed


def _class_of(origin: Expr) -> DataSetClass | None:
    """Return the data set class of the project that a construction is of."""
    target = origin.target if isinstance(origin, Call) else None
    if target is None or target.kind is not ScopeKind.CLASS:
        return None
    bases = target.index.model.foreign_bases(target)
    return DataSetClass(target) if any(_is_data_set(base) for base in bases) else None


def _is_data_set(base: str) -> bool:
    """Say whether a base is a data set, by its package or its name."""
    last = base.rpartition(".")[2].lower()
    return base.startswith(("torch.utils.data.", "torchvision.datasets.")) or "dataset" in last


def _generator(value: Expr) -> Call | None:
    """Return the construction of a generator, looked up behind a first seeding of it."""
    if isinstance(value, Call) and value.method == "manual_seed" and value.receiver is not None:
        value = value.receiver
    return value if isinstance(value, Call) and value.callee in _GENERATORS else None
