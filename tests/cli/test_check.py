"""What `trainlint check` takes, shows and returns."""

from __future__ import annotations

import json
import re

import pytest

from trainlint.output.formats import FORMATS

BOTH = ["train.py:9 TL301", "train.py:11 TL501"]
CLEAN = "import torch\n\nx = torch.zeros(3)\n"
# A comment that silences nothing is advice.
ADVICE = "import torch\n\nx = torch.zeros(3)  # trainlint: ignore[TL301]\n"


@pytest.mark.usefixtures("script")
def test_without_a_path_the_current_folder_is_linted(found):
    assert found() == BOTH


def test_a_file_and_a_folder_are_linted_once_each(script, folder, found):
    (folder / "deep" / "er").mkdir(parents=True)
    script.rename(folder / "deep" / "er" / "a.py")
    expected = ["deep/er/a.py:9 TL301", "deep/er/a.py:11 TL501"]
    assert found("deep/er/a.py") == expected
    assert found("deep") == expected
    assert found("deep", "deep/er/a.py", "./deep/er", str(folder / "deep")) == expected


def test_diagnoses_are_in_the_order_of_files_and_lines(script, folder, found):
    (folder / "a.py").write_text(script.read_text())
    assert found() == ["a.py:9 TL301", "a.py:11 TL501", *BOTH]


def test_a_clean_file_exits_with_0(folder, trainlint):
    (folder / "clean.py").write_text(CLEAN)
    assert trainlint("check") == (0, "All checks passed.\n", "")


@pytest.mark.usefixtures("script")
def test_diagnoses_exit_with_1(trainlint):
    assert trainlint("check").code == 1


@pytest.mark.usefixtures("script")
def test_exit_zero_hides_the_diagnoses_from_the_exit_code_only(trainlint):
    done = trainlint("check", "--exit-zero", "--output-format", "concise")
    assert done.code == 0
    assert done.out.count(": error TL") == 2


@pytest.mark.usefixtures("script")
def test_exit_zero_does_not_hide_what_could_not_be_linted(folder, trainlint):
    (folder / "broken.py").write_text("def f(:\n")
    assert trainlint("check", "--exit-zero").code == 2


def test_advice_is_silent_unless_it_is_selected_and_counts_when_it_is(folder, trainlint):
    (folder / "advice.py").write_text(ADVICE)
    assert trainlint("check").code == 0
    for selector in ("unused-suppression", "TL001", "TL0", "lint", "advice", "ALL"):
        done = trainlint("check", "--extend-select", selector, "--output-format", "concise")
        assert done.code == 1, selector
        assert "advice TL001 [*] unused-suppression" in done.out
    assert trainlint("check", "--select", "ALL", "--exit-zero").code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "softmax-before-cross-entropy"], BOTH[:1]),
        (["--select", "TL501"], BOTH[1:]),
        (["--select", "tl501"], BOTH[1:]),
        (["--select", "TL3"], BOTH[:1]),
        (["--select", "TL"], BOTH),
        (["--select", "loop"], BOTH[1:]),
        (["--select", "error"], BOTH),
        (["--select", "warning"], []),
        (["--select", "ALL"], BOTH),
        (["--select", "TL301,TL501"], BOTH),
        (["--select", "TL301", "--select", "TL501"], BOTH),
        (["--select", "TL301", "--extend-select", "missing-zero-grad"], BOTH),
        (["--ignore", "TL301"], BOTH[1:]),
        (["--ignore", "loss,loop"], []),
        (["--ignore", "ALL"], []),
        (["--select", "ALL", "--ignore", "TL3"], BOTH[1:]),
        (["--select", "TL301", "--ignore", "loss"], BOTH[:1]),
        (["--select", "TL301", "--ignore", "TL301"], []),
        (["--select", "TL3", "--ignore", "TL301"], []),
    ],
)
@pytest.mark.usefixtures("script")
def test_a_selector_is_a_name_a_code_a_prefix_a_family_a_severity_or_all(
    found, arguments, expected
):
    assert found(*arguments) == expected


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("softmax-before-crossentropy", "; did you mean `softmax-before-cross-entropy`?"),
        ("T001", "; did you mean `TL001`?"),
        ("lop", "; did you mean `loop`?"),
        ("all", "; did you mean `ALL`?"),
        ("zzzzzz", ""),
        ("L301", "; did you mean `TL301`?"),
        ("301", None),
    ],
)
@pytest.mark.parametrize("option", ["select", "ignore", "extend-select"])
@pytest.mark.usefixtures("script")
def test_an_unknown_selector_is_one_line_with_the_nearest_name(trainlint, option, selector, hint):
    done = trainlint("check", f"--{option}", selector)
    assert (done.code, done.out) == (2, "")
    start = f"error: command line: {option}: no rule or group of rules is called `{selector}`"
    assert done.err.startswith(start)
    assert done.err.count("\n") == 1
    if hint is not None:
        assert done.err == f"{start}{hint}\n"


