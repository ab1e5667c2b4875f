"""Mixed precision is called by its deprecated name, for CUDA alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel

rule = Rule(__name__, "TL807", Severity.WARNING, fixable=Safety.SAFE)

_OLD, _NEW = "torch.cuda.amp", "torch.amp"
_NAMES = ("autocast", "GradScaler")
_SPELLINGS = {
    f"{_OLD}{module}.{name}" for name in _NAMES for module in ("", ".autocast_mode", ".grad_scaler")
}
_AUTOCAST_PARAMETERS = ("enabled", "dtype", "cache_enabled")
_VERSION = re.compile(r"version|greater|hasattr|2_\d|is_torch", re.IGNORECASE)


_HAS_NEW = (2, 3)
"""The first release with ``torch.amp.GradScaler``."""


@rule.check
def check(file: FileModel, *, target_torch: tuple[int, ...] | None = None) -> Iterator[Diagnosis]:
    """Find calls of ``autocast`` and ``GradScaler`` of ``torch.cuda.amp``."""
    if target_torch is not None and target_torch < _HAS_NEW:
        return
    old = _calls(file)
    for call in old:
        name = call.called.qualified or ""
        last = name.rpartition(".")[2]
        if _is_fallback(file, call, last):
            continue
        yield rule.at(
            call.called,
            f"{call.called.quoted} is deprecated since torch 2.4: it warns when it is called, and a"
            " later release may lack it.",
            remedy=f'Call `torch.amp.{last}("cuda", ...)`, which does the same.',
            label="deprecated",
            fix=_fix(file, call, frozenset(old)),
        )


def _calls(file: FileModel) -> list[Call]:
    """Return the calls by the deprecated names."""
    called = (f"{package}.{name}" for package in (_OLD, _NEW) for name in _NAMES)
    return [
        call for call in file.calls_to(*called) if file.imported_name(call.called) in _SPELLINGS
    ]


def _is_fallback(file: FileModel, call: Call, last: str) -> bool:
    """Say whether the file takes the old name only where the new one is missing."""
    for read in (*file.attributes_read(last), *file.names_read(last)):
        if file.imported_name(read) == f"{_NEW}.{last}":
            return True
    imported = file.import_of(call.called)
    places = [call] if imported is None else [call, imported]
    return any(
        place.is_tried or any(_VERSION.search(test.text) for test, _ in place.decided_by)
        for place in places
    )


def _fix(file: FileModel, call: Call, old: frozenset[Call]) -> Fix | None:
    """Return the fix that calls the function for any device, with ``"cuda"`` as the first argument.

    Where an import brings the name, all calls by it change together.
    """
    moved = file.moved_package(call.called, _OLD, _NEW, old)
    if moved is None or _is_compared(file, old):
        return None
    brought = moved[0].start < call.called.replaced_by("").start
    source = file.import_of(call.called)
    group = [
        one
        for one in sorted(old, key=lambda one: one.order)
        if one == call or (brought and source is not None and _same_import(file, one, call))
    ]
    if any(one.is_open for one in group):
        return None
    edits = [*moved, *(edit for one in group for edit in _with_device(one))]
    return Fix("Call it for any device", Safety.SAFE, tuple(edits))


def _same_import(file: FileModel, one: Call, other: Call) -> bool:
    """Say whether one import statement brings both names."""
    mine, others = file.import_of(one.called), file.import_of(other.called)
    return mine is not None and others is not None and mine.span == others.span


def _is_compared(file: FileModel, old: frozenset[Call]) -> bool:
    """Say whether the file names the old classes other than to call them: for ``isinstance``."""
    called = {call.called for call in old}
    reads = [
        read for name in _NAMES for read in (*file.attributes_read(name), *file.names_read(name))
    ]
    return any(
        read not in called and (file.imported_name(read) or "").startswith(f"{_OLD}.")
        for read in reads
    )


def _with_device(call: Call) -> Iterator[Edit]:
    """Yield the edits that pass the device, and by keyword what stood in its place."""
    if not call.args or (call.called.qualified or "").endswith("GradScaler"):
        yield call.with_first_argument('"cuda"')
        return
    for number, (argument, name) in enumerate(zip(call.args, _AUTOCAST_PARAMETERS, strict=False)):
        device = "" if number else '"cuda", '
        yield argument.replaced_by(f"{device}{name}={argument.source_text}")
