"""The settings of a file are shown as TOML that does not change unless they do."""

from __future__ import annotations

import tomllib
from pathlib import Path

from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Severity
from trainlint.output.shown_settings import render

HOME = Path("/home/somebody")


def config(**said):
    """Return a configuration that selects two rules and excludes little."""
    selection = Selection("a test", ("large-batch", "TL301"))
    return Config(**{"home": str(HOME), "exclude": (), "selection": selection, **said})


def test_every_line_has_its_reason(catalogue):
    base = Config(home=str(HOME / "base"), extend_exclude=("/old",))
    said = config(
        base=base,
        extend_exclude=("gen", "b"),
        target_torch=(2, 4, 1),
        severity={"TL702": Severity.WARNING},
        thresholds={"large-batch": {"limit": 64}},
        per_file_ignores={"tests/": ("TL301",)},
        force_exclude=True,
        include_configs=True,
        baseline="/known.json",
    )
    shown = list(render("a.py", ["/x/b.toml", "/x/c.toml"], resolve(catalogue, said)))
    assert shown == [
        '# the settings of "a.py"',
        '# read from "/x/b.toml"',
        '# which extends "/x/c.toml"',
        "",
        'target-torch = "2.4.1"',
        'baseline = "/known.json"',
        "force-exclude = true",
        "include-configs = true",
        "",
        '# relative to "/home/somebody/base" and "/home/somebody"',
        "extend-exclude = [",
        '    "/old",  # "/home/somebody/base"',
        '    "gen",  # "/home/somebody"',
        '    "b",  # "/home/somebody"',
        "]",
        "",
        "select = [",
        '    "softmax-before-cross-entropy",  # TL301 error',
        '    "large-batch",  # TL702 warning',
        "]",
        "",
        "[per-file-ignores]",
        '# relative to "/home/somebody"',
        '"tests/" = ["softmax-before-cross-entropy"]',
        "",
        "[severity]",
        'large-batch = "warning"',
        "",
        "[rules.large-batch]",
        "limit = 64",
    ]


def test_texts_of_any_kind_are_toml(catalogue):
    patterns = ('"', "\\", "\t", "\x7f", "\x00", "é中😀", "\n#", "\udcff")
    shown = "\n".join(render("a\x1b.py", [], resolve(catalogue, config(extend_exclude=patterns))))
    assert tomllib.loads(shown)["extend-exclude"] == [*patterns[:-1], "\\udcff"]
    assert shown.startswith('# the settings of "a\\u001b.py"\n# no configuration file is read\n')


def test_what_turns_a_rule_off_in_a_file_is_seen_in_the_selection(catalogue):
    said = config(per_file_ignores={"tests/": ("TL301",)})
    settings = resolve(catalogue, said)
    for path, selected in (
        ("/home/somebody/tests/a.py", ["large-batch"]),
        ("/home/somebody/a.py", ["softmax-before-cross-entropy", "large-batch"]),
    ):
        assert tomllib.loads("\n".join(render(path, [], settings)))["select"] == selected