@pytest.mark.usefixtures("script")
def test_an_empty_selector_is_refused_instead_of_turning_every_rule_off(trainlint):
    done = trainlint("check", "--select", "")
    assert done == (2, "", "error: --select: expects at least one rule or group of rules\n")


def test_standard_input_is_linted_under_the_name_that_is_given(script, found):
    data = script.read_bytes()
    assert found("-", stdin=data) == ["-:9 TL301", "-:11 TL501"]
    name = "src/model.py"
    expected = [f"{name}:9 TL301", f"{name}:11 TL501"]
    assert found("-", "--stdin-filename", name, stdin=data) == expected


def test_the_name_of_standard_input_finds_the_configuration(script, folder, found):
    (folder / "src").mkdir()
    (folder / "src" / "trainlint.toml").write_text('ignore = ["TL301"]\n')
    name = "src/model.py"
    data = script.read_bytes()
    assert found("-", "--stdin-filename", name, stdin=data) == [f"{name}:11 TL501"]


@pytest.mark.usefixtures("script")
def test_standard_input_stands_alone(trainlint):
    done = trainlint("check", "-", "train.py")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "`-` stands alone" in done.err


def test_broken_standard_input_is_one_line(trainlint):
    done = trainlint("check", "-", "-q", stdin=b"import torch\ndef f(:\n")
    assert done == (2, "", "error: -:2: syntax error: invalid syntax\n")


def test_empty_standard_input_is_clean(trainlint):
    assert trainlint("check", "-") == (0, "All checks passed.\n", "")


@pytest.mark.usefixtures("script")
def test_an_output_file_takes_what_the_screen_would_show(folder, trainlint):
    shown = trainlint("check").out
    done = trainlint("check", "-o", "report.txt", "--color", "auto")
    assert done == (1, "", "")
    assert (folder / "report.txt").read_text() == shown
    trainlint("check", "--output-file", "report.json", "--output-format", "json")
    assert len(json.loads((folder / "report.json").read_text())["diagnoses"]) == 2


@pytest.mark.usefixtures("script")
def test_an_output_file_that_cannot_be_written_is_one_line(trainlint):
    done = trainlint("check", "-o", "train.py/report.txt")
    message = "error: train.py/report.txt: cannot be written: File exists\n"
    assert done == (2, "", message)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.usefixtures("script")
def test_every_format_goes_to_a_file_whose_folder_is_made(folder, trainlint, form):
    (folder / "broken.py").write_text("def f(:\n")
    shown = trainlint("check", "--output-format", form)
    done = trainlint("check", "--output-format", form, "-o", f"reports/{form}/out")
    assert (done.code, done.out, done.err) == (2, "", shown.err)
    written = (folder / "reports" / form / "out").read_text()
    # On the screen the texts for people leave failures to the error output.
    assert written.replace("error: broken.py:1: syntax error: invalid syntax\n", "") == shown.out
    assert "syntax error: invalid syntax" in written


@pytest.mark.parametrize("name", ["train.py", "./link.py", "trainlint.toml"])
def test_an_output_file_is_not_written_over_what_is_read(script, folder, trainlint, name):
    (folder / "trainlint.toml").write_text("")
    (folder / "link.py").symlink_to(script)
    before = script.read_text()
    done = trainlint("check", "-o", name)
    message = f"error: {name}: is read, so the output cannot be written over it\n"
    assert done == (2, "", message)
    assert script.read_text() == before
    done = trainlint("check", "-", "--stdin-filename", "train.py", "-o", "train.py")
    assert done.code == 2
    assert script.read_text() == before


