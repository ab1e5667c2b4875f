"""What in a configuration file constructs or configures a part of a training.

Each flavour of configuration is recognised by words that nothing else has: ``_target_`` of Hydra,
``class_path`` of Lightning, the fields of ``TrainingArguments``, the sections of DeepSpeed. What is not
recognised is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Final

from trainlint.static.configs.values import MAX_DEPTH, Entry, Mapping, Scalar, Sequence, Value
from trainlint.static.torch_api import OPTIMIZER_PARAMETERS, SCHEDULER_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKS: Final = (
    *("_target_", "_component_", "class_path", "!new:", "!name:"),
    *("per_device_train_batch_size", "per_gpu_train_batch_size", "num_train_epochs"),
    *("zero_optimization", "train_micro_batch_size_per_gpu", "train_batch_size"),
)
"""A text without any of these configures no training."""

_TARGET_KEYS: Final = ("_target_", "_component_")
_TAG: Final = re.compile(r"!(?:new|name):([\w.]+)$")
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCHEDULES: Final = re.compile(r"sched|warm_?up|anneal|noam|cycl", re.IGNORECASE)
_TRAINER: Final = re.compile(
    r"(?:lightning|pytorch_lightning|lightning\.pytorch)(?:\.\w+)*\.Trainer"
)
_CLIP: Final = "torch.nn.utils.clip_grad_"
_DROPOUT: Final = re.compile(
    r"(?:\w+_)?dropout(?:_(?:p|prob|rate|ratio))?|(?:p|drop)_?drop(?:out)?"
)

_ARGUMENTS: Final = frozenset(
    {"per_device_train_batch_size", "per_gpu_train_batch_size", "num_train_epochs"}
)
"""Fields of ``TrainingArguments`` that nothing else is called by; one of them must be there."""
_MORE_ARGUMENTS: Final = _ARGUMENTS | {
    *("adam_beta1", "adam_beta2", "adam_epsilon", "bf16", "dataloader_num_workers", "do_train"),
    *("eval_steps", "eval_strategy", "evaluation_strategy", "fp16", "gradient_accumulation_steps"),
    *("gradient_checkpointing", "group_by_length", "label_smoothing_factor", "learning_rate"),
    *("load_best_model_at_end", "logging_steps", "lr_scheduler_type", "max_grad_norm", "max_steps"),
    *("metric_for_best_model", "optim", "output_dir", "per_device_eval_batch_size", "report_to"),
    *("save_steps", "save_strategy", "save_total_limit", "seed", "warmup_ratio", "warmup_steps"),
    "weight_decay",
}
_FEWEST_ARGUMENTS: Final = 4
_NOTES: Final = frozenset(
    {"log_history", "global_step", "train_runtime", "model_type", "architectures"}
)
"""What a run writes down about itself, or a model about its shape: no configuration of a training."""
_OPTIMIZER_KEYS: Final = ("optim", "optimizer", "optim_type", "optimizer_type", "optimizer_name")
_NAMED: Final = (
    (re.compile(r"(?:paged_)?adamw(?:_\w+)?", re.IGNORECASE), "AdamW"),
    (re.compile(r"sgd", re.IGNORECASE), "SGD"),
    (re.compile(r"adagrad", re.IGNORECASE), "Adagrad"),
    (re.compile(r"rmsprop(?:_bnb\w*)?", re.IGNORECASE), "RMSprop"),
)
"""The names of optimizers that transformers knows, and their classes."""

_DEEPSPEED: Final = frozenset(
    {
        *("bf16", "bfloat16", "fp16", "gradient_accumulation_steps", "gradient_clipping"),
        *("steps_per_print", "train_batch_size", "train_micro_batch_size_per_gpu"),
        *("wall_clock_breakdown", "zero_allow_untested_optimizer", "zero_optimization"),
    }
)
_LIGHTNING: Final = frozenset(
    {
        *(
            "accelerator",
            "accumulate_grad_batches",
            "callbacks",
            "devices",
            "fast_dev_run",
            "logger",
        ),
        *("gradient_clip_val", "log_every_n_steps", "max_epochs", "max_steps", "precision"),
        *("strategy", "limit_train_batches", "check_val_every_n_epoch", "gpus", "num_nodes"),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A part of a training, as a call: what is called, where that is written, what it is given."""

    callee: str
    """The dotted name."""
    place: tuple[int, int]
    """The offsets of what stands for the call."""
    name: str = ""
    """What it is kept as."""
    arguments: dict[str, Value] = field(default_factory=dict)
    positional: tuple[Value, ...] = ()
    is_open: bool = True
    """Whether the code may pass more than the file says."""

    @property
    def kind(self) -> str:
        """The last part of what is called."""
        return self.callee.rpartition(".")[2]

    @property
    def sets_rate(self) -> bool:
        """Whether it is, by its names, something that sets the rate of an optimizer."""
        return bool(_SCHEDULES.search(f"{self.callee} {self.name}")) or self.kind.endswith("LR")

    @property
    def takes_parameters(self) -> bool:
        """Whether it is given the parameters of a model, which the code passes."""
        return self.is_optimizer or self.callee.startswith(_CLIP)

    @property
    def is_optimizer(self) -> bool:
        """Whether it is an optimizer of torch."""
        return self.callee.startswith("torch.optim.") and self.kind in OPTIMIZER_PARAMETERS


