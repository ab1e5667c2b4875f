"""What the options say of settings: `--config`, `--isolated`, patterns, the target, `--show-settings`."""

from __future__ import annotations

import tomllib

import pytest

from trainlint.core.config_file import _KEYS

BOTH = ["train.py:9 TL301", "train.py:11 TL501"]
LOADS = "import torch\nstate = torch.load('a.pt')\n"


def refused(done):
    """Return the only line of a run that could not be done."""
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    return done.err.removeprefix("error: ").removesuffix("\n")


@pytest.mark.usefixtures("script")
def test_a_configuration_extends_others_in_a_chain(folder, found):
    (folder / "a").mkdir()
    (folder / "a" / "base.toml").write_text('extend = "deep/first.toml"\nignore = ["TL501"]\n')
    (folder / "a" / "deep").mkdir()
    (folder / "a" / "deep" / "first.toml").write_text('select = ["TL501", "TL301"]\n')
    (folder / "pyproject.toml").write_text('[tool.trainlint]\nextend = "a/base.toml"\n')
    assert found() == BOTH[:1]
    (folder / "pyproject.toml").write_text(
        '[tool.trainlint]\nextend = "a/base.toml"\nextend-select = ["TL501"]\n'
    )
    assert found() == BOTH
    (folder / "pyproject.toml").write_text(
        '[tool.trainlint]\nextend = "a/base.toml"\nselect = ["TL501"]\n'
    )
    assert found() == BOTH[1:]


def test_a_pyproject_may_be_extended_and_one_without_our_table_says_nothing(script, folder, found):
    (folder / "a").mkdir()
    script.rename(folder / "a" / "train.py")
    (folder / "a" / "trainlint.toml").write_text('extend = "../pyproject.toml"\n')
    (folder / "pyproject.toml").write_text('[tool.trainlint]\nignore = ["TL501"]\n')
    assert found() == ["a/train.py:9 TL301"]
    (folder / "pyproject.toml").write_text("[project]\n")
    assert len(found()) == 2


@pytest.mark.usefixtures("script")
def test_the_path_of_what_is_extended_may_name_a_home_or_a_variable(folder, found, monkeypatch):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "x.toml").write_text('ignore = ["TL501"]\n')
    monkeypatch.setenv("HOME", str(folder / "elsewhere"))
    monkeypatch.setenv("OF_US", str(folder / "elsewhere"))
    for path in ("~/x.toml", "$OF_US/x.toml", str(folder / "elsewhere" / "x.toml")):
        (folder / "trainlint.toml").write_text(f'extend = "{path}"\n')
        assert found() == BOTH[:1], path


def test_patterns_are_relative_to_the_file_in_which_they_stand(script, folder, found):
    for name in ("a/deep", "deep"):
        (folder / name).mkdir(parents=True)
        (folder / name / "train.py").write_text(script.read_text())
    script.unlink()
    (folder / "a" / "base.toml").write_text('extend-exclude = ["/deep"]\n')
    (folder / "trainlint.toml").write_text('extend = "a/base.toml"\n')
    assert {one.partition(":")[0] for one in found()} == {"deep/train.py"}


@pytest.mark.usefixtures("script")
def test_configurations_that_extend_each_other_are_one_line(folder, trainlint):
    (folder / "trainlint.toml").write_text('extend = "a.toml"\n')
    (folder / "a.toml").write_text('extend = "./b.toml"\n')
    (folder / "b.toml").write_text('extend = "../' + folder.name + '/a.toml"\n')
    ours, a, b = (str(folder / name) for name in ("trainlint.toml", "a.toml", "b.toml"))
    expected = f"{ours}: extend goes round in a circle: `{a}` extends `{b}` extends `{a}`"
    assert refused(trainlint("check")) == expected
    (folder / "trainlint.toml").write_text('extend = "trainlint.toml"\n')
    expected = f"{ours}: extend goes round in a circle: `{ours}` extends `{ours}`"
    assert refused(trainlint("check")) == expected


