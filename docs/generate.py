"""Makes the pages of the site from the files of the repository; mkdocs calls it as a hook.

The README, the pages of the catalogue and the other texts link to each other as files of the repository
do; here these links become links between pages.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import trainlint
from trainlint.core.catalogue import OUR_RULES, load_catalogue
from trainlint.core.rule import Family
from trainlint.core.site import VARIABLE
from trainlint.output.formats import DEFAULT, FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trainlint.core.rule import Rule

ROOT: Final = Path(__file__).parents[1]

TEXTS: Final = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "rules/README.md": "rules/index.md",
}
"""Files of the repository that are pages as they are, and where."""

_FENCE: Final = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_LINK: Final = re.compile(r"\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_MARKED: Final = re.compile(r"  # TL\d{3}(?:, TL\d{3})*$")


# What mkdocs calls


def on_config(config: Any) -> Any:
    """Put the pages that are made into the navigation."""
    config.nav = navigation(_rules())
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made to those of the folder."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - the tests need no mkdocs

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_post_build(config: Any) -> None:
    """Raise where a link that a diagnosis prints would lead nowhere."""
    from mkdocs.exceptions import PluginError  # noqa: PLC0415

    for rule in _rules():
        path = Path(config.site_dir, page_of(rule).removesuffix(".md"), "index.html")
        if not path.is_file() or rule.code not in path.read_text(encoding="utf-8"):
            msg = f"the site has no page of {rule.code} {rule.name} at {path}"
            raise PluginError(msg)


# What is made


def pages() -> dict[str, str]:
    """Return the text of each page that is made, by its path on the site."""
    rules = _rules()
    examples = sorted(Path(ROOT, "examples").glob("*.py"))
    places = {
        **TEXTS,
        **{
            f"docs/{one.name}": one.name
            for one in Path(ROOT, "docs").iterdir()
            if one.suffix in {".md", ".png", ".svg"}
        },
        **{f"rules/{rule.family}/{rule.name}.md": page_of(rule) for rule in rules},
        **{f"rules/{family}": f"rules/{family}/index.md" for family in _families(rules)},
        **{f"examples/{one.name}": f"examples/{one.stem}.md" for one in examples},
    }
    made = {
        page: relinked(Path(ROOT, source).read_text(encoding="utf-8"), source, page, places)
        for source, page in places.items()
        if source.endswith(".md") and not source.startswith("docs/")
    }
    made["index.md"] = f"---\ntitle: trainlint\nhide: [navigation]\n---\n\n{made['index.md']}"
    made["rules/index.md"] += "\n" + "\n".join(_index(rules))
    for rule in rules:
        made[page_of(rule)] = "\n".join(_with_facts(rule, made[page_of(rule)]))
    for family, members in _families(rules).items():
        made[f"rules/{family}/index.md"] = "\n".join(_family(family, members))
    for example in examples:
        made[f"examples/{example.stem}.md"] = _example(example)
    made["examples/index.md"] = "\n".join(_examples(examples))
    made["formats.md"] = "\n".join(_formats())
    return made | dict(_api())


def navigation(rules: Iterable[Rule]) -> list[Any]:
    """Return the navigation of the site."""
    families = _families(rules)
    return [
        {"Home": "index.md"},
        {
            "Rules": [
                "rules/index.md",
                *(
                    {
                        str(family): [
                            f"rules/{family}/index.md",
                            *({f"{one.code} {one.name}": page_of(one)} for one in members),
                        ]
                    }
                    for family, members in families.items()
                ),
            ]
        },
        {"Look at a training": "looking.md"},
        {"Before a training": ["probe.md", "lr.md", "batch-size.md"]},
        {"Integrations": ["integrations.md", "formats.md", "scale.md"]},
        {
            "Examples": [
                "examples/index.md",
                *(f"examples/{one.stem}.md" for one in sorted(Path(ROOT, "examples").glob("*.py"))),
            ]
        },
        {"API": [name for name, _ in _api()]},
        {"Project": ["contributing.md", "changelog.md"]},
    ]


def page_of(rule: Rule) -> str:
    """Return where the site has the page of a rule; `trainlint.core.site` links there."""
    return f"rules/{rule.family}/{rule.name}.md"


def relinked(text: str, source: str, page: str, places: Mapping[str, str]) -> str:
    """Return the text of a file with links that lead from its page to other pages.

    A link to a file that is no page becomes the text alone.
    """

    def link(match: re.Match[str]) -> str:
        target = match["target"]
        if urlsplit(target).scheme or target.startswith("#"):
            return match[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if path not in places:
            return match["text"]
        path = posixpath.relpath(places[path], posixpath.dirname(page) or ".")
        return f"[{match['text']}]({path}{'#' if anchor else ''}{anchor})"

    return "\n".join(line if fenced else _LINK.sub(link, line) for line, fenced in _lines(text))


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of Markdown, each with whether it is code."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not fence and match:
            fence = match["fence"]
            yield line, True
        else:
            yield line, bool(fence)
            if fence and line.strip() == fence:
                fence = ""


# The catalogue


def _rules() -> list[Rule]:
    """Return our own rules in the order of their codes."""
    return list(load_catalogue((OUR_RULES,)))


def _families(rules: Iterable[Rule]) -> dict[Family, list[Rule]]:
    """Return the rules of each family that has any."""
    found: dict[Family, list[Rule]] = {family: [] for family in Family}
    for rule in rules:
        found[rule.family].append(rule)
    return {family: members for family, members in found.items() if members}


def _index(rules: list[Rule]) -> Iterator[str]:
    """Yield the table of all rules."""
    yield f"## All {len(rules)} rules"
    yield ""
    yield from _table(rules, "rules")


def _family(family: Family, rules: list[Rule]) -> Iterator[str]:
    """Yield the page of a family."""
    yield f"# {str(family).capitalize()}"
    yield ""
    yield f"{_about()[family].capitalize()}: {len(rules)} rules with codes TL{family.digit}xx."
    yield f"`--select {family}` turns on those that are not advice, `--ignore {family}` turns all off."
    yield ""
    yield from _table(rules, f"rules/{family}")


def _about() -> dict[str, str]:
    """Return what each family is about, as the page of the catalogue says it."""
    text = Path(ROOT, "rules", "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| TL\d\.\. \| \[(\w+)\]\(\w+\) \| (.+?) \|$", text, re.MULTILINE)
    return dict(rows)


def _table(rules: Iterable[Rule], folder: str) -> Iterator[str]:
    """Yield a table of rules, as a page in a folder shows it."""
    yield "| code | rule | severity | fix |"
    yield "| --- | --- | --- | --- |"
    for rule in rules:
        page = posixpath.relpath(page_of(rule), folder)
        summary = rule.summary.replace("|", "\\|")
        fix = str(rule.fixable) if rule.fixable else ""
        yield (f"| {rule.code} | [{rule.name}]({page})<br>{summary} | {_severity(rule)} | {fix} |")


def _severity(rule: Rule) -> str:
    """Return the severity of a rule, to be painted."""
    return f'<span class="severity {rule.severity}">{rule.severity}</span>'


def _with_facts(rule: Rule, text: str) -> Iterator[str]:
    """Yield the page of a rule with what Python knows of it, and with the diagnosed lines marked."""
    title, _, rest = text.partition("\n")
    yield title
    yield ""
    fix = f"{rule.fixable} fix" if rule.fixable else "no fix"
    on = "off unless it is selected" if rule.severity == "advice" else "on by default"
    yield f"{_severity(rule)} · [{rule.family}](index.md) · {fix} · {on}"
    yield "{ .facts }"
    yield from _highlighted(rest)
    if rule.thresholds:
        yield from _settings(rule)


def _highlighted(text: str) -> Iterator[str]:
    """Yield Markdown whose Python blocks have the lines highlighted that are diagnosed."""
    block: list[str] = []
    for line, fenced in _lines(text):
        if not fenced:
            yield line
            continue
        block.append(line)
        if len(block) > 1 and line.strip() == block[0].rstrip("abcdefghijklmnopqrstuvwxyz"):
            marked = [str(number) for number, code in enumerate(block) if _MARKED.search(code)]
            if marked:
                block[0] += f' hl_lines="{" ".join(marked)}"'
            yield from block
            block = []
    yield from block


def _settings(rule: Rule) -> Iterator[str]:
    """Yield how the thresholds of a rule are set."""
    yield ""
    yield "## Settings"
    yield ""
    yield "The thresholds and their defaults, for `pyproject.toml`:"
    yield ""
    yield "```toml"
    yield f"[tool.trainlint.rules.{rule.name}]"
    for name, value in rule.thresholds.items():
        yield f"{name.replace('_', '-')} = {_toml(value)}"
    yield "```"


def _toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return f"[{', '.join(_toml(item) for item in items)}]"
    return str(value)


# The rest


def _formats() -> Iterator[str]:
    """Yield the page of the output formats."""
    yield "# Output formats"
    yield ""
    yield "`trainlint check --output-format FORMAT` writes what was found in one of these forms, and"
    yield "`--output-file PATH` into a file. The variables `TRAINLINT_OUTPUT_FORMAT` and"
    yield "`TRAINLINT_OUTPUT_FILE` do the same for all runs of a job."
    yield ""
    yield "| format | is | also takes |"
    yield "| --- | --- | --- |"
    for form in FORMATS.values():
        usual = " (the default)" if form.name == DEFAULT else ""
        options = {"`--statistics`": form.statistics, "`--show-unresolved`": form.unresolved}
        taken = "<br>".join(option for option, takes in options.items() if takes)
        yield f"| `{form.name}` | {form.summary}{usual} | {taken} |"
    yield ""
    yield "What could not be linted (a file that does not parse, a path that is not there) is told in every"
    yield "format, and makes the exit code 2."
    yield ""
    for name in ("json", "json-lines"):
        yield f"## {name}"
        yield ""
        yield f"::: trainlint.output.{FORMATS[name].module}"
        yield "    options: { members: false }"
        yield ""
    yield "## Links to this site"
    yield ""
    yield f"Where the variable `{VARIABLE}` holds the address at which this site is published, diagnoses,"
    yield "SARIF and reviewdog's JSON link to the page of their rule."


def _examples(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the page that lists the examples."""
    yield "# Examples"
    yield ""
    yield "Scripts that run; the broken ones end without an error and without having learned."
    yield ""
    for path in paths:
        yield f"- [{path.name}]({path.stem}.md): {_docstring(path).partition(chr(10))[0]}"