@pytest.mark.usefixtures("script")
def test_the_environment_names_the_format_and_the_file(folder, trainlint, monkeypatch):
    concise = trainlint("check", "--output-format", "concise").out
    monkeypatch.setenv("TRAINLINT_OUTPUT_FORMAT", "concise")
    assert trainlint("check").out == concise
    assert json.loads(trainlint("check", "--output-format", "json").out)["version"] == 1
    monkeypatch.setenv("TRAINLINT_OUTPUT_FILE", "report.txt")
    assert trainlint("check") == (1, "", "")
    assert (folder / "report.txt").read_text() == concise
    assert trainlint("check", "-o", "other.txt").out == ""
    assert (folder / "other.txt").read_text() == concise
    monkeypatch.setenv("TRAINLINT_OUTPUT_FILE", "")
    monkeypatch.setenv("TRAINLINT_OUTPUT_FORMAT", "")
    assert trainlint("check").out.startswith("train.py:9:16: error TL301")


@pytest.mark.usefixtures("script")
def test_a_wrong_format_in_the_environment_is_one_line_that_names_the_variable(
    trainlint, monkeypatch
):
    monkeypatch.setenv("TRAINLINT_OUTPUT_FORMAT", "xml")
    done = trainlint("check")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "TRAINLINT_OUTPUT_FORMAT" in done.err
    assert "'xml'" in done.err


@pytest.mark.usefixtures("script")
def test_diagnoses_link_to_the_site_where_its_address_is_known(trainlint, monkeypatch):
    monkeypatch.setenv("TRAINLINT_SITE", "https://lint.example")
    shown = trainlint("check", "--select", "TL301").out
    assert "read more: https://lint.example/rules/loss/softmax-before-cross-entropy/\n" in shown
    monkeypatch.setenv("TRAINLINT_SITE", "lint.example")
    message = (
        "error: TRAINLINT_SITE: expects an address that begins with https://, not `lint.example`\n"
    )
    assert trainlint("check") == (2, "", message)


def test_statistics_count_each_rule_the_most_frequent_first(script, folder, trainlint):
    (folder / "more.py").write_text(script.read_text().replace("cross_entropy", "mse_loss"))
    done = trainlint("check", "--statistics", "--select", "TL301,TL501")
    assert done.code == 1
    assert done.out.splitlines() == [
        "2  TL501  error  missing-zero-grad",
        "1  TL301  error  softmax-before-cross-entropy",
        "Found 3 diagnoses (3 errors) in 2 files.",
        "3 unsafe fixes available with `--fix --unsafe-fixes`.",
    ]


@pytest.mark.usefixtures("script")
def test_statistics_have_a_json_form_and_no_github_form(trainlint):
    done = trainlint("check", "--statistics", "--output-format", "json", "--select", "TL301")
    row = {"rule": "softmax-before-cross-entropy", "code": "TL301", "severity": "error", "count": 1}
    assert json.loads(done.out) == {"version": 1, "statistics": [row]}
    done = trainlint("check", "--statistics", "--output-format", "github")
    assert done == (2, "", "error: --statistics has no github format\n")
    done = trainlint("check", "--show-unresolved", "--output-format", "sarif")
    assert done == (2, "", "error: --show-unresolved has no sarif format\n")


@pytest.mark.usefixtures("folder")
def test_quiet_leaves_out_the_summary(script, trainlint):
    assert "Found 2 diagnoses" not in trainlint("check", "--quiet").out
    script.write_text(CLEAN)
    assert trainlint("check", "-q") == (0, "", "")


@pytest.mark.usefixtures("script")
def test_verbose_tells_on_the_error_output_what_was_read(folder, trainlint):
    (folder / "trainlint.toml").write_text("")
    done = trainlint("check", "--verbose", "--select", "TL301,TL501")
    assert f"configuration: {folder / 'trainlint.toml'}\n" in done.err
    assert "rules on: 2\n" in done.err
    assert re.search(r"^files: 1 in \d+\.\d\d s$", done.err, re.MULTILINE)
    assert re.search(r"^not followed: \d+ expressions? ", done.err, re.MULTILINE)
    assert done.out == trainlint("check", "--select", "TL301,TL501").out