@pytest.mark.usefixtures("script")
def test_what_is_extended_must_be_there_and_right(folder, trainlint):
    (folder / "trainlint.toml").write_text('extend = "gone.toml"\n')
    gone, ours = folder / "gone.toml", folder / "trainlint.toml"
    reason = "cannot be read: No such file or directory"
    assert refused(trainlint("check")) == f"{ours}: extend: {gone}: {reason}"
    gone.write_text("selct = []\n")
    message = f"{gone}: no setting is called `selct`; did you mean `select`?"
    assert refused(trainlint("check")) == message


def test_a_named_configuration_is_for_all_files_and_relative_to_the_current_folder(
    script, folder, found
):
    (folder / "a").mkdir()
    (folder / "a" / "train.py").write_text(script.read_text())
    (folder / "a" / "trainlint.toml").write_text('select = ["loss"]\n')
    (folder / "conf").mkdir()
    (folder / "conf" / "x.toml").write_text(
        'ignore = ["TL301"]\nper-file-ignores = {"/a/*.py" = ["TL5"]}\n'
    )
    assert found("--config", "conf/x.toml") == BOTH[1:]


@pytest.mark.usefixtures("script")
def test_one_thing_may_be_set_over_all_configurations(folder, found):
    (folder / "trainlint.toml").write_text('ignore = ["TL301"]\n')
    assert found("--config", 'ignore=["TL501"]') == []
    assert found("--config", 'select = ["TL301"]') == BOTH[:1]
    assert found("--config", 'select = ["TL301"]', "--select", "TL5") == BOTH[1:]
    (folder / "x.toml").write_text('ignore = ["TL501"]\n')
    arguments = ("--config", "severity.TL301 = 'advice'", "--config", "x.toml")
    assert found(*arguments) == []
    assert found("--isolated", "--config", 'ignore = ["TL501"]') == BOTH[:1]


def test_a_threshold_may_be_set_on_the_command_line(folder, found):
    layers = "nn.Linear(8, 8), nn.Sigmoid(),\n" * 5
    (folder / "deep.py").write_text(f"from torch import nn\nnet = nn.Sequential(\n{layers})\n")
    select = ("--select", "saturating-deep-hidden")
    assert found(*select) != []
    assert found(*select, "--config", "rules.saturating-deep-hidden.depth = 50") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "gone.toml"], "gone.toml: cannot be read: No such file or directory"),
        (["--config", "a=gone.toml"], "a=gone.toml: cannot be read: No such file or directory"),
        (["--config", "."], ".: cannot be read: Is a directory"),
        (["--config", ""], "--config: expects a file or `key = value`, and is empty"),
        (
            ["--config", 'select=["TL301"'],
            '--config: is neither a file nor `key = value` as TOML writes it: `select=["TL301"`',
        ),
        (
            ["--config", "select=TL301"],
            "--config: is neither a file nor `key = value` as TOML writes it: `select=TL301`",
        ),
        (
            ["--config", "selct = []"],
            "--config: no setting is called `selct`; did you mean `select`?",
        ),
        (["--config", "extend = 'x.toml'"], "--config: `extend` can stand in a file only"),
        (
            ["--config", "rules.TL205.depth = 'x'"],
            "--config: rules.TL205.depth: expects an integer, not `'x'`",
        ),
        (
            ["--config", "a.toml", "--config", "b.toml"],
            "--config: one file can be named, not `a.toml` and `b.toml`",
        ),
        (["--per-file-ignores", "a.py"], "--per-file-ignores: expects PATTERN:RULE, not `a.py`"),
        (
            ["--extend-per-file-ignores", "a.py:"],
            "--extend-per-file-ignores: expects PATTERN:RULE, not `a.py:`",
        ),
        (
            ["--per-file-ignores", "a.py:lop"],
            (
                "command line: per-file-ignores: no rule or group of rules is called `lop`;"
                " did you mean `loop`?"
            ),
        ),
        (
            ["--target-torch", "new"],
            "--target-torch: expects a version as a text, such as '2.6', not `'new'`",
        ),
    ],
)
@pytest.mark.usefixtures("script")
def test_a_wrong_option_is_one_line(folder, trainlint, arguments, message):
    for name in ("a.toml", "b.toml"):
        (folder / name).write_text("")
    assert refused(trainlint("check", *arguments)) == message


