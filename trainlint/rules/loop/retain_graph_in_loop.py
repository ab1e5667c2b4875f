"""The graph is retained although nothing goes back through it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Event, Expr, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL519", Severity.ADVICE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``retain_graph=True`` in the one backward pass of a loop."""
    told = set()
    for routine in file.routines():
        for backward in routine.of(LoopEvent.BACKWARD):
            retain = backward.call.keywords.get("retain_graph")
            if retain is None or retain.truth() is not True or backward.call in told:
                continue
            if backward.loop is None or not _is_the_only_one(file, routine, backward):
                continue
            told.add(backward.call)
            yield rule.at(
                backward,
                f"{backward.call.quoted} keeps the graph although each iteration goes back only once:"
                " it costs memory, or hides a state that leaks from one iteration into the next.",
                remedy="Leave `retain_graph` out; if torch then complains, detach the state that is"
                " carried over.",
                label="keeps a graph that is not used again",
                related=[(backward.loop, "the graph is made in here")],
            )


def _is_the_only_one(file: FileModel, routine: Routine, backward: Event) -> bool:
    """Say whether nothing else in the loop may go back through the graph."""
    loop, loss = backward.loop, backward.subject
    if loop is None or loss is None or file.writes_gradients:
        return False
    if "create_graph" in backward.call.keywords or any(file.calls_to("torch.autograd.grad")):
        return False
    if any(one is not backward for one in routine.of(LoopEvent.BACKWARD) if one.inside(loop)):
        return False
    # Not made in here: each round goes back through one and the same graph.
    made = backward.made_in(loop) or all(
        (isinstance(one, Call) or one.operands) and loop.runs(one) for one in loss.origins()
    )
    return made and not any(_is_made_before(file, part, loop) for part in loss.ingredients())


def _is_made_before(file: FileModel, part: Expr, loop: Loop) -> bool:
    """Say whether a part of the loss is a forward pass from before the loop: one graph for all rounds."""
    forward = isinstance(part, Call) and file.event_of(part) is LoopEvent.FORWARD
    return forward and not loop.runs(part)
