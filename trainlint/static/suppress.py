"""Comments that silence a diagnosis, and those that silence nothing.

Three kinds are read, each with names or codes of rules, several with commas between them:

- ``# noqa: TL301`` on a line, as other linters write it (codes of other tools are left alone);
- ``# trainlint: ignore[softmax-before-cross-entropy] reason`` on a line;
- ``# trainlint: file-ignore[missing-zero-grad] reason`` anywhere, for the whole file.

A bare ``# noqa`` and the last two without brackets mean every rule.

A comment on a line silences a diagnosis that starts on the line. In a statement of several lines a
comment on its first or its last line, or where the diagnosis ends, silences what is in it: there is
where multi-line texts and formatters leave room for one. Of a compound statement (``for``,
``with``, ``def``) only the head counts, so that a comment never reaches into a body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.errors import nearest
from trainlint.core.fix import Edit, Fix, Safety

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from trainlint.core.diagnosis import Span
    from trainlint.core.rule import Rule
    from trainlint.static.source import SourceFile

    Statement = ast.stmt | ast.ExceptHandler

UNUSED: Final = "unused-suppression"
"""The rule that this module serves; its own module only describes it."""

_NAMES: Final = r"[A-Za-z0-9][\w-]*(?:(?:\s*,\s*|\s+)[A-Za-z0-9][\w-]*)*"
_DIRECTIVE: Final = re.compile(
    rf"""\#\s*(?:
        noqa\b(?:\s*:\s*(?P<codes>{_NAMES}))?
      | trainlint:\s*(?P<word>[\w-]*)(?P<list>\[(?P<names>[^\]]*)\]?)?
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_MAY_SILENCE: Final = re.compile(r"#\s*(?:noqa|trainlint:)", re.IGNORECASE)
_MAY_BE_UNUSED: Final = re.compile(r"#\s*(?:noqa\s*:|trainlint:)", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z]+[0-9]+")
_OUR_CODE: Final = re.compile(r"TL[0-9]+", re.IGNORECASE)
_ITEM: Final = re.compile(r"[^\s,]+")


def may_silence(text: str) -> bool:
    """Say whether a text may hold a comment that silences something."""
    return "#" in text and _MAY_SILENCE.search(text) is not None


def may_be_unused(text: str) -> bool:
    """Say whether a text may hold a comment that could be called unused."""
    return "#" in text and _MAY_BE_UNUSED.search(text) is not None


class Item(NamedTuple):
    """The name or code of a rule in a comment, and its offsets in the text."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class Suppression:
    """One comment that silences rules: all of them where it names none."""

    line: int
    start: int
    """The offset of the comment's `#` in the text."""
    end: int
    items: tuple[Item, ...] = ()
    everything: bool = False
    whole_file: bool = False
    ours: bool = True
    """Written for trainlint alone, so that every name in it ought to be a rule."""
    unknown_word: str = ""
    used: set[str] = field(default_factory=set)
    """The names that have silenced something; the empty text stands for everything."""


class Suppressions:
    """The comments of one file that silence diagnoses."""

    def __init__(self, source: SourceFile, known: Mapping[str, str]) -> None:
        self._source = source
        self._known = known
        self._all = [one for line, at, text in _comments(source) for one in _read(line, at, text)]

    def silence(self, diagnosis: Diagnosis) -> bool:
        """Say whether a comment silences the diagnosis, and note that the comment is of use."""
        if not self._all:
            return False
        lines = lines_that_silence(self._source, diagnosis.span)
        silenced = False
        for suppression in self._all:
            if not suppression.whole_file and suppression.line not in lines:
                continue
            if suppression.everything:
                suppression.used.add("")
                silenced = True
            for item in suppression.items:
                if self._rule_of(item) == diagnosis.rule:
                    suppression.used.add(item.name)
                    silenced = True
        return silenced

    def shared_comment(self, line: int) -> Suppression | None:
        """Return the `noqa` with codes on a line, to which more can be added."""
        mine = (one for one in self._all if one.line == line and one.items and not one.ours)
        return next(mine, None)

    def unused(self, rule: Rule, ran: Collection[str]) -> Iterator[Diagnosis]:
        """Yield a diagnosis for every comment that silenced nothing, of rules that did run."""
        spared = {
            suppression.line
            for suppression in self._all
            if any(self._rule_of(item) == rule.name for item in suppression.items)
        }
        if any(one.whole_file and one.line in spared for one in self._all):
            return
        for suppression in self._all:
            if suppression.line not in spared:
                yield from self._judge(suppression, rule, ran)

    def _rule_of(self, item: Item) -> str | None:
        """Return the name of the rule that an item names."""
        return self._known.get(item.name) or self._known.get(item.name.upper())

    def _judge(
        self, suppression: Suppression, rule: Rule, ran: Collection[str]
    ) -> Iterator[Diagnosis]:
        """Yield the diagnoses of one comment."""
        if suppression.unknown_word:
            yield self._at(
                rule,
                suppression,
                f"`trainlint: {suppression.unknown_word}` is no comment that trainlint knows",
                remedy="Write `# trainlint: ignore[name]` or `# trainlint: file-ignore[name]`.",
            )
        if suppression.everything and suppression.ours and not suppression.used and ran:
            yield self._at(
                rule,
                suppression,
                "the comment silences nothing",
                remedy="Delete the comment.",
                fix=self._without(suppression, ()),
            )
        if suppression.ours and not (
            suppression.items or suppression.everything or suppression.unknown_word
        ):
            yield self._at(
                rule,
                suppression,
                "the comment names no rule and silences nothing",
                remedy="Name the rules between the brackets, or leave the brackets out.",
            )
        dead: dict[Item, str] = {}
        for item in suppression.items:
            name = self._rule_of(item)
            if name is None and (suppression.ours or _OUR_CODE.fullmatch(item.name)):
                # Of two codes that look alike neither is likely to be the one that was meant.
                closest = "" if _CODE.fullmatch(item.name) else nearest(item.name, self._known)
                dead[item] = f"`{item.name}` is the name or code of no rule{closest}"
            elif name in ran and item.name not in suppression.used:
                dead[item] = f"`{item.name}` silences nothing here"
        rest = [item for item in suppression.items if item not in dead]
        for item, what in dead.items():
            yield self._at(
                rule,
                item,
                what,
                remedy="Take it out of the comment, or mend its name.",
                fix=self._without(suppression, rest),
            )

    def _at(
        self,
        rule: Rule,
        place: Suppression | Item,
        message: str,
        *,
        remedy: str,
        fix: Fix | None = None,
    ) -> Diagnosis:
        """Make a diagnosis that marks a comment or one name in it."""
        return Diagnosis(
            rule=rule.name,
            code=rule.code,
            severity=rule.severity,
            path=self._source.path,
            span=self._source.span_of_offsets(place.start, place.end),
            message=message,
            remedy=remedy,
            label="of no use",
            fix=fix,
        )

    def _without(self, suppression: Suppression, rest: Sequence[Item]) -> Fix:
        """Return the fix that leaves the rest of the names, or deletes the comment."""
        if rest:
            start, end = suppression.items[0].start, suppression.items[-1].end
            edit = Edit(start, end, ", ".join(item.name for item in rest))
            return Fix("Take out what silences nothing", Safety.SAFE, (edit,))
        text = self._source.text
        line_start = self._source.line_starts[suppression.line - 1]
        line_end = line_start + len(self._source.lines[suppression.line - 1])
        start = suppression.start
        # What follows is the reason, up to the next comment on the line.
        end = text.find("#", suppression.end, line_end)
        if end == -1:
            start = line_start + len(text[line_start:start].rstrip())
            end = line_end
            if start == line_start and suppression.line < len(self._source.line_starts):
                end = self._source.line_starts[suppression.line]
        return Fix("Delete the comment", Safety.SAFE, (Edit(start, end, ""),))


