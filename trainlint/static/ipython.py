"""What IPython understands beyond Python: magics, commands of the shell, calls for help."""

from __future__ import annotations

import re
from typing import Final

from trainlint.static.source import SourceError, parse

PYTHON_CELLS: Final = frozenset(
    {
        "capture",
        "debug",
        "ipytest",
        "memit",
        "notify",
        "prun",
        "pyinstrument",
        "scalene",
        "skip_if",
        "snakeviz",
        "time",
        "timeit",
        "wandb",
    }
)
"""The ``%%`` magics whose cells are Python that runs in the notebook's own process."""

_CELL_MAGIC: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*%%([^\s]*)[^\n]*")
"""Comments may stand before it: some front ends put their titles there."""

_COMMANDS: Final = "(?:pip3?|conda|mamba|uv|cd|ls|ll|mkdir|rmdir|rm|cp|mv|cat|less|more|man)[ \\t]"
"""Magics that are taken for such without their `%`."""

_SUSPECT: Final = re.compile(
    rf"^[ \t]*(?:[%!?,;/]|{_COMMANDS})|\?[ \t\r]*$|=[ \t]*[%!]", re.MULTILINE
)
"""What something for IPython looks like; most cells have nothing of the kind."""

_ESCAPE: Final = re.compile(
    rf"[ \t]*(?:%|!|\?|[,;/][A-Za-z_]|{_COMMANDS}[ \t]*(?:[\w.~$\"'{{]|[-/*](?![ \t=])))"
)
"""At the start of a statement: a magic, a shell command, a call for help or without brackets."""

_HELP: Final = re.compile(r"[ \t]*[^#\s][^#\n]*\?[ \t\r]*(?:\n|\Z)")
_ASSIGNED: Final = re.compile(
    r"[ \t]*[\w.*(](?:[\w.,*() \t]|\[[^\]\n=!%]*\])*=[ \t]*(?=[!%][^\s=])"
)
_TIMED: Final = re.compile(
    r"([ \t]*)(%(?:time|timeit|prun|memit|lprun)\b(?:[ \t]+-[A-Za-z]+(?:[ \t]*\d+)?)*[ \t]+)(?=[^\s-])"
)
_TOKEN: Final = re.compile(
    r"""\#[^\n]*
      | '{3}(?:[^\\]|\\.)*?'{3} | \"{3}(?:[^\\]|\\.)*?\"{3}
      | '(?:[^'\\\n]|\\.)*'? | \"(?:[^\"\\\n]|\\.)*\"?
      | [(\[{] | [)\]}] | \\\r?\n | \n""",
    re.VERBOSE | re.DOTALL,
)


def is_other_language(metadata: object, text: str) -> bool:
    """Say whether a code cell holds something else than Python."""
    editor = metadata.get("vscode") if isinstance(metadata, dict) else None
    language = editor.get("languageId") if isinstance(editor, dict) else None
    if isinstance(language, str) and language != "python":
        return True
    at = 0
    while match := _CELL_MAGIC.match(text, at):
        if match[1] not in PYTHON_CELLS:
            return True
        at = min(match.end() + 1, len(text))
    return False


def has_cell_magic(text: str) -> bool:
    """Say whether a magic stands before the whole of a cell."""
    return _CELL_MAGIC.match(text) is not None


def without_magics(text: str) -> str:
    """Return a cell with what only IPython understands blanked; lines and columns stay."""
    if not _SUSPECT.search(text):
        return text
    pieces, at = [], 0
    while match := _CELL_MAGIC.match(text, at):
        magic = match.start(1) - len("%%")
        end = min(match.end() + 1, len(text))
        pieces += [text[at:magic], _spaces(text[magic:end])]
        at = end
    while at < len(text):
        piece, end = _without_magic(text, at)
        pieces.append(piece)
        at = end
    return "".join(pieces)


def _without_magic(text: str, at: int) -> tuple[str, int]:
    """Return the statement that starts at an offset, blanked if it is none, and where it ends."""
    timed = _TIMED.match(text, at)
    if timed:
        end = _end_of_statement(text, timed.end())
        if is_python(f"0;{text[timed.end() : end]}"):
            # What is timed stays where it is, behind a statement that does nothing.
            return f"{timed[1]}0{' ' * (len(timed[2]) - 2)};{text[timed.end() : end]}", end
    end = _end_of_statement(text, at)
    asked = _HELP.match(text, at)
    if _ESCAPE.match(text, at) or (asked and asked.end() == end):
        end = _end_of_command(text, at)
        command = text[at:end]
        indent = len(command) - len(command.lstrip(" \t"))
        return f"{command[:indent]}0{_spaces(command[indent + 1 :])}", end
    assigned = _ASSIGNED.match(text, at)
    if assigned:
        end = _end_of_command(text, assigned.end())
        first, *rest = re.split(r"(?=\\?\r?\n)", text[assigned.end() : end], maxsplit=1)
        return f"{assigned[0]}{'_' * len(first)}{_spaces(''.join(rest))}", end
    return text[at:end], end


def _spaces(text: str) -> str:
    """Return a text with everything but its line ends blanked."""
    return re.sub(r"[^\r\n]", " ", text)


def _end_of_command(text: str, at: int) -> int:
    """Return where a command ends: behind the first line that does not end with a backslash."""
    while True:
        end = text.find("\n", at)
        if end == -1:
            return len(text)
        if not text[at:end].rstrip("\r").endswith("\\"):
            return end + 1
        at = end + 1


def _end_of_statement(text: str, at: int) -> int:
    """Return where a logical line ends: behind a line end outside of brackets and texts."""
    depth = 0
    for match in _TOKEN.finditer(text, at):
        found = match[0]
        if found in "([{":
            depth += 1
        elif found in ")]}":
            depth -= 1
        elif found == "\n" and depth <= 0:
            return match.end()
    return len(text)


def is_python(text: str) -> bool:
    """Say whether a text is Python."""
    try:
        parse("", text)
    except SourceError:
        return False
    return True
