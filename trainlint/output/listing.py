"""The list of rules as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.diagnosis import Severity
    from trainlint.core.rule import Rule

COLUMNS: Final = ("code", "name", "severity", "family", "fix", "on")


class Listed(NamedTuple):
    """A rule, whether it is on, and the severity that it has in a folder."""

    rule: Rule
    on: bool
    severity: Severity


def cells(one: Listed) -> tuple[str, ...]:
    """Return what the columns say of one rule."""
    rule = one.rule
    fix = str(rule.fixable) if rule.fixable else "-"
    on = "on" if one.on else "off"
    return (rule.code, rule.name, str(one.severity), str(rule.family), fix, on)


def rows(listed: Iterable[Listed]) -> Iterator[str]:
    """Yield a heading and one line for every rule, in columns."""
    table = [COLUMNS, *(cells(one) for one in listed)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        padded = (f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
