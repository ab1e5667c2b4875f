"""What `[tool.trainlint]` may say, and how it is told when it says something else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BOTH = ["train.py:9 TL301", "train.py:11 TL501"]
DEEP = """\
from torch import nn

net = nn.Sequential(
    nn.Linear(8, 8), nn.Sigmoid(),
    nn.Linear(8, 8), nn.Sigmoid(),
    nn.Linear(8, 8), nn.Sigmoid(),
    nn.Linear(8, 8), nn.Sigmoid(),
    nn.Linear(8, 8), nn.Sigmoid(),
    nn.Linear(8, 1),
)
"""
"""Breaks saturating-deep-hidden unless its threshold `depth` is large."""


@pytest.fixture(params=["trainlint.toml", "pyproject.toml"])
def configure(request, folder):
    """Return a function that writes a configuration in one of its two places."""

    def write(text: str, below: str = ".") -> None:
        path = folder / below / request.param
        if request.param == "pyproject.toml":
            text = text.replace("[", "[tool.trainlint.") if text.startswith("[") else text
            text = f"[tool.trainlint]\n{text}".replace("\n[rules", "\n[tool.trainlint.rules")
        path.write_text(text)

    return write


@pytest.mark.usefixtures("script")
def test_select_replaces_the_usual_rules(configure, found):
    configure('select = ["loop"]\n')
    assert found() == BOTH[1:]


def test_ignore_and_extend_select_change_the_usual_rules(script, configure, found):
    script.write_text(script.read_text() + "# trainlint: ignore[nonsense]\n")
    configure('ignore = ["TL3"]\nextend-select = ["unused-suppression"]\n')
    assert found() == ["train.py:11 TL501", "train.py:12 TL001"]


@pytest.mark.usefixtures("script")
def test_the_command_line_comes_after_the_configuration(configure, found):
    configure('select = ["loop"]\n')
    assert found("--select", "loss") == BOTH[:1]
    assert found("--extend-select", "loss") == BOTH
    assert found("--ignore", "TL501") == []


def test_the_nearest_configuration_holds_alone(script, folder, configure, found):
    configure('ignore = ["TL301"]\n')
    (folder / "below").mkdir()
    script.rename(folder / "below" / "train.py")
    assert found("below") == ["below/train.py:11 TL501"]
    configure('ignore = ["TL501"]\n', "below")
    assert found("below") == ["below/train.py:9 TL301"]


def test_each_file_has_the_nearest_configuration(script, folder, configure, found):
    configure('ignore = ["TL301"]\n')
    for name in ("a", "b", "c/deep"):
        (folder / name).mkdir(parents=True)
        (folder / name / "train.py").write_text(script.read_text())
    configure('ignore = ["TL501"]\n', "a")
    configure("", "c")
    expected = [
        "a/train.py:9 TL301",
        "b/train.py:11 TL501",
        "c/deep/train.py:9 TL301",
        "c/deep/train.py:11 TL501",
        "train.py:11 TL501",
    ]
    assert found() == expected
    assert found("a", "b", "c/deep/train.py", "train.py") == expected
    assert found("b", "a") == [expected[1], expected[0]]
    # What comes from the command line is for all of them.
    assert found("--ignore", "TL501") == [expected[0], expected[2]]


def test_each_folder_excludes_what_its_own_configuration_says(script, folder, configure, found):
    for name in ("a/gen", "b/gen"):
        (folder / name).mkdir(parents=True)
        (folder / name / "train.py").write_text(script.read_text())
    script.unlink()
    configure('extend-exclude = ["gen"]\n')
    configure("", "b")
    assert {one.split(":")[0] for one in found()} == {"b/gen/train.py"}


def test_several_processes_give_each_file_its_own_settings(
    script, folder, configure, found, monkeypatch
):
    (folder / "a").mkdir()
    configure('ignore = ["TL501"]\n', "a")
    for number in range(130):
        (folder / "a" / f"{number}.py").write_text(script.read_text())
        (folder / f"{number}.py").write_text(script.read_text())
    one = found()
    assert sum(row.startswith("a/") for row in one) == 130
    assert len(one) == 130 + 2 * 131
    monkeypatch.setenv("TRAINLINT_JOBS", "2")
    assert found() == one


@pytest.mark.usefixtures("script")
def test_trainlint_toml_comes_before_pyproject_toml(folder, found):
    (folder / "pyproject.toml").write_text('[tool.trainlint]\nignore = ["TL301"]\n')
    (folder / "trainlint.toml").write_text('ignore = ["TL501"]\n')
    assert found() == BOTH[:1]


def test_a_pyproject_that_says_nothing_of_us_is_passed_over(script, folder, found):
    (folder / "trainlint.toml").write_text('ignore = ["TL301"]\n')
    (folder / "below").mkdir()
    script.rename(folder / "below" / "train.py")
    # Not even whether it is valid matters, unless it names us.
    for text in ('[project]\nname = "x"\n', 'dependencies = ["trainlint"]\n', "broken ="):
        (folder / "below" / "pyproject.toml").write_text(text)
        assert found("below") == ["below/train.py:11 TL501"]


@pytest.mark.usefixtures("script")
def test_the_configuration_may_be_named_or_left_out(folder, configure, found):
    configure('ignore = ["TL301"]\n')
    (folder / "other.toml").write_text('ignore = ["TL501"]\n')
    assert found("--config", "other.toml") == BOTH[:1]
    assert found("--isolated") == BOTH


def test_per_file_ignores_turn_rules_off_where_a_pattern_matches(script, folder, configure, found):
    (folder / "tests" / "deep").mkdir(parents=True)
    for path in ("tests/a.py", "tests/deep/b.py", "c.py"):
        (folder / path).write_text(script.read_text())
    script.unlink()
    all_of = {"c.py": [9, 11], "tests/a.py": [9, 11], "tests/deep/b.py": [9, 11]}

    def lines() -> dict[str, list[int]]:
        places = [one.split()[0].rpartition(":") for one in found()]
        return {path: [int(n) for at, _, n in places if at == path] for path, _, _ in places}

    assert lines() == all_of
    configure('per-file-ignores = {"tests/" = ["TL301"]}\n')
    assert lines() == {**all_of, "tests/a.py": [11], "tests/deep/b.py": [11]}
    configure('per-file-ignores = {"b.py" = ["loss"], "tests/*.py" = ["missing-zero-grad"]}\n')
    assert lines() == {**all_of, "tests/a.py": [9], "tests/deep/b.py": [11]}
    configure('per-file-ignores = {"!tests/" = ["ALL"]}\n')
    assert lines() == {path: all_of[path] for path in ("tests/a.py", "tests/deep/b.py")}


def test_patterns_are_relative_to_the_configuration_not_to_the_current_folder(
    script, folder, configure, found, monkeypatch
):
    (folder / "src").mkdir()
    script.rename(folder / "src" / "train.py")
    configure('per-file-ignores = {"src/train.py" = ["TL301"]}\n')
    monkeypatch.chdir(folder / "src")
    assert found() == BOTH[1:]
    assert found(os.path.join(os.pardir, "src", "train.py")) == ["../src/train.py:11 TL501"]
    configure('exclude = ["src"]\n')
    assert found(str(folder)) == []


def test_exclude_leaves_out_what_is_not_named(script, folder, configure, found):
    (folder / "generated").mkdir()
    script.rename(folder / "generated" / "train.py")
    configure('exclude = ["generated/"]\n')
    assert found() == []
    named = ["generated/train.py:9 TL301", "generated/train.py:11 TL501"]
    assert found("generated/train.py") == named


@pytest.mark.usefixtures("script")
def test_exclude_yields_to_no_ignore_file(folder, configure, found):
    (folder / ".gitignore").write_text("!train.py\n")
    configure('exclude = ["train.py"]\n')
    assert found() == []


def test_a_threshold_is_set_by_the_name_or_the_code_of_its_rule(folder, configure, found):
    (folder / "deep.py").write_text(DEEP)
    rule = "saturating-deep-hidden"
    assert found("--select", rule) != []
    configure(f"[rules.{rule}]\ndepth = 50\n")
    assert found("--select", rule) == []
    configure("[rules.TL205]\ndepth = 50\n")
    assert found("--select", rule) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["ALL"]', "no setting is called `selct`; did you mean `select`?"),
        ("zzz = 1", "no setting is called `zzz`"),
        ('select = "ALL"', "select: expects a list of texts, not `'ALL'`"),
        ("ignore = [1]", "ignore: expects a list of texts, not `[1]`"),
        ("exclude = true", "exclude: expects a list of texts, not `true`"),
        ("extend-select = 1.5", "extend-select: expects a list of texts, not `1.5`"),
        (
            'ignore = ["missing-zerograd"]',
            (
                "ignore: no rule or group of rules is called `missing-zerograd`;"
                " did you mean `missing-zero-grad`?"
            ),
        ),
        ("per-file-ignores = []", "per-file-ignores: expects a table, not `[]`"),
        (
            'per-file-ignores = {"a.py" = "ALL"}',
            "per-file-ignores.a.py: expects a list of texts, not `'ALL'`",
        ),
        (
            'per-file-ignores = {"a.py" = ["lop"]}',
            "per-file-ignores: no rule or group of rules is called `lop`; did you mean `loop`?",
        ),
        ("rules = 1", "rules: expects a table, not `1`"),
        ("rules = {TL205 = 1}", "rules.TL205: expects a table, not `1`"),
        ('rules = "x"', "rules: expects a table, not `'x'`"),
        (
            "target-torch = 2.6",
            "target-torch: expects a version as a text, such as '2.6', not `2.6`",
        ),
        (
            'target-torch = "2"',
            "target-torch: expects a version as a text, such as '2.6', not `'2'`",
        ),
        ("force-exclude = 1", "force-exclude: expects true or false, not `1`"),
        ("include-configs = 'no'", "include-configs: expects true or false, not `'no'`"),
        ("baseline = true", "baseline: expects the path of a file, not `true`"),
        ("base-line = 'x'", "no setting is called `base-line`; did you mean `baseline`?"),
        ("extend = 1", "extend: expects the path of a file, not `1`"),
        ("extend-exclude = 'a'", "extend-exclude: expects a list of texts, not `'a'`"),
        ("extend-per-file-ignores = 1", "extend-per-file-ignores: expects a table, not `1`"),
        ("severity = []", "severity: expects a table, not `[]`"),
        (
            "severity = {TL301 = 'eror'}",
            (
                "severity.TL301: expects one of `error`, `warning`, `advice`, not `'eror'`;"
                " did you mean `error`?"
            ),
        ),
        (
            "severity = {TL301 = 1}",
            "severity.TL301: expects one of `error`, `warning`, `advice`, not `1`",
        ),
        (
            "severity = {lop = 'error'}",
            "severity: no rule or group of rules is called `lop`; did you mean `loop`?",
        ),
        (
            "rules = {missing-zerograd = {}}",
            (
                "rules.missing-zerograd: no rule is called `missing-zerograd`;"
                " did you mean `missing-zero-grad`?"
            ),
        ),
        (
            "rules = {TL205 = {dept = 1}}",
            "rules.TL205: the rule has no threshold `dept` (it has `depth`); did you mean `depth`?",
        ),
        (
            "rules = {TL301 = {depth = 1}}",
            "rules.TL301: the rule has no threshold `depth` (it has none)",
        ),
        ("rules = {TL205 = {depth = 2.5}}", "rules.TL205.depth: expects an integer, not `2.5`"),
        ("rules = {TL205 = {depth = true}}", "rules.TL205.depth: expects an integer, not `true`"),
        ("rules = {TL103 = {gain = 'x'}}", "rules.TL103.gain: expects a number, not `'x'`"),
        ("rules = {TL206 = {weakest = 1}}", "rules.TL206.weakest: expects a text, not `1`"),
    ],
)
@pytest.mark.usefixtures("script")
def test_a_wrong_setting_is_one_line_that_says_where(folder, configure, trainlint, text, message):
    configure(f"{text}\n")
    done = trainlint("check")
    assert (done.code, done.out) == (2, "")
    path = next(folder.glob("*.toml"))
    assert done.err == f"error: {path}: {message}\n"


@pytest.mark.usefixtures("script")
def test_broken_toml_is_one_line_with_its_place(configure, trainlint):
    configure("select = [\n")
    done = trainlint("check")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "is no valid TOML" in done.err
    assert "line" in done.err or "end of document" in done.err


@pytest.mark.usefixtures("script")
def test_a_configuration_in_another_encoding_is_one_line(folder, trainlint):
    (folder / "trainlint.toml").write_bytes(b'exclude = ["\xff"]\n')
    done = trainlint("check")
    assert done == (2, "", f"error: {folder / 'trainlint.toml'}: is not UTF-8\n")


@pytest.mark.usefixtures("script")
def test_a_configuration_that_cannot_be_read_is_one_line(folder, trainlint):
    os.symlink("trainlint.toml", folder / "trainlint.toml")
    done = trainlint("check")
    path = folder / "trainlint.toml"
    reason = "cannot be read: Too many levels of symbolic links"
    assert done == (2, "", f"error: {path}: {reason}\n")


@pytest.mark.usefixtures("script")
def test_a_whole_number_is_good_for_a_threshold_with_a_fraction(configure, trainlint):
    configure("rules = {TL103 = {gain = 2}}\n")
    assert trainlint("check").code == 1


@pytest.mark.usefixtures("script")
def test_a_table_of_another_tool_may_not_stand_in_our_file(folder, trainlint):
    (folder / "pyproject.toml").write_text("[tool]\ntrainlint = 1\n")
    done = trainlint("check")
    assert done.err == f"error: {folder / 'pyproject.toml'}: tool.trainlint: expects a table\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may read less")
def test_a_folder_that_nobody_may_look_into_keeps_no_other_file_from_being_linted(tmp_path):
    (tmp_path / "ok.py").write_text("import torch\n")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    for folder in (tmp_path, *tmp_path.parents[:2]):  # pytest's own folders, closed to others
        folder.chmod(0o755)

    def nobody(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            user=65534,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        readable = nobody("-c", "import trainlint.cli.main").returncode == 0
    except PermissionError:  # the interpreter itself lies where no other user may look
        readable = False
    if not readable:
        pytest.skip("no other user can read this installation")
    done = nobody("-m", "trainlint", "check", "--no-cache", "locked", "ok.py")
    assert done.returncode == 2
    assert done.stderr == "error: locked: cannot be read: Permission denied\n"
    assert done.stdout == "No diagnoses in 1 file; 1 file could not be linted.\n"
