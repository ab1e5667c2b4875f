"""The page of a rule, read: its summary, its examples, its sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainlint.core.catalogue import page_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trainlint.core.rule import Rule

_LINK: Final = re.compile(r"\[(?P<title>(?:[^\[\]]|\[[^\]]*\])+)\]\((?P<url>[^)\s]+)\)")
_FENCE: Final = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Link:
    """A source that a page names."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the catalogue."""

    text: str
    title: str
    introduction: str
    sections: Mapping[str, str]
    """The text of each section by its heading, in order."""

    @property
    def summary(self) -> str:
        """The first sentence of the introduction."""
        words = " ".join(self.introduction.partition("\n\n")[0].split())
        inside_code = False
        for at, character in enumerate(words):
            if character == "`":
                inside_code = not inside_code
            elif character in ".!?" and not inside_code and words[at + 1 : at + 2] in {"", " "}:
                return words[: at + 1]
        return words

    @property
    def sources(self) -> list[Link]:
        """The links of the section *Sources*, in order."""
        found = _LINK.finditer(self.sections.get("Sources", ""))
        return [Link(match["title"], match["url"]) for match in found]

    def examples(self, section: str, language: str = "python") -> list[str]:
        """Return the blocks of a section that are in a language."""
        found = _FENCE.finditer(self.sections.get(section, ""))
        return [match["code"] for match in found if match["language"] == language]


def read_page(rule: Rule) -> Page | None:
    """Return the page of a rule, or None where it has none."""
    path = page_path(rule)
    return None if path is None else parse_page(path)


def parse_page(path: Path) -> Page:
    """Read a page from a file."""
    text = path.read_text(encoding="utf-8")
    title = ""
    parts: dict[str, list[str]] = {"": []}
    heading = ""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and line.startswith("# ") and not title:
            title = line[2:].strip()
        elif not fenced and line.startswith("## "):
            heading = line[3:].strip()
            parts.setdefault(heading, [])
        else:
            parts[heading].append(line)
    sections = {name: "\n".join(lines).strip("\n") for name, lines in parts.items()}
    return Page(text, title, sections.pop(""), sections)
