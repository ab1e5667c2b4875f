"""The monitor: learns of the steps of a training by itself, measures some, and says what goes wrong."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import sys
import time
import weakref
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import torch
from torch import Tensor, nn

from trainlint.runtime import ears, tensors
from trainlint.runtime.anatomy import Anatomy, is_leaf
from trainlint.runtime.announcing import Announcer, reason_of
from trainlint.runtime.collectors.activations import Activations
from trainlint.runtime.collectors.losses import look_at_loss
from trainlint.runtime.collectors.noise import Noise
from trainlint.runtime.collectors.norms import has_mode, look_at_mode
from trainlint.runtime.collectors.parameters import Parameters
from trainlint.runtime.gathering import Crossing, Gathering
from trainlint.runtime.history import History
from trainlint.runtime.hooks import Hooks
from trainlint.runtime.judge import Judge
from trainlint.runtime.looking import Looking
from trainlint.runtime.ranks import Own, Ranks, ranks_of
from trainlint.runtime.signals import METRIC, Run, Signal, Step
from trainlint.runtime.source.places import Places
from trainlint.runtime.tensors import first_tensor, is_plain, is_transformed
from trainlint.runtime.untraced import Untraced

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Rule
    from trainlint.runtime.loggers import Loggers
    from trainlint.runtime.recorder import Recorder
    from trainlint.runtime.schedule import Schedule
    from trainlint.runtime.signals import Activation, Facts

_FORKED: Final[list[object]] = []
"""Recordings of a parent process: never closed here, for that would end them there, too."""
LATER: Final = 32
"""So many steps that are not measured are judged together, at most."""
SOON: Final = 0.2
"""Seconds after which they are in any case."""
SYMMETRY_AGAIN: Final = 50
"""The step from which rows that are still alike have not been told apart by training."""


class TrainingHalted(Exception):  # noqa: N818 - it is no error of the program
    """Raised after a step in which a diagnosis was made that `halt_on` names."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        step = 0 if diagnosis.moment is None else diagnosis.moment.step
        super().__init__(f"step {step}: {diagnosis.code} {diagnosis.rule}: {diagnosis.message}")


@dataclass(slots=True)
class _Pending:
    """A step whose numbers are still on their way."""

    number: int
    time: float
    facts: Facts
    signals: dict[str, dict[str, float]]
    crossing: Crossing | None
    is_measured: bool


@dataclass(slots=True)
class _Round:
    """What has happened since the last step was over."""

    gathering: Gathering = field(default_factory=Gathering)
    stepped: set[int] = field(default_factory=set)
    with_closure: set[int] = field(default_factory=set)
    losses: list[Tensor] = field(default_factory=list)
    criterion: Tensor | None = None
    backwards: int = 0
    waited: float = 0.0
    until_backward: float = 0.0
    own: float = 0.0