def _comments(source: SourceFile) -> Iterator[tuple[int, int, str]]:
    """Yield the line, the offset and the text of each comment that may silence something."""
    for line, offset, text in source.comments():
        if _MAY_SILENCE.search(text):
            yield line, offset, text


def _read(line: int, offset: int, comment: str) -> Iterator[Suppression]:
    """Yield what a comment silences; it may hold several directives."""
    for match in _DIRECTIVE.finditer(comment):
        start, end = offset + match.start(), offset + match.end()
        word = match["word"]
        group = "codes" if word is None else "names"
        items = tuple(
            Item(
                one[0],
                offset + match.start(group) + one.start(),
                offset + match.start(group) + one.end(),
            )
            for one in _ITEM.finditer(match[group] or "")
        )
        if word is None:
            if match["codes"] is None:
                yield Suppression(line, start, end, everything=True, ours=False)
                continue
            # A reason may follow the codes: what looks like neither code nor name ends them.
            codes = []
            for item in items:
                if not _CODE.fullmatch(item.name) and "-" not in item.name:
                    break
                codes.append(item)
            if codes:
                yield Suppression(line, start, codes[-1].end, tuple(codes), ours=False)
        elif word.lower() in {"ignore", "file-ignore"}:
            yield Suppression(
                line,
                start,
                end,
                items,
                everything=match["list"] is None,
                whole_file=word.lower() == "file-ignore",
            )
        else:
            yield Suppression(line, start, end, unknown_word=word or "…")


def lines_that_silence(source: SourceFile, span: Span) -> set[int]:
    """Return the lines on which a comment silences a diagnosis with this span."""
    if source.is_config:
        return {span.line, span.end_line}
    position = (span.line, span.column)
    statement: Statement | None = None
    inner: Sequence[Statement] = source.tree.body
    while inner:
        holding = [one for one in inner if _first_line(one) <= span.line <= _last_line(one)]
        if not holding:
            break
        # Of several statements on one line the last that starts before the diagnosis is meant.
        before = [one for one in holding if (one.lineno, one.col_offset + 1) <= position]
        statement = (before or holding)[-1]
        inner = _inner_statements(statement)
    if statement is None:
        return {span.line}
    last = _last_line(statement)
    if inner:
        last = max(statement.lineno, _first_line(inner[0]) - 1)
        while last > statement.lineno and source.lines[last - 1].lstrip()[:1] in {"", "#"}:
            last -= 1
    lines = {span.line}
    if span.line <= last:
        lines |= {statement.lineno, last, min(span.end_line, last)}
    return lines


def _first_line(statement: Statement) -> int:
    """Return the line on which a statement starts, its decorators included."""
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _last_line(statement: Statement) -> int:
    """Return the line on which a statement ends."""
    assert statement.end_lineno is not None
    return statement.end_lineno


def _inner_statements(statement: Statement) -> list[Statement]:
    """Return the statements in the bodies of a compound statement, in order."""
    inner: list[Statement] = []
    for name in ("body", "handlers", "orelse", "finalbody"):
        inner += getattr(statement, name, ())
    for case in getattr(statement, "cases", ()):
        inner += case.body
    return inner
