"""The seed is set after the weights of the model were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL714", Severity.WARNING)

_SETS_WEIGHTS = ("apply", "load_state_dict", "reset_parameters", "from_pretrained", "load")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find trained models that are built before the first seed of the file, in the same run of code."""
    if file.is_test:
        return
    for model in (made for one in file.optimizers() for made in _built(file, one.models)):
        kinds = [one for one in file.seedings() if one.of_torch]
        seeds = [entry for one in kinds for entry in one.entries(model.function)]
        others = [*file.may_seed(), *seeds]
        first = min(seeds, key=lambda call: call.order, default=None)
        if first is None or not all(_comes_after(one, model) for one in others):
            continue
        if _may_not_follow(first, model) or _is_for_later(file, model, first):
            continue
        yield rule.at(
            first,
            f"{first.quoted} comes after {model.quoted} has drawn its weights, so every run starts from"
            " other weights.",
            remedy="Seed before the model is built.",
            label="too late for the weights",
            related=[(model, "draws its weights")],
        )
        return


def _built(file: FileModel, models: tuple[Expr, ...]) -> Iterator[Call]:
    """Yield the constructions of models, where it is known that they draw weights."""
    for model in models:
        for origin in model.objects():
            if isinstance(origin, Call) and origin.path == model.path and _draws(file, origin):
                yield origin


def _draws(file: FileModel, made: Call) -> bool:
    """Say whether a construction draws weights, and does not load them."""
    if (made.callee or "").startswith("torchvision.models."):
        told = [made.keywords[one] for one in ("weights", "pretrained") if one in made.keywords]
        unknown = made.is_open or bool(made.args)
        return not unknown and all(one.literal() in {None, False} for one in told)
    return file.trains(made)


def _comes_after(seed: Call, model: Call) -> bool:
    """Say whether a seed is set in the same function as a model is built, and later."""
    return seed.function == model.function and seed.order > model.order


def _may_not_follow(seed: Call, model: Call) -> bool:
    """Say whether a model may be built without the seed coming next, or again in each round."""
    return seed.loops != model.loops or seed.blocks[: len(model.blocks)] != model.blocks


def _is_for_later(file: FileModel, model: Call, seed: Call) -> bool:
    """Say whether a seed is for something else: the weights are trained before, or drawn after it."""
    for call in file.method_calls(*_SETS_WEIGHTS):
        if call.function == seed.function and call.order > seed.order:
            return True
    trains = [
        call for one in file.routines() for event in one.events for call in (*event.via, event.call)
    ]
    return any(
        call.function == seed.function and model.order < call.order < seed.order
        for call in (*trains, *file.method_calls("fit", "train", "train_model"))
    )