VALUES = (
    "1",
    "nan",
    "true",
    "'x'",
    "''",
    "[]",
    "[1]",
    "['x']",
    "['TL301']",
    "['!', '', '/', '**', '[']",
    "{}",
    "{a = 1}",
    "{TL301 = []}",
    "{TL301 = {}}",
    "{'[' = ['ALL']}",
    "{TL205 = {depth = nan}}",
    "{TL206 = {weakest = 1979-05-27}}",
)


@pytest.mark.parametrize("key", [*_KEYS, "nonsense"])
def test_a_value_of_any_kind_is_taken_or_refused_in_one_line(folder, trainlint, key):
    (folder / "a.py").write_text("")
    refusals = 0
    for value in VALUES:
        (folder / "trainlint.toml").write_text(f"{key} = {value}\n")
        done = trainlint("check", "--show-settings", "a.py")
        if done.code == 0:
            tomllib.loads(done.out)
        else:
            assert "bug" not in refused(done), value
            refusals += 1
    assert 0 < refusals <= len(VALUES)


def test_rules_are_turned_off_in_some_files_on_the_command_line(script, folder, found):
    (folder / "b.py").write_text(script.read_text())
    (folder / "trainlint.toml").write_text('per-file-ignores = {"b.py" = ["TL501"]}\n')
    of_b = "b.py:9 TL301"
    assert found() == [of_b, *BOTH]
    # As in ruff: instead of the configured ones, or besides them.
    assert found("--per-file-ignores", "train.py:TL301,train.py:TL501") == [of_b, "b.py:11 TL501"]
    assert found("--extend-per-file-ignores", "train.py:TL301") == [of_b, BOTH[1]]


def test_files_are_left_out_on_the_command_line(script, folder, trainlint):
    for name in ("a/x.py", "b/x.py", "build/x.py"):
        (folder / name).parent.mkdir()
        (folder / name).write_text(script.read_text())
    (folder / "trainlint.toml").write_text('extend-exclude = ["b"]\n')

    def shown(*arguments):
        return trainlint("check", "--show-files", *arguments).out.split()

    assert shown() == ["a/x.py", "train.py"]
    assert shown("--exclude", "a,train.py") == ["build/x.py"]
    assert shown("--extend-exclude", "a", "--extend-exclude", "train.py") == []
    assert shown("b/x.py", "build/x.py") == ["b/x.py", "build/x.py"]
    assert shown("b/x.py", "build", "a", "--force-exclude") == ["a/x.py"]
    (folder / "trainlint.toml").write_text('extend-exclude = ["b"]\nforce-exclude = true\n')
    assert shown("b/x.py", "build", "a") == ["a/x.py"]
    assert shown("b/x.py", "--no-force-exclude") == ["b/x.py"]


def test_standard_input_is_left_out_too_where_that_is_forced(script, folder, trainlint):
    data = script.read_bytes()
    named = ("check", "-", "--stdin-filename", "build/x.py")
    assert trainlint(*named, stdin=data).code == 1
    done = trainlint(*named, "--force-exclude", stdin=data)
    assert done == (0, "All checks passed.\n", "")
    # An editor that writes back what it gets must get what it gave.
    done = trainlint(*named, "--force-exclude", "--fix", "--unsafe-fixes", stdin=data)
    assert done.out == script.read_text()
    assert not (folder / "build").exists()


def test_a_severity_is_shown_counted_and_decides_what_is_on(script, folder, trainlint):
    (folder / "trainlint.toml").write_text(
        'select = ["warning"]\n[severity]\nTL301 = "warning"\nmissing-zero-grad = "advice"\n'
    )
    done = trainlint("check", "--output-format", "concise")
    assert "train.py:9:16: warning TL301" in done.out
    assert "TL501" not in done.out
    assert "(1 warning)" in done.out
    script.write_text("import torch\n\nx = torch.zeros(3)  # trainlint: ignore[TL301]\n")
    (folder / "trainlint.toml").write_text("")
    assert trainlint("check").code == 0
    (folder / "trainlint.toml").write_text('[severity]\nunused-suppression = "error"\n')
    done = trainlint("check", "--output-format", "concise")
    assert done.code == 1
    assert "error TL001" in done.out


