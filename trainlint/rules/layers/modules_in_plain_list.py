"""Layers in a plain list or dict are invisible to the module that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, ModuleClass, PlainCollection

rule = Rule(__name__, "TL601", Severity.ERROR, fixable=Safety.UNSAFE)

_OVERRIDDEN = ("parameters", "named_parameters", "modules", "named_modules", "children")
_REGISTERS = ("add_module", "register_module", "setattr", "register_parameter", "__setattr__")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find plain collections of layers that a module makes and uses and never registers."""
    for module in file.modules:
        if any(module.method(name) for name in _OVERRIDDEN) or _registers(module):
            continue
        for collection in file.plain_collections(module):
            item = next((one for one in collection.items if file.trains_here_alone(one)), None)
            if item is None or collection.at.function in module.running:
                continue
            if not collection.users or collection.is_wrapped or _is_handed_on(file, collection):
                continue
            if _hides_one(file, collection):
                continue
            kind = "dict" if collection.is_dict else "list"
            yield rule.at(
                collection.at,
                f"`self.{collection.attribute}` keeps {item.quoted} in a plain {kind}, where"
                " `parameters()` does not find its weights: they are never trained.",
                remedy=f"Keep the layers in an `nn.Module{kind.title()}`.",
                label=f"a plain {kind}",
                related=[(item, "not registered")] if item not in collection.at.parts() else [],
                fix=_fix(file, collection),
            )


def _registers(module: ModuleClass) -> bool:
    """Say whether a method of the module registers something by name."""
    return any(call.method in _REGISTERS for method in module.methods for call in method.calls)


def _is_handed_on(file: FileModel, collection: PlainCollection) -> bool:
    """Say whether the file takes the weights out of the collection by hand, for an optimizer."""
    for call in file.method_calls("parameters", "named_parameters", "add_param_group"):
        receiver = call.receiver
        if receiver is None:
            continue
        iterated = receiver.iterated
        if (receiver if iterated is None else iterated).mentions(collection.attribute):
            return True
    return False


def _hides_one(file: FileModel, collection: PlainCollection) -> bool:
    """Say whether one module is put into brackets by its name: so that the module does not register it."""
    items = collection.at.items or ()
    if len(items) != 1 or not (items[0].is_name or items[0].is_attribute):
        return False
    if file.layer_of(items[0]) is not None:  # who makes a layer for itself means to train it
        return False
    own = f"self.{collection.attribute}"
    return not any(
        call.receiver is not None and call.receiver.text == own
        for call in file.method_calls("append", "extend", "insert")
    )


def _fix(file: FileModel, collection: PlainCollection) -> Fix | None:
    """Return the fix that keeps the layers in a container of modules, where that takes all items."""
    container = file.spelling(f"torch.nn.Module{'Dict' if collection.is_dict else 'List'}")
    if container is None or not collection.is_written_whole:
        return None
    if not all(file.trains(item) or file.layer_of(item) for item in collection.items):
        return None
    text = "" if collection.at.items == () else collection.at.source_text
    edit = collection.at.replaced_by(f"{container}({text})")
    return Fix(f"Keep them in `{container}`", Safety.UNSAFE, (edit,))
