"""What the ranks of a distributed training know together: one collective for each measured step.

All ranks add up one vector: what each has seen of the layers and parameters, and, in places of its own,
what tells the ranks apart. Its length depends on the model alone, so that no rank waits for another's.
"""

from __future__ import annotations

import gc
import json
import math
import statistics
from array import array
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from itertools import compress, repeat
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import distributed, nn

from trainlint.core.diagnosis import Evidence
from trainlint.runtime.anatomy import is_leaf
from trainlint.runtime.recordings.tables import diagnosis_of, diagnosis_row
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from trainlint.core.diagnosis import Diagnosis

OF_PARAMETERS: Final = (
    Signal.GRADIENT_NORM,
    Signal.GRADIENT_MAX,
    Signal.GRADIENT_NON_FINITE,
    Signal.GRADIENT_ZERO,
    Signal.GRADIENT_MISSING,
    Signal.GRADIENT_NORM_BEFORE,
    Signal.GRADIENT_CUT,
    Signal.STALE_GRADIENT,
    Signal.WEIGHT_NORM,
    Signal.UPDATE_RMS,
    Signal.UPDATE_RATIO,
    Signal.UNCHANGED,
    Signal.ROUNDED_AWAY,
    Signal.SECOND_MOMENT,
    Signal.ADAM_UPDATE,
    Signal.DECAY_RATIO,
)
OF_LAYERS: Final = (
    Signal.MEAN,
    Signal.RMS,
    Signal.VARIANCE,
    Signal.INPUT_RMS,
    Signal.INPUT_VARIANCE,
    Signal.ZERO,
    Signal.NEGATIVE,
    Signal.DEAD_UNITS,
    Signal.WINDOW_SAMPLES,
    Signal.SATURATED,
    Signal.SATURATED_UNITS,
    Signal.BATCH_VARIANCE,
    Signal.NON_FINITE,
    Signal.NON_FINITE_INPUT,
    Signal.HALF_OVERFLOW,
    Signal.OUTPUT_GRADIENT_RMS,
    Signal.NORM_DRIFT,
)
_ADDED: Final = frozenset(
    {
        Signal.GRADIENT_NON_FINITE,
        Signal.NON_FINITE,
        Signal.NON_FINITE_INPUT,
        Signal.WINDOW_SAMPLES,
    }
)
"""The signals that are counts: of the ranks' values the sum is meant; of all others the mean."""
_NORMS: Final = frozenset(
    {
        Signal.GRADIENT_NORM,
        Signal.GRADIENT_NORM_BEFORE,
        Signal.STALE_GRADIENT,
        Signal.WEIGHT_NORM,
    }
)
"""The norms: where a parameter lies in shards, their squares add up to that of the whole."""
_OWN: Final = 5
"""Places that each rank has for itself."""


@dataclass(frozen=True, slots=True)
class Own:
    """What tells a rank from the others in a step."""

    loss_is_finite: bool = True
    is_finite: bool = True
    seconds: float = 0.0
    """From the end of the step before to the first backward: later the ranks wait for each other."""
    checksum: float = 0.0
    """Of the weights; equal on all ranks that hold replicas."""
    wants_to_halt: bool = False