def test_the_rules_are_listed_with_the_severity_that_they_have_here(folder, trainlint):
    (folder / "trainlint.toml").write_text('[severity]\nlarge-batch = "warning"\n')
    rows = {row.split()[1]: row.split() for row in trainlint("rules").out.splitlines()}
    assert (rows["large-batch"][2], rows["large-batch"][-1]) == ("warning", "on")
    rows = {
        row.split()[1]: row.split() for row in trainlint("rules", "--isolated").out.splitlines()
    }
    assert (rows["large-batch"][2], rows["large-batch"][-1]) == ("advice", "off")


def test_the_target_is_a_setting_of_each_file(folder, found):
    for name in ("new.py", "old/old.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(LOADS)
    assert found() == []
    (folder / "old" / "trainlint.toml").write_text('target-torch = "2.5"\n')
    assert found() == ["old/old.py:2 TL712"]
    assert found("--target-torch", "2.4.1") == ["new.py:2 TL712", "old/old.py:2 TL712"]
    assert found("--target-torch", "2.10") == []


def test_the_settings_of_a_file_are_shown_as_toml(script, folder, trainlint):
    (folder / "a").mkdir()
    script.rename(folder / "a" / "train.py")
    (folder / "base.toml").write_text(
        'select = ["data"]\nextend-exclude = ["x"]\n[severity]\nTL702 = "error"\n'
    )
    (folder / "a" / "trainlint.toml").write_text(
        'extend = "../base.toml"\ntarget-torch = "2.5"\nextend-exclude = ["/é\\u007f\\"😀"]\n'
        'per-file-ignores = {"t*.py" = ["TL701"]}\n[rules.large-batch]\nlimit = 12\n'
    )
    done = trainlint("check", "--show-settings")
    assert (done.code, done.err) == (0, "")
    head = done.out.splitlines()[:3]
    assert head == [
        '# the settings of "a/train.py"',
        f'# read from "{folder / "a" / "trainlint.toml"}"',
        f'# which extends "{folder / "base.toml"}"',
    ]
    table = tomllib.loads(done.out)
    assert table["target-torch"] == "2.5"
    assert table["force-exclude"] is False
    assert ".git/" in table["exclude"]
    assert table["extend-exclude"] == ["x", '/é\x7f"😀']
    assert "large-batch" in table["select"]
    assert "augmentation-in-eval" not in table["select"]
    assert not {"missing-zero-grad", "softmax-before-cross-entropy"} & set(table["select"])
    assert table["severity"] == {"large-batch": "error"}
    assert table["rules"]["large-batch"] == {"limit": 12}
    assert table["per-file-ignores"] == {"t*.py": ["augmentation-in-eval"]}
    assert "target" not in str(table["rules"])
    assert trainlint("check", "--show-settings", "a/train.py").out == done.out
    # What is shown can be used: it gives the same rules and thresholds.
    (folder / "shown.toml").write_text(done.out)
    again = tomllib.loads(
        trainlint("check", "--show-settings", "a/train.py", "--config", "shown.toml").out
    )
    assert again == table


def test_the_settings_of_standard_input_and_of_nothing_are_shown(folder, trainlint):
    (folder / "pyproject.toml").write_text('[tool.trainlint]\nselect = ["TL301"]\n')
    table = tomllib.loads(trainlint("check", "-", "--show-settings").out)
    assert table["select"] == ["softmax-before-cross-entropy"]
    table = tomllib.loads(trainlint("check", "-", "--show-settings", "--isolated").out)
    assert len(table["select"]) > 50
    message = "no file to show the settings of under ."
    assert refused(trainlint("check", "--show-settings")) == message


@pytest.mark.usefixtures("script")
def test_verbose_names_every_configuration_that_is_read(folder, trainlint):
    (folder / "a").mkdir()
    (folder / "a" / "x.py").write_text("")
    (folder / "a" / "trainlint.toml").write_text('extend = "../base.toml"\nselect = ["TL301"]\n')
    (folder / "base.toml").write_text("")
    (folder / "trainlint.toml").write_text('select = ["TL3", "TL5"]\n')
    lines = trainlint("check", "--verbose").err.splitlines()
    read = [line.removeprefix("configuration: ") for line in lines if "configuration:" in line]
    assert set(read) == {
        str(folder / name) for name in ("trainlint.toml", "a/trainlint.toml", "base.toml")
    }
    (spread,) = (line for line in lines if line.startswith("rules on: "))
    assert spread.startswith("rules on: 1 to ")