def _example(path: Path) -> str:
    """Return the page of an example."""
    code = path.read_text(encoding="utf-8").rstrip("\n")
    return f"# {path.name}\n\n```python\n{code}\n```\n"


def _docstring(path: Path) -> str:
    """Return the docstring of a script."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.name


def _api() -> Iterator[tuple[str, str]]:
    """Yield the pages of the API: what a training calls, and what a rule needs."""
    package = Path(ROOT, "trainlint")
    core, frameworks = (_modules(package / name) for name in ("core", "integrations"))
    watching = [f"trainlint.integrations.{one.stem}" for one in frameworks]
    watching.append("trainlint.runtime.signals")
    index = [
        "# API",
        "",
        "## For a training",
        "",
        "- [trainlint](trainlint.md): watch a training, probe a model, find a learning rate",
        *(_listed(name) for name in watching),
        "",
        "## For a rule of your own",
        "",
        "[Contributing](../contributing.md) shows one.",
        "",
        "- [The model of a file](model.md), which a rule asks in the language of training",
        *(_listed(f"trainlint.core.{one.stem}") for one in core),
    ]
    yield "api/index.md", "\n".join(index)
    names = sorted(trainlint.__all__, key=lambda name: (name != "watch", name.swapcase()))
    public = (
        f"::: {trainlint._PLACES[name]}.{name}\n"  # noqa: SLF001 - the one place that tells
        "    options: { show_root_heading: true, show_root_toc_entry: true }\n"
        for name in names
    )
    yield "api/trainlint.md", "# trainlint\n\n" + "\n".join(public)
    for name in watching:
        yield _api_page(name), f"# {name}\n\n::: {name}\n"
    yield (
        "api/model.md",
        "# The model of a file\n\n::: trainlint.static.model\n    options: { members: false }\n",
    )
    for one in core:
        name = f"trainlint.core.{one.stem}"
        yield _api_page(name), f"# {name}\n\n::: {name}\n"


def _modules(folder: Path) -> list[Path]:
    """Return the modules of a package, without what makes it one."""
    return [one for one in sorted(folder.glob("*.py")) if one.stem != "__init__"]


def _api_page(name: str) -> str:
    """Return where the page of a module is."""
    return f"api/{name.removeprefix('trainlint.').removeprefix('core.').replace('.', '-')}.md"


def _listed(name: str) -> str:
    """Return the line of a module in the index of the API."""
    about = _docstring(Path(ROOT, *name.split(".")).with_suffix(".py")).partition("\n")[0]
    return f"- [{name}]({posixpath.basename(_api_page(name))}): {about}"