@pytest.mark.usefixtures("script")
def test_quiet_and_verbose_exclude_each_other(trainlint):
    done = trainlint("check", "-q", "-v")
    assert done == (2, "", "error: --quiet and --verbose exclude each other\n")


@pytest.mark.usefixtures("script")
def test_colours_are_as_asked_else_as_the_environment_says(trainlint, monkeypatch):
    def in_colours(*arguments):
        return "\x1b[" in trainlint("check", *arguments).out

    assert not in_colours()
    assert in_colours("--color", "always")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert in_colours()
    assert not in_colours("--color", "never")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not in_colours()
    assert in_colours("--color", "always")
    monkeypatch.setenv("NO_COLOR", "")
    assert in_colours()


@pytest.mark.usefixtures("script")
def test_machine_formats_have_no_colours(trainlint):
    for form in set(FORMATS) - {"full", "concise", "grouped"}:
        done = trainlint("check", "--output-format", form, "--color", "always")
        assert "\x1b" not in done.out


@pytest.mark.usefixtures("script")
def test_colours_change_nothing_but_the_colours(trainlint):
    plain = trainlint("check").out
    painted = trainlint("check", "--color", "always").out
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain


@pytest.mark.usefixtures("script")
def test_show_files_lists_what_would_be_linted_and_lints_nothing(folder, trainlint):
    (folder / "broken.py").write_text("def f(:\n")
    (folder / "notes.txt").write_text("")
    assert trainlint("check", "--show-files") == (0, "broken.py\ntrain.py\n", "")
    done = trainlint("check", "--show-files", "gone.py", "train.py")
    assert done == (2, "train.py\n", "error: gone.py: no such file or folder\n")
    assert trainlint("check", "--show-files", "-").out == "-\n"


@pytest.mark.usefixtures("script")
def test_show_unresolved_lists_what_could_not_be_followed(trainlint):
    done = trainlint("check", "--show-unresolved", "--output-format", "json")
    unresolved = json.loads(done.out)["unresolved"]
    assert "net(inputs)" in {one["expression"] for one in unresolved}
    assert "unresolved" not in trainlint("check", "--output-format", "concise").out
    shown = trainlint("check", "--show-unresolved", "--output-format", "concise").out.splitlines()
    assert [line for line in shown if "unresolved" in line] == [
        f"{one['path']}:{one['span']['line']}:{one['span']['column']}: unresolved"
        f" `{one['expression']}`: {one['reason']}"
        for one in unresolved
    ]


@pytest.mark.usefixtures("folder")
def test_a_folder_without_python_is_said_and_clean(trainlint):
    done = trainlint("check")
    assert done.code == 0
    assert done.err == "warning: no Python files found under .\n"


def test_a_file_is_linted_whatever_its_name(script, folder, found):
    script.rename(folder / "train")
    assert found("train") == ["train:9 TL301", "train:11 TL501"]


@pytest.mark.usefixtures("script")
def test_a_missing_path_is_said_and_the_others_are_linted(trainlint):
    done = trainlint("check", "gone.py", "train.py", "gone", "", "-q")
    assert done.code == 2
    assert done.out.count("read more:") == 2
    assert done.err.splitlines() == [
        "error: gone.py: no such file or folder",
        "error: gone: no such file or folder",
        "error: '': no such file or folder",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output-format", "xml"], "'xml' is not one of"),
        (["--bogus"], "No such option"),
        (["--config", "no.toml"], "no.toml: cannot be read: No such file or directory"),
        (
            ["--config", "no.toml", "--isolated"],
            "--isolated and --config with a file exclude each other",
        ),
    ],
)
@pytest.mark.usefixtures("script")
def test_a_wrong_option_is_one_line(trainlint, arguments, message):
    done = trainlint("check", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_names_that_could_steer_a_terminal_are_shown_as_pictures(script, folder, trainlint):
    script.rename(folder / "a\x1b[31m\n.py")
    done = trainlint("check", "--output-format", "concise", "-q")
    assert done.out.count("\n") == 2
    assert "\x1b" not in done.out
    (folder / "b\x1b.py").write_text("def f(:\n")
    assert "\x1b" not in trainlint("check", "b\x1b.py").err