@dataclass(frozen=True, slots=True)
class Recognised:
    """What of a training a document configures."""

    root: Value
    parts: tuple[Made, ...]
    speaks_of_schedules: bool
    """Whether something sets rates in a way that is not known."""


def may_be_config(text: str) -> bool:
    """Say whether a text may be a configuration of a training: it is not worth reading otherwise."""
    return any(mark in text for mark in MARKS)


def recognise(root: Value) -> Recognised:
    """Find the parts of a training in a document."""
    finder = _Finder()
    finder.walk(root)
    return Recognised(root, tuple(finder.parts), finder.speaks_of_schedules)


class _Finder:
    """Walks through a document, each mapping once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self.parts: list[Made] = []
        self.speaks_of_schedules = False

    def walk(self, value: Value, key: str = "", depth: int = 0) -> None:
        """Look at a value, which stands under a key, and at what is in it."""
        if id(value) in self._seen or isinstance(value, Scalar) or depth > MAX_DEPTH:
            return
        self._seen.add(id(value))
        if isinstance(value, Sequence):
            for item in value.items:
                self.walk(item, key, depth + 1)
            return
        target = _target(value, key)
        if target is not None:
            self._constructed(value, target, key)
        elif not _NOTES.intersection(value.entries):
            self.parts += _of_transformers(value)
            self.parts += _of_deepspeed(value)
            if key == "trainer" and len(_LIGHTNING.intersection(value.entries)) > 1:
                self.parts += _of_trainer(value)
        for name, entry in value.entries.items():
            if _SCHEDULES.search(name) and target is None:
                self._scheduled(name, entry.value)
            outer = key if name in {"init_args", "params"} else name
            self.walk(entry.value, outer, depth + 1)

    def _constructed(self, value: Mapping, target: Scalar, key: str) -> None:
        """Take what a mapping constructs, and what its arguments say of the training."""
        callee, start, end = str(target.value), target.start, target.end
        given = value
        if "class_path" in value.entries:
            inner = value.get("init_args")
            given = inner if isinstance(inner, Mapping) else Mapping(start, end)
            # Lightning takes the last part of the name where it knows what is wanted.
            if callee in OPTIMIZER_PARAMETERS and "optim" in key:
                callee = f"torch.optim.{callee}"
            elif callee in SCHEDULER_PARAMETERS:
                callee = f"torch.optim.lr_scheduler.{callee}"
        arguments = {
            name: entry.value
            for name, entry in given.entries.items()
            if not (given is value and name.startswith("_")) and name.isidentifier()
        }
        several = value.get("_args_")
        positional = several.items if isinstance(several, Sequence) else ()
        self.parts.append(Made(callee, (start, end), key, arguments, positional))
        if _TRAINER.fullmatch(callee):
            self.parts += _of_trainer(given)
        if not callee.startswith("torch."):
            self.parts += _of_model(given)

    def _scheduled(self, name: str, value: Value) -> None:
        """Note what sets a rate in a way that is not known."""
        if name in _MORE_ARGUMENTS or (isinstance(value, Scalar) and value.value in {None, False}):
            return
        held = value.items if isinstance(value, Sequence) else (value,)
        if any(not isinstance(one, Mapping) or _target(one, name) is None for one in held):
            self.speaks_of_schedules = True


def _target(value: Mapping, key: str) -> Scalar | None:
    """Return the place of the dotted name of what a mapping constructs."""
    tag = _TAG.match(value.tag)
    if tag is not None:
        start = value.start + tag.start(1)
        return Scalar(start, value.start + len(value.tag), tag[1])
    for word in (*_TARGET_KEYS, "class_path"):
        found = value.get(word)
        if isinstance(found, Scalar) and isinstance(found.value, str):
            short = word == "class_path" and ("optim" in key or found.value in SCHEDULER_PARAMETERS)
            if _DOTTED.fullmatch(found.value) and (short or "." in found.value):
                return found
    return None


def _of_transformers(value: Mapping) -> Iterator[Made]:
    """Yield what the fields of ``TrainingArguments`` stand for: an optimizer and a loader."""
    fields = {
        name: entry
        for name, entry in value.entries.items()
        if name in _MORE_ARGUMENTS and isinstance(entry.value, Scalar)
    }
    if len(fields) < _FEWEST_ARGUMENTS or not _ARGUMENTS.intersection(fields):
        return
    for name in ("per_device_train_batch_size", "per_gpu_train_batch_size"):
        if name in fields:
            yield _loader(fields[name])
    kind, place = "AdamW", None
    for name in _OPTIMIZER_KEYS:
        entry = value.entries.get(name)
        if entry is not None and not (
            isinstance(entry.value, Scalar) and entry.value.value is None
        ):
            known = _named(entry.value)
            if known is None:
                return
            kind, place = known, entry.value
    arguments: dict[str, Value] = {}
    for field_name, name in (
        ("learning_rate", "lr"),
        ("weight_decay", "weight_decay"),
        ("adam_epsilon", "eps"),
    ):
        if field_name in fields and name in {"lr", *OPTIMIZER_PARAMETERS[kind]}:
            arguments[name] = fields[field_name].value
    pairs = {}
    if kind == "AdamW":
        betas = (("adam_beta1", 0.9), ("adam_beta2", 0.999))
        pair = _pair([(fields.get(name), usual) for name, usual in betas])
        pairs = {} if pair is None else {"betas": pair}
    first = place or next(iter((*arguments.values(), *pairs.values())), None)
    if first is not None and (arguments or pairs):
        place_of_call = (first.start, first.end)
        given = arguments | pairs
        yield Made(f"torch.optim.{kind}", place_of_call, "optimizer", given, is_open=False)
        # Clipped by the norm 1 even where nothing says so.
        norm = fields.get("max_grad_norm") or Entry(
            Scalar(0, 0, "max_grad_norm"), Scalar(0, 0, 1.0)
        )
        if not (isinstance(norm.value, Scalar) and norm.value.value == 0):
            yield _clipped_by_norm(norm)


def _named(value: Value) -> str | None:
    """Return the class of the optimizer that a word names, if it is a known one."""
    text = value.value if isinstance(value, Scalar) else None
    if not isinstance(text, str):
        return None
    return next((kind for pattern, kind in _NAMED if pattern.fullmatch(text)), None)


def _pair(members: list[tuple[Entry | None, float]]) -> Value | None:
    """Return two fields as one pair, at the place of the one that is further from what is usual."""
    given = [entry for entry, _ in members if entry is not None]
    if not given:
        return None

    def oddness(member: tuple[Entry | None, float]) -> float:
        entry, usual = member
        if entry is None:
            return -1
        value = entry.value.value if isinstance(entry.value, Scalar) else None
        return abs(value - usual) if isinstance(value, int | float) and isfinite(value) else 0

    place = max(members, key=oddness)[0]
    assert place is not None
    items = tuple(
        entry.value if entry is not None else Scalar(place.value.start, place.value.start, usual)
        for entry, usual in members
    )
    return Sequence(place.key.start, place.value.end, items, in_brackets=False)


def _of_deepspeed(value: Mapping) -> Iterator[Made]:
    """Yield what a configuration of DeepSpeed stands for."""
    sections = _DEEPSPEED.intersection(value.entries)
    size = value.entries.get("train_micro_batch_size_per_gpu")
    if not sections or not (size or isinstance(value.get("optimizer"), Mapping)):
        return
    if size is not None and ("zero_optimization" in sections or len(sections) > 1):
        yield _loader(size)
    optimizer = value.get("optimizer")
    if not isinstance(optimizer, Mapping):
        return
    kind, given = optimizer.get("type"), optimizer.get("params")
    if not isinstance(kind, Scalar) or not isinstance(given, Mapping):
        return
    name = str(kind.value)
    if name.lower() in {"adam", "adamw"}:
        # Unless told otherwise DeepSpeed's Adam is AdamW.
        mode = given.get("adam_w_mode")
        coupled = isinstance(mode, Scalar) and mode.value is False and name.lower() == "adam"
        name = "Adam" if coupled else "AdamW"
    if name not in OPTIMIZER_PARAMETERS:
        return
    arguments = {
        word: entry.value
        for word, entry in given.entries.items()
        if word in {"lr", *OPTIMIZER_PARAMETERS[name]}
    }
    schedule = value.get("scheduler")
    if isinstance(schedule, Mapping):
        told = schedule.get("params")
        peak = told.get("warmup_max_lr") if isinstance(told, Mapping) else None
        arguments.pop("lr", None)
        if peak is not None and (schedule.text("type") or "").startswith("Warmup"):
            arguments["lr"] = peak
    place = (kind.start, kind.end)
    yield Made(f"torch.optim.{name}", place, "optimizer", arguments, is_open=False)
    if "gradient_clipping" in sections:
        yield _clipped_by_norm(value.entries["gradient_clipping"])


def _of_trainer(value: Mapping) -> Iterator[Made]:
    """Yield how Lightning's trainer is told to clip: by the norm, unless it is told otherwise."""
    size, how = value.entries.get("gradient_clip_val"), value.entries.get("gradient_clip_algorithm")
    if size is None or (isinstance(size.value, Scalar) and not size.value.value):
        return
    said = how.value.value if how is not None and isinstance(how.value, Scalar) else None
    if how is not None and said == "value":
        place = (how.key.start, how.value.end)
        yield Made(f"{_CLIP}value_", place, arguments={"clip_value": size.value})
    else:
        yield _clipped_by_norm(size)


def _clipped_by_norm(size: Entry) -> Made:
    """Return the clipping of gradients by their norm."""
    place = (size.key.start, size.value.end)
    return Made(f"{_CLIP}norm_", place, arguments={"max_norm": size.value})


def _of_model(value: Mapping) -> Iterator[Made]:
    """Yield the dropouts that something is constructed with."""
    for name, entry in value.entries.items():
        if _DROPOUT.fullmatch(name) and isinstance(entry.value, Scalar):
            place = (entry.key.start, entry.key.end)
            yield Made("torch.nn.Dropout", place, name, {"p": entry.value})


def _loader(entry: Entry) -> Made:
    """Return the loader for training of which only the size of its batches is told."""
    place = (entry.key.start, entry.key.end)
    return Made("torch.utils.data.DataLoader", place, "train_loader", {"batch_size": entry.value})
