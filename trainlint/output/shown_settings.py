"""The settings that hold for a file, as TOML with remarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.rule import Rule


def render(path: str, read: Sequence[str], settings: Settings) -> Iterator[str]:
    """Yield the lines that show the settings of one file.

    ``read`` are the configuration files that they come from, the one that counts most first.
    """
    rules = settings.rules_for(path)
    yield f"# the settings of {_text(path)}"
    for number, file in enumerate(read):
        yield f"# {'which extends' if number else 'read from'} {_text(file)}"
    if not read:
        yield "# no configuration file is read"
    yield ""
    target = settings.target_torch
    version = None if target is None else _text(".".join(str(part) for part in target))
    yield "# target-torch is not set" if version is None else f"target-torch = {version}"
    yield (
        "# baseline is not set"
        if not settings.baseline
        else f"baseline = {_text(settings.baseline)}"
    )
    yield f"force-exclude = {_value(settings.force_exclude)}"
    yield f"include-configs = {_value(settings.include_configs)}"
    for key in ("exclude", "extend-exclude"):
        said = [one for one in settings.exclusions if one.key == key]
        folders = dict.fromkeys(one.folder for one in said)
        if said:
            yield from ("", _relative_to(folders))
            several = len(folders) > 1
            yield from _list(
                key,
                (
                    (line, _text(one.folder) if several else "")
                    for one in said
                    for line in one.lines
                ),
            )
    yield ""
    yield from _list("select", ((rule.name, _remark(rule, settings)) for rule in rules))
    if settings.per_file_ignores:
        yield from ("", "[per-file-ignores]")
        for pattern in dict.fromkeys(one.pattern for one in settings.per_file_ignores):
            same = [one for one in settings.per_file_ignores if one.pattern == pattern]
            names = sorted({name for one in same for name in one.names})
            folders = dict.fromkeys(one.folder for one in same)
            yield _relative_to(folders)
            yield f"{_text(pattern)} = {_value(names)}"
    if settings.severities:
        yield from ("", "[severity]")
        yield from (f"{name} = {_text(one)}" for name, one in sorted(settings.severities.items()))
    for rule in rules:
        if rule.thresholds:
            given = {**rule.thresholds, **settings.thresholds.get(rule.name, {})}
            yield from ("", f"[rules.{rule.name}]")
            yield from (
                f"{key.replace('_', '-')} = {_value(given[key])}" for key in rule.thresholds
            )


def _remark(rule: Rule, settings: Settings) -> str:
    """Return what is said of a rule that is on."""
    return f"{rule.code} {settings.severity_of(rule)}"


def _relative_to(folders: Iterable[str]) -> str:
    """Return the remark that says to which folders patterns are relative."""
    return f"# relative to {' and '.join(_text(one) for one in folders)}"


def _list(key: str, items: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of texts, each on a line of its own with a remark."""
    rows = [f"    {_text(one)}," + (f"  # {remark}" if remark else "") for one, remark in items]
    yield from (f"{key} = [", *rows, "]") if rows else (f"{key} = []",)


def _value(value: object) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, (tuple, list, frozenset)):
        members = sorted(value, key=repr) if isinstance(value, frozenset) else value
        return f"[{', '.join(_value(one) for one in members)}]"
    if isinstance(value, str):
        return _text(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _text(text: str) -> str:
    """Return a text in quotes: as JSON has it, but TOML wants an escape for DEL, and no lone surrogate."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
