"""`backward()` is called on a loss that has been cut from the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL305", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find backward passes of values every part of which has lost its graph."""
    for event in _backward_passes(file):
        loss = event.subject
        cuts = file.cuts(loss) if loss is not None else ()
        if loss is None or not cuts:
            continue
        yield rule.at(
            event,
            f"{loss.quoted} has been cut from the network by {cuts[0].quoted}, so no gradient"
            " reaches the weights.",
            remedy="Call `backward()` on the loss as it comes out of differentiable operations; take"
            " `.item()` afterwards.",
            label="nothing to go back through",
            related=[(cut, "the graph ends here") for cut in cuts if cut != loss],
        )


def _backward_passes(file: FileModel) -> list[Event]:
    """Return every backward pass of the file, once each."""
    found: dict[object, Event] = {}
    for routine in file.routines():
        for event in routine.of(LoopEvent.BACKWARD):
            if event.driver is not Driver.DISTRIBUTED_AUTOGRAD:
                found.setdefault(event.call, event)
    return list(found.values())