class Monitor:
    """Watches a training until it is closed; made by :func:`trainlint.watch`.

    Nothing is called in the training loop: steps are learned from the optimizers. It is a context
    manager, and closes by itself at the end of the process.
    """

    def __init__(  # noqa: PLR0913 - made by `watch` alone
        self,
        models: Mapping[str, nn.Module],
        optimizers: Sequence[torch.optim.Optimizer],
        settings: Settings,
        *,
        run: Run,
        schedule: Schedule,
        recorder: Recorder | None = None,
        announcer: Announcer | None = None,
        loggers: Loggers | None = None,
        on_diagnosis: Callable[[Diagnosis], object] | None = None,
        halt_on: frozenset[str] = frozenset(),
        loss: nn.Module | None = None,
    ) -> None:
        self._models = dict(models)  # the anatomy shares it
        self._optimizers = tuple(optimizers)
        self._schedule = schedule
        self._recorder = recorder
        self._announcer = announcer or Announcer(live=False)
        self._loggers = loggers
        self._on_diagnosis = on_diagnosis
        self._halt_on = halt_on
        self._judge = Judge(settings, self._rule_failed)
        self._anatomy = Anatomy(
            self._models, self._optimizers, run, Places(self._models, run.origin)
        )
        self._hooks = Hooks(self)
        self._activations = Activations(self._in_backward)
        self._looking = Looking(self._anatomy, self._activations)
        self._parameters = Parameters()
        self._noise = Noise()
        self._off: set[str] = set()
        self._pending: deque[_Pending] = deque()
        self._history = History()
        self._round = _Round()
        self._expected = set(range(len(self._optimizers)))
        self._logged: dict[str, float] = {}
        self._owned: list[dict[str, nn.Parameter]] = [{} for _ in self._optimizers]
        self._begun: Counter[int] = Counter()
        self._fresh: set[tuple[int, int]] = set()
        self._source: tuple[int, int] | None = None
        self._epoch = 0
        self._is_told_epochs = False
        self._scaler: Any = None
        self._scale: Tensor | None = None
        self._skipped = 0
        self._halting: Diagnosis | None = None
        self._may_halt = True
        self._is_measured = False
        self._is_noted = True
        self._hurries = False
        self._light = 0.0
        self._is_closed = False
        self._stance: Any = None
        self._own = self._own_at_opening = 0.0
        self._compared_again = False
        self._began = self._last = self._drained = time.perf_counter()
        self.step = 0
        """How many optimizer steps have been seen."""
        self._handles: list[Any] = []
        self._bound: list[_Bound] = []
        """Our hooks, until a compiler knows them."""
        for index, optimizer in enumerate(self._optimizers):
            self._hear(index, optimizer)
        if loss is not None:
            self._handles.append(loss.register_forward_hook(_Bound(self, "_criterion_ran")))
        ears.listen(self)
        self._at_exit = _close_at_exit(self)
        self._guarded("model", self._anatomy.look)
        self._ranks = ranks_of(self._models, self._anatomy.parameters)
        if self._ranks is not None:
            self._anatomy.is_parallel(self._ranks.count)
            self._schedule.is_agreed = True
            self._may_halt = False  # until all ranks do
        self._open()

    # --- what users ask

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """What has been said so far, in order; numbers that are under way are waited for."""
        self._drain(wait=True)
        return tuple(self._judge.diagnoses)

    @property
    def signals(self) -> History:
        """The signals of the measured steps: ``monitor.signals["gradient_rms"]["fc1.weight"]``."""
        self._drain(wait=True)
        return self._history

    @property
    def facts(self) -> Facts:
        """What the training is made of, as far as it has been seen."""
        return self._anatomy.facts

    @property
    def recording(self) -> str | None:
        """The file in which the run is kept, if it is."""
        return None if self._recorder is None else str(self._recorder.path)

    @property
    def halting(self) -> Diagnosis | None:
        """The diagnosis that halts the training, or would have done so had it not been over."""
        return self._halting

    @property
    def own_share(self) -> float:
        """The share of the time since the start that the monitor has used itself."""
        return self._own / max(time.perf_counter() - self._began, 1e-9)

    def log(
        self,
        *,
        loss: float | Tensor | None = None,
        val_loss: float | Tensor | None = None,
        epoch: float | None = None,
        **metrics: float | Tensor,
    ) -> None:
        """Tell the monitor numbers that it cannot see by itself; they belong to the step that comes.

        After the last step of a training they are judged when the monitor closes. Who tells epochs counts
        them in his own way: from then on they are not inferred from the data any more.
        """
        self._is_told_epochs = self._is_told_epochs or epoch is not None
        given: dict[str, float | Tensor | None] = {
            str(Signal.LOSS): loss,
            str(Signal.VALIDATION_LOSS): val_loss,
            str(Signal.EPOCH): epoch,
            **{METRIC + name: value for name, value in metrics.items()},
        }
        self._logged.update(
            {name: float(value) for name, value in given.items() if value is not None}
        )

    def summary(self) -> str:
        """Return a summary of one screen: a verdict, the layers worst first, the diagnoses."""
        from trainlint.output.summary import summary  # noqa: PLC0415 - rich is not needed before

        self._drain(wait=True)
        return self._told(summary)

    def _repr_html_(self) -> str:
        """Return how it stands with the training as a notebook shows it."""
        self._drain(wait=True)
        return self._as_html()

    def _as_html(self) -> str:
        """Return how it stands with the training by the numbers that have arrived."""
        from trainlint.output.fragment import training  # noqa: PLC0415 - for notebooks alone

        return self._told(training)

    def _told(self, tell: Callable[..., str]) -> str:
        """Return how it stands with the training, as told by a function."""
        return tell(
            self._anatomy.facts,
            self._history.last,
            self._judge.diagnoses,
            steps=self.step,
            seconds=time.perf_counter() - self._began,
            own_share=self.own_share,
        )

    def close(self) -> None:
        """Take everything off again, finish the recording and say the summary; once."""
        if self._is_closed:
            return
        self._is_closed = True
        atexit.unregister(self._at_exit)
        if self._round.stepped:
            self._close_round(time.perf_counter())
        self._release()
        self._make_opaque()
        if self._logged and self.step:
            self._guarded("loss", self._last_words)
        self._drain(wait=True)
        seconds = time.perf_counter() - self._began
        if self._recorder is not None:
            ending = {"seconds": seconds, "own_seconds": self._own, "steps": self.step}
            self._guarded("recording", self._recorder.close, ending)
        if self._loggers is not None and self.step:
            self._guarded("loggers", self._end_loggers, self._loggers)
        if self.step == 0:
            self._announcer.say(
                "`optimizer.step` was never called while trainlint watched, so nothing was seen"
            )
        elif self._announcer.is_live:
            self._guarded("summary", self._show_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, models: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer) -> None:
        """Watch one more optimizer, and the models that it trains unless they are watched already."""
        self._models.update(models)
        self._optimizers = (*self._optimizers, optimizer)
        index = len(self._optimizers) - 1
        self._owned.append({})
        # Where several take turns, a step is over when the last one that joined has stepped.
        self._expected = {index}
        self._anatomy.optimizers = self._optimizers
        self._hear(index, optimizer)
        self._guarded("model", self._anatomy.look)

    @property
    def names(self) -> Collection[str]:
        """The names of the models; a single one may have none."""
        return self._models.keys()

    def watches(self, model: nn.Module) -> bool:
        """Say whether a module is watched, by itself or as a part of another."""
        return id(model) in self._anatomy.modules

    def _hear(self, index: int, optimizer: torch.optim.Optimizer) -> None:
        """Have an optimizer tell of its steps."""
        before, after = _Bound(self, "_before_step", index), _Bound(self, "_after_step", index)
        self._bound += [before, after]
        self._handles += [
            optimizer.register_step_pre_hook(before),
            optimizer.register_step_post_hook(after),
        ]

    def note(self, what: str) -> None:
        """Say in one line, once, what is not watched."""
        if what not in self._off:
            self._off.add(what)
            with contextlib.suppress(Exception):
                self._announcer.say(f"trainlint watches {what}")

    # --- what the optimizers tell

    def _before_step(self, index: int, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Look at an optimizer that is about to step."""
        start = time.perf_counter()
        if index in self._round.stepped:
            self._expected = set(self._round.stepped)
            self._close_round(start)
        if self._is_measured:
            given = (
                [*args[1:], *kwargs.values()]
                if args and args[0] is optimizer
                else [*args, *kwargs.values()]
            )
            if any(callable(one) for one in given):
                self._round.with_closure.add(index)
            self._guarded("gradients", self._look_before, index, optimizer)
        self._spend(start)

    def _after_step(self, index: int, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Look at an optimizer that has stepped."""
        del args, kwargs
        start = time.perf_counter()
        if self._is_measured:
            self._guarded("gradients", self._look_after, index, optimizer)
        self._round.stepped.add(index)
        if self._round.stepped >= self._expected:
            self._close_round(start)
        self._spend(start)
        if self._halting is not None and self._may_halt:
            halting = self._halting
            self.close()
            if self._ranks is not None:
                # What starts ranks ends all of them once one has ended: not before the first is done.
                self._guarded("ranks", self._ranks.wait)
            raise TrainingHalted(halting)

    def _look_before(self, index: int, optimizer: torch.optim.Optimizer) -> None:
        """Look at gradients and weights before an update."""
        parameters = self._owned[index]
        if index not in self._round.with_closure:
            scale = getattr(optimizer, "grad_scale", None)
            self._parameters.before_step(index, parameters, scale, self._round.gathering)
        else:
            self._parameters.weights(index, parameters, self._round.gathering)

    def _look_after(self, index: int, optimizer: torch.optim.Optimizer) -> None:
        """Look at weights after an update."""
        parameters = self._owned[index]
        if index in self._round.with_closure:
            self._parameters.gradients(index, parameters, None, self._round.gathering)
        self._parameters.after_step(index, optimizer, parameters, self._round.gathering)

    # --- what the ears hear

    def before_backward(self, tensors: Any) -> None:
        """Note the loss, and what lies in the gradients before the first backward of a step."""
        if not self._is_noted:
            return
        start = time.perf_counter()
        if self._source is not None:  # the last batch before it is what is trained on
            self._note_epoch(self._source)
        if not self._round.until_backward:
            self._round.until_backward = max(start - self._last - self._round.own, 1e-9)
        self._guarded("loss", self._note_loss, tensors)
        if self._is_measured:
            self._guarded(
                "gradients",
                self._parameters.before_backward,
                self._trainable(),
                self._round.gathering,
            )
        self._spend(start)

    def _note_loss(self, tensors: Any) -> None:
        """Keep a loss, unscaled, and look at the criterion behind it."""
        loss = first_tensor(tensors)
        if loss is None or not is_plain(loss) or loss.numel() != 1:
            return
        value = loss.detach()
        if hasattr(value, "to_local"):
            value = value.to_local()
        if self._scale is not None:
            value = value / self._scale.to(value.device)
        self._round.losses.append(value.reshape(()))
        if self._is_measured and self._round.backwards == 0:
            look_at_loss(loss, self._round.gathering)

    def after_backward(self) -> None:
        """Look at the gradients before anybody clips them."""
        self._round.backwards += 1
        if not self._is_measured:
            self._scale = None
            return
        start = time.perf_counter()
        self._guarded("gradients", self._parameters.after_backward, self._trainable(), self._scale)
        self._scale = None
        self._spend(start)

    def scaled(self, scaler: Any) -> None:
        """Note the scale of the loss that comes next."""
        scale = getattr(scaler, "_scale", None)
        if scaler.is_enabled() and isinstance(scale, Tensor):
            self._scaler, self._scale = scaler, scale.detach().clone()

    def scaler_stepped(self, optimizer: Any) -> None:
        """Count the step if it was skipped."""
        for index, one in enumerate(self._optimizers):
            if one is optimizer and self._round.backwards and index not in self._round.stepped:
                self._skipped += 1
                self._forget_round()

    def waited(
        self, seconds: float, source: tuple[int, int], *, begins: bool, workers: int
    ) -> None:
        """Add to the time that was spent waiting for batches, and note where the last one is from."""
        self._round.waited += seconds
        self._source = source
        if begins:
            self._fresh.add(source)
        if workers > self._anatomy.workers:
            self._guarded("model", self._anatomy.is_fed_by, workers)

    def _note_epoch(self, source: tuple[int, int]) -> None:
        """Count how often the data was begun that is trained on; validation never comes here."""
        if source in self._fresh:
            self._fresh.discard(source)
            self._begun[source[0]] += 1
        self._epoch, self._source = self._begun[source[0]] - 1, None

    def forked(self) -> None:
        """Leave the watching and the recording to the process that this one is a copy of."""
        self._is_closed = True
        atexit.unregister(self._at_exit)
        _FORKED.append(self._recorder)
        self._recorder = None
        self._release()

    def _criterion_ran(self, module: Any, inputs: Any, output: Any) -> None:
        """Keep what the watched criterion returned."""
        del module, inputs
        loss = first_tensor(output)
        if loss is not None and loss.numel() == 1 and torch.is_grad_enabled():
            self._round.criterion = loss.detach().reshape(())

    # --- what the hooks see

    def entered(self, name: str, module: nn.Module, inputs: Any, *, is_outermost: bool) -> None:
        """Look at what a module is given."""
        start = time.perf_counter()
        if is_outermost:
            self._guarded("inputs", self._looking.at_input, inputs)
            self._round.gathering.add(Signal.TRAINING, "", module.training)
        if has_mode(module):
            given = (name, module, inputs, self._activations, self._round.gathering)
            self._guarded("norms", look_at_mode, *given)
        self._spend(start)

    def left(
        self, name: str, module: nn.Module, inputs: Any, output: Any, *, is_outermost: bool
    ) -> None:
        """Look at what a module returned."""
        start = time.perf_counter()
        if is_leaf(module):
            self._guarded("activations", self._looking.at_module, name, module, inputs, output)
        if is_outermost:
            self._guarded("inputs", self._look_at_output, output)
        self._spend(start)

    def _look_at_output(self, output: Any) -> None:
        """Look at the output of a model, also beside that of the batch before."""
        if is_transformed(first_tensor(output)):
            self.note("no activation inside of torch.func, where values cannot be read")
        self._looking.inputs.made(output, self._round.gathering)
        self._looking.at_output(output)

    def _in_backward(self, look: Callable[[Tensor], None], gradient: Tensor) -> None:
        """Look at a gradient that comes back to an output."""
        start = time.perf_counter()
        self._guarded("activations", look, gradient)
        self._spend(start)

    def called(
        self, name: str, kind: str, activation: Activation | None, inputs: Any, output: Any
    ) -> None:
        """Look at what a function returned."""
        start = time.perf_counter()
        at_function = self._looking.at_function
        self._guarded("activations", at_function, name, kind, activation, inputs, output)
        self._spend(start)

    # --- a step from beginning to end

    def _open(self) -> None:
        """Begin a step, and put hooks on if it is measured."""
        self._begin(_Round())
        self._is_measured = self._schedule.is_measured(self.step + 1)
        if not self._is_measured:
            self._is_noted = self._schedule.is_noted(self._light, self._last - self._began)
            return
        self._is_noted = True
        self._guarded("model", self._anatomy.look)
        self._activations.begin()
        self._parameters.begin()
        owners: dict[int, int] = {}
        for index, optimizer in enumerate(self._optimizers):
            for group in optimizer.param_groups:
                owners.update(dict.fromkeys(map(id, group["params"]), index))
        self._owned = [{} for _ in self._optimizers]
        for name, one in self._anatomy.parameters.items():
            index = owners.get(id(one), -1)
            if index >= 0:
                self._owned[index][name] = one
        if self.step == 0 or (self.step + 1 >= SYMMETRY_AGAIN and not self._compared_again):
            self._compared_again = self.step > 0
            self._guarded("symmetry", self._look_at_symmetry)
        self._hooks.install(self._anatomy.modules)
        self._make_opaque()
        self._force_eager()

    def _begin(self, this: _Round) -> None:
        """Have all that is seen from now on belong to a round."""
        self._round = this
        self._looking.gathering = this.gathering

    def _look_at_symmetry(self) -> None:
        """Compare the rows of the weights."""
        self._parameters.symmetry(
            self._anatomy.facts, self._anatomy.parameters, self._round.gathering
        )

    def _close_round(self, start: float) -> None:
        """End a step: send its numbers on their way, look at those that have arrived, begin the next.

        ``start`` is when the part of the monitor began that asks for it.
        """
        self.step += 1
        now = time.perf_counter()
        was_measured = self._is_measured
        if self._is_noted or self._logged:
            self._guarded("steps", self._finish, now)
        if was_measured:
            self._hooks.remove()
            self._end_eager()
        if was_measured and self._ranks is not None:
            self._schedule.following = sys.maxsize  # if the meeting fails there is no other
            if self._is_closed:  # perhaps on this rank alone, after an error of its own
                self._guarded("ranks", self._forget_measured)
            else:
                self._guarded("ranks", self._meet, self._ranks, start)
        is_due = len(self._pending) >= LATER or now - self._drained > SOON
        if was_measured or self._hurries or is_due or self._schedule.every is not None:
            self._drained, self._hurries = now, False
            self._drain(wait=False)
        self._last = time.perf_counter()
        own = self._own + self._last - start
        cost = own - self._own_at_opening
        if not was_measured:
            self._light += cost
        elif self._ranks is None:
            self._schedule.measured(self.step, cost, own, self._last - self._began)
        self._own_at_opening = own
        if not self._is_closed:
            self._open()

    def _finish(self, now: float) -> None:
        """Gather what is known of the step that is over."""
        this = self._round
        signals: dict[str, dict[str, float]] = {}

        def tell(signal: str, value: float | None) -> None:
            if value is not None:
                signals[str(signal)] = {"": float(value)}

        loss = self._loss_of(this)
        crossing = this.gathering
        if loss is not None and not tensors.is_at_hand(loss):
            crossing.add(Signal.LOSS, "", loss)
        elif loss is not None:
            value = loss.item()
            self._hurries = not math.isfinite(value)
            tell(Signal.LOSS, value)
        rates = [
            group["lr"]
            for optimizer in self._optimizers
            for group in optimizer.param_groups
            if isinstance(group.get("lr"), (int, float))
        ]
        tell(Signal.LEARNING_RATE, max(rates, default=None))
        tell(Signal.STEP_SECONDS, max(now - self._last - this.own, 0.0))
        tell(Signal.WAIT_SECONDS, this.waited)
        if self._epoch > 0 and not self._is_told_epochs:
            tell(Signal.EPOCH, self._epoch)
        if self._scaler is not None:
            tell(Signal.SKIPPED, self._skipped)
        for name, value in self._logged.items():
            tell(name, value)
        self._logged.clear()
        if self._is_measured:
            self._guarded("activations", self._activations.end, this.gathering)
            self._guarded("gradients", self._end_gradients)
            tell(Signal.MICRO_BATCHES, this.backwards)
            tell(Signal.OWN_SECONDS, self._own)
            tell(Signal.RUN_SECONDS, now - self._began)
            tell(Signal.MEMORY, _resident())
            if torch.cuda.is_available() and torch.cuda.is_initialized():
                tell(Signal.DEVICE_MEMORY, torch.cuda.memory_allocated())
            scale = getattr(self._scaler, "_scale", None)
            if isinstance(scale, Tensor):
                crossing.add(Signal.LOSS_SCALE, "", scale)
        self._pending.append(
            _Pending(
                self.step,
                now - self._began,
                self._anatomy.facts,
                signals,
                crossing.cross() if not crossing.is_empty else None,
                self._is_measured,
            )
        )

    def _meet(self, ranks: Ranks, start: float) -> None:
        """Put the numbers of all ranks together, and agree on the next step that is measured."""
        pending = self._pending[-1]
        values = {} if pending.crossing is None else pending.crossing.read()
        pending.crossing = None
        losses = pending.signals.get(Signal.LOSS, values.get(Signal.LOSS, {}))
        bad = any(values.get(Signal.NON_FINITE, {}).values())
        own = Own(
            loss_is_finite=all(map(math.isfinite, losses.values())),
            is_finite=not bad,
            seconds=self._round.until_backward,
            checksum=sum(values.get(Signal.WEIGHT_NORM, {}).values()),
            wants_to_halt=self._halting is not None,
        )
        spent = self._own + time.perf_counter() - start
        interval = self._schedule.interval(
            self.step, spent - self._own_at_opening, spent, time.perf_counter() - self._began
        )
        met, agreed, speaker = ranks.meet(values, own, interval)
        self._schedule.following = self.step + agreed
        pending.signals = {**met, **pending.signals}
        self._may_halt = speaker is not None
        if speaker is not None:
            told = ranks.tell(self._halting, speaker)
            if self._halting is None:
                self._judge.diagnoses.append(told)
                self._say(told)
            self._halting = told

    def _forget_measured(self) -> None:
        """Forget of a step what only all ranks together can tell."""
        pending = self._pending[-1]
        pending.crossing, pending.is_measured = None, False

    def _end_gradients(self) -> None:
        """Gather what is known of all gradients together."""
        self._parameters.end(self._round.gathering)
        self._noise.feed(self.step, self._parameters.gradient_samples, self._round.gathering)

    @staticmethod
    def _loss_of(this: _Round) -> Tensor | None:
        """Return the loss of a step: the criterion's, or the mean of those that went backward."""
        if this.criterion is not None:
            return this.criterion
        if len(this.losses) == 1:
            return this.losses[0]
        if not this.losses:
            return None
        first = this.losses[0]
        return torch.stack([one.to(first.device, first.dtype) for one in this.losses]).mean()

    def _forget_round(self) -> None:
        """Begin the step anew, for it was skipped."""
        self._begin(_Round(waited=self._round.waited))
        if self._is_measured:
            self._activations.begin()
            self._parameters.begin()

    def _drain(self, *, wait: bool) -> None:
        """Judge, keep and say the steps whose numbers have arrived, in order."""
        while self._pending:
            first = self._pending[0]
            if not (wait or first.crossing is None or first.crossing.has_arrived):
                break
            self._pending.popleft()
            self._guarded("steps", self._take, first)

    def _take(self, pending: _Pending) -> None:
        """Judge, keep and say one step."""
        signals: dict[str, Mapping[str, float]] = dict(pending.signals)
        if pending.crossing is not None:
            signals = {**pending.crossing.read(), **signals}
        step = Step(pending.number, pending.facts, signals, pending.is_measured, pending.time)
        self._history.keep(step)
        if self._recorder is not None:
            self._guarded("recording", self._recorder.write, step)
        found = self._judge.observe(step)
        if found:
            self._schedule.alarm(self.step)
        for diagnosis in found:
            self._say(diagnosis)
        if self._loggers is not None:
            self._guarded("loggers", self._loggers.step, step)
        if step.is_measured or found:
            self._guarded("view", lambda: self._announcer.view(self._as_html, now=bool(found)))

    def _say(self, diagnosis: Diagnosis) -> None:
        """Say a diagnosis to everybody who wants to know."""
        if self._recorder is not None:
            self._guarded("recording", self._recorder.say, diagnosis)
        if self._loggers is not None:
            self._guarded("loggers", self._loggers.diagnosis, diagnosis)
        self._guarded("live", self._announcer.diagnosis, diagnosis)
        if self._on_diagnosis is not None:
            self._guarded("on_diagnosis", self._on_diagnosis, diagnosis)
        if self._halting is None and self._halt_on & {diagnosis.severity.value, diagnosis.rule}:
            self._halting = diagnosis

    def _show_end(self) -> None:
        """Say the summary, or show it where the training has been shown all along."""
        if not self._announcer.view(self._as_html, now=True):
            self._announcer.say(self.summary())

    def _end_loggers(self, loggers: Loggers) -> None:
        """Tell the loggers how it stands with the training."""
        from trainlint.output.summary import verdict  # noqa: PLC0415 - rich is not needed before

        loggers.close(verdict(self._judge.diagnoses, self.step), self.step)

    def _last_words(self) -> None:
        """Judge what was logged after the last step, as a step that was not measured."""
        signals = {name: {"": value} for name, value in self._logged.items()}
        self._logged.clear()
        now = time.perf_counter() - self._began
        self._pending.append(
            _Pending(self.step, now, self._anatomy.facts, signals, None, is_measured=False)
        )

    # --- keeping the training safe from us

    def _guarded(self, part: str, function: Callable[..., object], *args: Any) -> None:
        """Run a part of the monitor; one that raises is told of in one line and not run again."""
        if part in self._off:
            return
        try:
            function(*args)
        except Exception as error:
            self._off.add(part)
            if os.environ.get("TRAINLINT_TRACEBACK"):
                raise
            with contextlib.suppress(Exception):
                self._announcer.say(f"trainlint watches no {part} any more ({reason_of(error)})")

    def _rule_failed(self, rule: Rule, error: Exception) -> None:
        """Tell of a detector that raised."""
        if os.environ.get("TRAINLINT_TRACEBACK"):
            raise error
        with contextlib.suppress(Exception):
            self._announcer.say(f"trainlint detects no {rule.name} any more ({reason_of(error)})")

    def _spend(self, start: float) -> None:
        """Add to the time that the monitor has used."""
        now = time.perf_counter()
        self._own += now - start
        # What was spent before the last step was over belongs to that.
        self._round.own += now - max(start, self._last)

    def _trainable(self) -> dict[str, nn.Parameter]:
        """Return the parameters that some optimizer has."""
        if len(self._owned) == 1:
            return self._owned[0]
        return {name: one for owned in self._owned for name, one in owned.items()}

    def _make_opaque(self) -> None:
        """Have a compiler that is there by now call our hooks as they are, and not compile them."""
        if self._bound and "torch._dynamo.eval_frame" in sys.modules:
            for one in self._bound:
                one.make_opaque()
            self._bound.clear()

    def _force_eager(self) -> None:
        """Have compiled models run as they are written while they are measured."""
        if self._stance is None and "torch._dynamo.eval_frame" in sys.modules:
            with contextlib.suppress(Exception):
                self._stance = torch.compiler.set_stance("force_eager")

    def _end_eager(self) -> None:
        """Let compiled models run compiled again."""
        stance, self._stance = self._stance, None
        if stance is not None:
            stance.__exit__(None, None, None)

    def _release(self) -> None:
        """Leave nothing behind in torch, in the models and in the optimizers."""
        self._hooks.end()
        self._end_eager()
        ears.leave(self)
        while self._handles:
            self._handles.pop().remove()


def monitor_of(optimizer: torch.optim.Optimizer) -> Monitor | None:
    """Return the monitor that watches an optimizer; None where there is none."""
    for hook in optimizer._optimizer_step_pre_hooks.values():  # noqa: SLF001 - torch names them nowhere
        if isinstance(hook, _Bound) and hook.monitor is not None:
            return hook.monitor
    return None


class _Bound(Untraced):
    """A method of a monitor as a hook, which copies and pickles as something that does nothing."""

    def __init__(self, monitor: Monitor | None, name: str, *given: Any) -> None:
        super().__init__()
        self.monitor = monitor
        self._name = name
        self._given = given

    def tell(self, *args: Any) -> None:
        """Call the method, but not where a CUDA graph is being captured."""
        if self.monitor is None:
            return
        if ears.is_captured():
            self.monitor.note("no step that a CUDA graph replays, for it calls nothing of Python")
            return
        getattr(self.monitor, self._name)(*self._given, *args)

    def __deepcopy__(self, memo: object) -> _Bound:
        return _Bound(None, "")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_nothing, ())


def _nothing() -> Callable[..., None]:
    """Return a hook that does nothing."""
    return lambda *_: None


def _close_at_exit(monitor: Monitor) -> Callable[[], None]:
    """Close a monitor at the end of the process, without keeping it alive until then."""
    reference = weakref.ref(monitor)

    def close() -> None:
        found = reference()
        if found is not None:
            found.close()

    atexit.register(close)
    return close


def _resident() -> float | None:
    """Return the resident memory of the process in bytes, without mapped files, where the system tells."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            _, resident, mapped, *_ = map(int, stream.read().split())
        return (resident - mapped) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