@dataclass
class Ranks:
    """The meeting of all ranks; made only where the model is parallel over them."""

    parameters: Sequence[str]
    layers: Sequence[str]
    sharded: frozenset[str]
    """The parameters that lie in shards."""
    elements: Mapping[str, int]
    """How many elements each parameter has as a whole."""
    rank: int = field(default_factory=distributed.get_rank)
    count: int = field(default_factory=distributed.get_world_size)

    @property
    def length(self) -> int:
        """How many numbers each rank gives to a meeting."""
        own = _OWN * self.count + 1
        return own + 2 * (
            len(self.parameters) * len(OF_PARAMETERS) + len(self.layers) * len(OF_LAYERS)
        )

    def meet(
        self, values: Mapping[str, Mapping[str, float]], own: Own, interval: int
    ) -> tuple[dict[str, dict[str, float]], int, int | None]:
        """Return what the ranks have seen together, the interval that they agree on, who wants to halt.

        ``values`` are this rank's signals; those that are not met about stay as they are. Who wants to
        halt is the first of the ranks that do, None where none does.
        """
        places = np.zeros(1 + _OWN * self.count)
        places[0] = interval
        places[1 + _OWN * self.rank : 1 + _OWN * (self.rank + 1)] = (
            not own.loss_is_finite,
            not own.is_finite,
            own.seconds,
            own.checksum,
            own.wants_to_halt,
        )
        rows = [(signal, names) for signals, names in self._blocks for signal in signals]
        numbers, present = array("d"), array("d")
        for signal, names in rows:
            row = values.get(signal)
            if row:
                numbers.extend(map(row.get, names, repeat(0.0)))
                present.extend(map(row.__contains__, names))
            else:
                numbers.frombytes(bytes(8 * len(names)))
                present.frombytes(bytes(8 * len(names)))
        given = np.asarray(numbers)
        # Elements of numpy's: torch would wake its threads for them, which costs more.
        with np.errstate(all="ignore"):
            given[self._squares] *= given[self._squares]
            joined = np.concatenate([places, given, np.asarray(present)])
            told, total, counts = np.split(
                self._sum(torch.from_numpy(joined)).numpy(),
                [len(places), len(places) + len(numbers)],
            )
            means = np.where(self._added, total, total / counts)
            means[self._squares] = np.sqrt(total[self._squares])
        is_there = counts > 0
        met = {signal: dict(named) for signal, named in values.items()}
        at = 0
        for signal, names in rows:
            here = slice(at, at + len(names))
            at += len(names)
            if is_there[here].any():
                pairs = zip(names, means[here].tolist(), strict=True)
                met.setdefault(signal, {}).update(compress(pairs, is_there[here].tolist()))
        each = told[1:].reshape(self.count, _OWN).tolist()
        self._derive(met)
        self._compare(met, each)
        agreed = max(1, math.ceil(told[0] / self.count))
        return met, agreed, next((rank for rank, one in enumerate(each) if one[4]), None)

    def tell(self, diagnosis: Diagnosis | None, speaker: int) -> Diagnosis:
        """Return the diagnosis of one rank to all of them; each calls it after the same meeting.

        The others learn which rank it is of, unless that is the first, which speaks for all.
        """
        text = b""
        if self.rank == speaker and diagnosis is not None:
            moment = diagnosis.moment
            evidence = [astuple(one) for one in moment.evidence] if moment else []
            text = json.dumps([diagnosis_row(diagnosis, 0, 0), evidence]).encode()
        length = int(self._sum(torch.tensor([len(text)])).item())
        letters = torch.zeros(length, dtype=torch.uint8)
        if text:
            letters = torch.tensor(list(text), dtype=torch.uint8)
        row, evidence = json.loads(bytes(self._sum(letters).tolist()))
        told = diagnosis_of(tuple(row), [Evidence(*one) for one in evidence])
        if speaker and told.moment is not None and told.moment.rank is None:
            told = replace(told, moment=replace(told.moment, rank=speaker))
        return told

    def wait(self) -> None:
        """Return when all ranks have come here."""
        self._sum(torch.zeros(1))

    @property
    def _blocks(self) -> tuple[tuple[Sequence[Signal], Sequence[str]], ...]:
        """What is met about: signals, and the names of which each of them may have a value."""
        return ((OF_PARAMETERS, self.parameters), (OF_LAYERS, self.layers))

    @cached_property
    def _added(self) -> NDArray[np.bool_]:
        """Whether a number is a count, of which the sum is meant."""
        each = [one in _ADDED for signals, names in self._blocks for one in signals for _ in names]
        return np.array(each, dtype=bool)

    @cached_property
    def _squares(self) -> NDArray[np.bool_]:
        """Whether a number is the norm of a shard, whose square is given."""
        each = [
            one in _NORMS and name in self.sharded
            for signals, names in self._blocks
            for one in signals
            for name in names
        ]
        return np.array(each, dtype=bool)

    def _derive(self, met: dict[str, dict[str, float]]) -> None:
        """Compute from the norms of all elements what follows from them."""
        for norm, root in (
            (Signal.GRADIENT_NORM, Signal.GRADIENT_RMS),
            (Signal.WEIGHT_NORM, Signal.WEIGHT_RMS),
        ):
            for name in self.sharded & met.get(norm, {}).keys():
                met.setdefault(root, {})[name] = met[norm][name] / math.sqrt(self.elements[name])
        if self.sharded:
            for norm, whole in (
                (Signal.GRADIENT_NORM, Signal.TOTAL_NORM),
                (Signal.GRADIENT_NORM_BEFORE, Signal.TOTAL_NORM_BEFORE),
            ):
                if met.get(norm):
                    met[whole] = {"": math.sqrt(sum(one * one for one in met[norm].values()))}

    def _compare(self, met: dict[str, dict[str, float]], each: Sequence[Sequence[float]]) -> None:
        """Say how the ranks differ."""
        for place in (0, 1):  # who has a loss that is not finite has it first
            first = next((rank for rank, one in enumerate(each) if one[place]), None)
            if first is not None:
                met[Signal.RANK_NON_FINITE] = {"": float(first)}
                break
        seconds = [one[2] for one in each]
        median = statistics.median(seconds)
        if median > 0:
            met[Signal.RANK_SLOWEST] = {"": max(seconds) / median}
        sums = [one[3] for one in each]
        if not self.sharded and all(map(math.isfinite, sums)):
            size = max(map(abs, sums), default=0.0)
            met[Signal.RANK_DIFFERENCE] = {"": (max(sums) - min(sums)) / size if size else 0.0}

    @staticmethod
    def _sum(values: torch.Tensor) -> torch.Tensor:
        """Add the vectors of all ranks up; the one collective."""
        if distributed.get_backend() == "nccl":
            values = values.to(torch.device("cuda", torch.cuda.current_device()))
        distributed.all_reduce(values)
        return values.cpu()


def ranks_of(
    models: Mapping[str, nn.Module], parameters: Mapping[str, nn.Parameter]
) -> Ranks | None:
    """Return the meeting of the ranks that train some models together; None where each trains its own."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return None
    if distributed.get_world_size() == 1:
        return None
    sharded = frozenset(name for name, one in parameters.items() if hasattr(one, "to_local"))
    if not sharded and not _is_replicated(models):
        return None
    layers = []
    for prefix, model in models.items():
        dot = f"{prefix}." if prefix else ""
        layers += [dot + name for name, one in model.named_modules() if is_leaf(one)]
    return Ranks(
        tuple(parameters),
        tuple(layers),
        sharded,
        {name: one.numel() for name, one in parameters.items()},
    )


def _is_replicated(models: Mapping[str, nn.Module]) -> bool:
    """Say whether a `DistributedDataParallel` holds one of the models or a part of it."""
    parts = {id(part) for model in models.values() for part in model.modules()}
    return any(
        issubclass(type(one), nn.parallel.DistributedDataParallel) and id(one.module) in parts
        for one in gc.get_objects()
    )
