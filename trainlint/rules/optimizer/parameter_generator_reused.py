"""A generator of parameters is used twice, and the second use gets nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL406", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find uses of kept generators that something has gone through already."""
    for generator in file.parameter_generators():
        edit = generator.made.replaced_by(generator.as_list)
        for use, earlier in generator.reused:
            user = "the first round of the loop" if use == earlier else "an earlier use"
            through = [(earlier, "goes through it")] if use != earlier else []
            yield rule.at(
                use,
                f"{use.quoted} is a generator that {user} goes through to its end, so no parameters are"
                " left in it.",
                remedy=f"Keep a list: `{generator.as_list}`.",
                label="empty by now",
                related=[(generator, "makes a generator"), *through],
                fix=Fix("Keep a list of the parameters", Safety.UNSAFE, (edit,)),
            )
