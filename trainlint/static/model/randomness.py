"""Where a file seeds the global generators of random numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import AtCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.expression import Call, Expr, Function, Loop
    from trainlint.static.model.file import FileModel

_TORCH = frozenset(
    {
        "torch.manual_seed",
        "torch.random.manual_seed",
        "lightning.seed_everything",
        "lightning.fabric.seed_everything",
        "lightning.fabric.utilities.seed.seed_everything",
        "lightning.utilities.seed.seed_everything",
        "accelerate.utils.set_seed",
        "accelerate.utils.random.set_seed",
        "transformers.set_seed",
        "transformers.trainer_utils.set_seed",
        "composer.utils.reproducibility.seed_all",
    }
)
"""Functions that seed the generator of which torch draws weights and dropout masks."""
_OTHERS = frozenset(
    {
        "torch.cuda.manual_seed",
        "torch.cuda.manual_seed_all",
        "numpy.random.seed",
        "random.seed",
    }
)
_HELPERS = re.compile(
    r"^(pl_)?seed_(everything|all|everywhere|torch|random)$|^same_seeds?$"
    r"|^(set|fix|setup|init|initialize|initialise)_?(all_|random_|global_|torch_)?seeds?$"
)
"""What functions are called that seed everything."""
_SEEDS = re.compile("seed", re.IGNORECASE)
_MOST_DEPTH = 3


@immutable
class Seeding(AtCall):
    """A call that seeds a global generator."""

    call: Call
    of_torch: bool
    """Whether it seeds what torch draws weights and dropout masks from."""

    @property
    def seed(self) -> Expr | None:
        """What it is given."""
        argument = self.call.argument(0, "seed")
        return self.call.keywords.get("a") if argument is None else argument

    def entries(self, function: Function | None) -> tuple[Call, ...]:
        """Return the calls with which it starts, as a function sees them.

        Itself, or the call of the helper that leads to it from the function; where none does, of the
        outermost helper that the file calls.
        """
        return tuple(_entries(self.call, function, _MOST_DEPTH))

    @property
    def training_loops(self) -> tuple[Loop, ...]:
        """The loops of a training in each of whose rounds it runs; empty where one may be skipped."""
        return tuple(dict.fromkeys(_repeating(self.call, _MOST_DEPTH)))


def seedings(model: FileModel) -> Iterator[Seeding]:
    """Yield every call of a function that seeds: one of a library, or a helper of another file."""
    known = dict.fromkeys(model.calls_to(*_TORCH, *_OTHERS))
    found = [Seeding(call, call.callee in _TORCH) for call in known]
    found += [
        Seeding(call, of_torch=True)
        for call in model.calls_named(_HELPERS)
        if call not in known and not _is_of(model, call) and _is_function(call)
    ]
    yield from sorted(found, key=lambda one: one.call.order)


def may_seed(model: FileModel) -> Iterator[Call]:
    """Yield the calls that seed by their name alone: functions of other files, methods."""
    known = {one.call for one in seedings(model)}
    for call in model.calls_named(_SEEDS):
        if call not in known and not _is_of(model, call):
            yield call


def _is_of(model: FileModel, call: Call) -> bool:
    """Say whether what is called is a function of the file, whose own calls are seen."""
    return call.target is not None and call.target.index is model.index


def _is_function(call: Call) -> bool:
    """Say whether a function is called, and no method of an object with a generator of its own."""
    receiver = call.receiver
    return receiver is None or receiver.qualified is not None


def _entries(call: Call, seen_from: Function | None, depth: int) -> Iterator[Call]:
    """Yield the calls of the file that lead to a call: in a function, or such that nothing calls them."""
    function = call.function
    done = function is None or function == seen_from or depth == 0
    callers = () if done or function is None else _callers(function)
    if not callers:
        yield call
    for caller in callers:
        yield from _entries(caller, seen_from, depth - 1)


def _repeating(call: Call, depth: int) -> Iterator[Loop]:
    """Yield the innermost loop around a call, here or in a caller, if it is one of a training."""
    loops = call.loops
    if loops:
        loop = loops[-1]
        if not call.is_conditional_in(loop) and loop.trains:
            yield loop
    elif depth and call.function is not None and not call.decided_by:
        for caller in _callers(call.function):
            yield from _repeating(caller, depth - 1)


def _callers(function: Function) -> tuple[Call, ...]:
    """Return the calls of a function in its own file."""
    return tuple(call for call in function.callers if call.path == function.path)
