"""An initialisation is called by its old name, without the underscore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL114", Severity.WARNING, fixable=Safety.SAFE)

_OLD = (
    *("uniform", "normal", "constant", "eye", "dirac", "orthogonal", "sparse"),
    *("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"),
)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find the names of `torch.nn.init` that end without an underscore, called or handed on."""
    for name in _OLD:
        old = f"torch.nn.init.{name}"
        for place in file.mentions_of(old):
            if _is_fallback(place, name) or _is_listed(place, name):
                continue
            yield rule.at(
                place,
                f"{place.quoted} is the old name of an initialisation that fills the tensor in place:"
                " it warns at every call, and a release to come may lack it.",
                remedy=f"Call it `{name}_`.",
                label="deprecated",
                fix=_renamed(place, name),
            )


def _is_fallback(place: Expr, name: str) -> bool:
    """Say whether a test asks for the release of PyTorch, or for the new name, first."""
    asks = ("hasattr", "version", f"{name}_")
    return any(word in test.text for test, _ in place.decided_by for word in asks)


def _is_listed(place: Expr, name: str) -> bool:
    """Say whether a table has it under its own name, as of all that shall do nothing for a while."""
    return any((one.entries or {}).get(name) == place for one in place.around)


def _renamed(place: Expr, name: str) -> Fix | None:
    """Return the edit of the name, where it is written out and not imported by itself."""
    edit = place.renamed(f"{name}_")
    return None if edit is None else Fix("Use the new name", Safety.SAFE, (edit,))
