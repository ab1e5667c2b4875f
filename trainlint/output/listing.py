"""The list of rules as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.rule import Rule

COLUMNS: Final = ("code", "name", "severity", "family", "fix", "on")


def cells(rule: Rule, *, on: bool) -> tuple[str, ...]:
    """Return what the columns say of one rule."""
    fix = str(rule.fixable) if rule.fixable else "-"
    return (rule.code, rule.name, str(rule.severity), str(rule.family), fix, "on" if on else "off")


def rows(listed: Iterable[tuple[Rule, bool]]) -> Iterator[str]:
    """Yield a heading and one line for every rule, in columns."""
    table = [COLUMNS, *(cells(rule, on=on) for rule, on in listed)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        padded = (f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
