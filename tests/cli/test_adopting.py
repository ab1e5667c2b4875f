"""An old project begins anew: `--add-noqa`, `--write-baseline`, `--baseline`, `--update-baseline`."""

from __future__ import annotations

import json

import pytest

BOTH = ["train.py:9 TL301", "train.py:11 TL501"]
SELECT = ("--select", "TL301,TL501")


def test_add_noqa_silences_what_is_found_and_shows_none_of_it(script, folder, trainlint):
    (folder / "b.py").write_text(script.read_text())
    before = script.read_text().splitlines()
    done = trainlint("check", "--add-noqa", *SELECT)
    assert done == (0, "Added 4 noqa comments in 2 files.\n", "")
    after = script.read_text().splitlines()
    assert [line for line in after if line not in before] == [
        "        loss = F.cross_entropy(outputs, targets)  # noqa: TL301",
        "        optimizer.step()  # noqa: TL501",
    ]
    assert trainlint("check", *SELECT) == (0, "All checks passed.\n", "")
    assert trainlint("check", "--add-noqa", *SELECT) == (0, "No noqa comment is needed.\n", "")
    assert trainlint("check", "--add-noqa", "-q", *SELECT) == (0, "", "")


def test_add_noqa_takes_a_reason_and_never_a_path_for_one(script, trainlint):
    select = (*SELECT, "train.py")
    script.write_text(script.read_text().replace("step()", "step()  # noqa: E501 too long"))
    before = script.read_text()
    done = trainlint("check", *SELECT, "--add-noqa=old code, see #12", "train.py")
    assert done == (0, "Added 2 noqa comments in 1 file.\n", "")
    after = script.read_text()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        "        loss = F.cross_entropy(outputs, targets)  # noqa: TL301 old code, see #12",
        "        optimizer.step()  # noqa: E501, TL501 too long",
    ]
    assert trainlint("check", *select).code == 0
    script.write_text(before)
    assert trainlint("check", *SELECT, "--add-noqa", "train.py").code == 0
    assert "# noqa: TL301\n" in script.read_text()


@pytest.mark.parametrize("reason", ["a\nb", "a\rb", "a\u2028b", "a\x00b"])
def test_a_reason_is_of_one_line(script, trainlint, reason):
    before = script.read_bytes()
    done = trainlint("check", f"--add-noqa={reason}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("error: --add-noqa: expects a reason of one line, not 'a")
    assert script.read_bytes() == before


def test_a_reason_that_the_encoding_of_a_file_lacks_changes_nothing(script, folder, trainlint):
    text = script.read_text()
    script.write_text(f"# coding: latin-1\n{text}")
    (folder / "other.py").write_text(text)
    done = trainlint("check", "--add-noqa=中", *SELECT)
    message = "error: train.py: is not changed: `latin-1` lacks a character of the reason\n"
    assert (done.code, done.err) == (2, message)
    assert done.out == "Added 2 noqa comments in 1 file.\n"
    assert script.read_text() == f"# coding: latin-1\n{text}"
    assert "# noqa: TL301 中" in (folder / "other.py").read_text(encoding="utf-8")


def test_add_noqa_goes_on_where_a_file_cannot_be_linted(script, folder, trainlint):
    (folder / "broken.py").write_text("def f(:\n")
    done = trainlint("check", "--add-noqa", *SELECT)
    assert done.code == 2
    assert done.err == "error: broken.py:1: syntax error: invalid syntax\n"
    assert done.out == "Added 2 noqa comments in 1 file.\n"
    assert "# noqa: TL301" in script.read_text()


def test_add_noqa_tells_what_could_not_be_written(script, trainlint):
    script.chmod(0o444)
    done = trainlint("check", "--add-noqa", *SELECT)
    message = "error: train.py: cannot be written: it is read-only\n"
    assert (done.code, done.err) == (2, message)


def test_add_noqa_tells_what_it_cannot_silence(script, trainlint):
    loss = "loss = F.cross_entropy(outputs, targets)"
    script.write_text(script.read_text().replace(loss, f'{loss}; text = """\n"""'))
    done = trainlint("check", "--add-noqa", *SELECT)
    assert done.code == 0
    assert done.err == "warning: train.py:9:16: no comment can silence TL301 here\n"
    assert done.out == "Added 1 noqa comment in 1 file.\n"


@pytest.mark.usefixtures("script")
def test_a_baseline_hides_what_was_there_and_shows_what_is_new(script, folder, trainlint, found):
    done = trainlint("check", "--write-baseline", "base.json", *SELECT)
    assert done == (0, "Wrote 2 diagnoses in 1 file to base.json.\n", "")
    counts = json.loads((folder / "base.json").read_text())["diagnoses"]["train.py"]
    assert counts == {
        "missing-zero-grad": {"optimizer.step()": 1},
        "softmax-before-cross-entropy": {"F.cross_entropy(outputs, targets)": 1},
    }
    known = ("--baseline", "base.json", *SELECT)
    assert trainlint("check", *known) == (0, "All checks passed.\n", "")
    # It survives edits around what it knows, and indentation.
    text = script.read_text()
    script.write_text("import os\n\n\n" + text.replace("    for inputs", "    for  inputs"))
    assert trainlint("check", *known).code == 0
    script.write_text(text + text.partition("\n")[2].replace("train(", "more("))
    assert len(found(*SELECT)) == 4
    assert found(*known) == ["train.py:19 TL301", "train.py:21 TL501"]
    assert trainlint("check", "--statistics", *known).out.splitlines()[0].startswith("1  TL")


def test_stale_entries_are_told_and_taken_out(script, folder, trainlint):
    trainlint("check", "--write-baseline", "base.json", *SELECT)
    before = (folder / "base.json").read_bytes()
    script.write_text(script.read_text().replace("optimizer.step()", "pass"))
    known = ("check", "--baseline", "base.json", *SELECT)
    done = trainlint(*known)
    assert done.code == 0
    assert done.err == (
        "warning: base.json: 1 diagnosis in 1 file no longer there;"
        " --update-baseline takes them out\n"
    )
    assert trainlint(*known, "-q") == (0, "", "")
    assert (folder / "base.json").read_bytes() == before
    done = trainlint(*known, "--update-baseline")
    assert done.err == "base.json: 1 diagnosis in 1 file taken out: no longer there\n"
    assert (done.code, done.out) == (0, "All checks passed.\n")
    assert "missing-zero-grad" not in (folder / "base.json").read_text()
    assert trainlint(*known, "--update-baseline") == (0, "All checks passed.\n", "")
    # What is new is not taken in.
    script.write_text(script.read_text().replace("pass", "optimizer.step()"))
    assert trainlint(*known, "--update-baseline").code == 1
    assert "missing-zero-grad" not in (folder / "base.json").read_text()


@pytest.mark.usefixtures("script")
def test_a_machine_reads_nothing_but_its_format_where_a_baseline_is_stale(folder, trainlint):
    entry = {"gone.py": {"missing-zero-grad": {"optimizer.step()": 3}}}
    (folder / "base.json").write_text(json.dumps({"version": 1, "diagnoses": entry}))
    done = trainlint("check", "--baseline", "base.json", "--output-format", "json", *SELECT)
    assert len(json.loads(done.out)["diagnoses"]) == 2
    assert done.err.startswith("warning: base.json: 3 diagnoses in 1 file no longer there")


def test_what_is_fixed_is_no_longer_in_the_baseline(folder, trainlint):
    (folder / "a.py").write_text("import torch\n\nx = 1  # trainlint: ignore[TL301]\ny = 1\n")
    select = ("--select", "TL001,TL301")
    trainlint("check", "--write-baseline", "base.json", *select)
    done = trainlint("check", "--fix", "--baseline", "base.json", "--update-baseline", *select)
    assert done.code == 0
    assert (folder / "a.py").read_text() == "import torch\n\nx = 1\ny = 1\n"
    assert json.loads((folder / "base.json").read_text())["diagnoses"] == {}


def test_a_baseline_holds_for_standard_input(script, trainlint):
    trainlint("check", "--write-baseline", "base.json", *SELECT)
    data = script.read_bytes()
    named = ("check", "-", "--stdin-filename", "train.py", "--baseline", "base.json", *SELECT)
    assert trainlint(*named, stdin=data).code == 0


def test_a_file_that_cannot_be_linted_keeps_what_is_known_of_it(script, folder, trainlint):
    trainlint("check", "--write-baseline", "base.json", *SELECT)
    before = (folder / "base.json").read_bytes()
    script.write_text("def f(:\n")
    done = trainlint("check", "--write-baseline", "base.json", *SELECT)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert (folder / "base.json").read_bytes() == before


@pytest.mark.usefixtures("script")
def test_a_baseline_is_made_in_a_folder_that_is_made_too(folder, trainlint):
    assert trainlint("check", "--write-baseline", "new/deep/base.json", *SELECT).code == 0
    assert trainlint("check", "--baseline", "new/deep/base.json", *SELECT).code == 0
    assert [path.name for path in (folder / "new" / "deep").iterdir()] == ["base.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add-noqa", "--fix"], "--add-noqa and --fix exclude each other"),
        (["--add-noqa", "--diff"], "--add-noqa and --diff exclude each other"),
        (["--add-noqa", "--statistics"], "--add-noqa and --statistics exclude each other"),
        (["--add-noqa", "--baseline", "b"], "--add-noqa and --baseline exclude each other"),
        (["--add-noqa", "-o", "x"], "--add-noqa and --output-file exclude each other"),
        (["--add-noqa", "-"], "--add-noqa needs files, not standard input"),
        (["--write-baseline", "b", "-"], "--write-baseline needs files, not standard input"),
        (
            ["--write-baseline", "b", "--baseline", "b"],
            "--write-baseline and --baseline exclude each other",
        ),
        (["--write-baseline", "b", "--diff"], "--write-baseline and --diff exclude each other"),
        (["--update-baseline"], "--update-baseline needs --baseline FILE"),
        (
            ["--update-baseline", "--baseline", "b", "--diff"],
            "--update-baseline and --diff exclude each other",
        ),
        (
            ["--baseline", "gone.json"],
            ("gone.json: cannot be read: No such file or directory; --write-baseline makes it"),
        ),
        (["--baseline", "train.py"], "train.py: is no baseline: it is no valid JSON: "),
        (["--write-baseline", "train.py"], "train.py: is no baseline: it is no valid JSON: "),
        (["--write-baseline", "."], ".: cannot be read: Is a directory"),
    ],
)
def test_a_wrong_wish_is_one_line_and_changes_nothing(
    script, folder, trainlint, arguments, message
):
    before = script.read_bytes()
    done = trainlint("check", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"error: {message}")
    assert script.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["train.py"]


@pytest.mark.usefixtures("script")
def test_a_report_is_not_written_over_the_baseline(folder, trainlint):
    trainlint("check", "--write-baseline", "base.json", *SELECT)
    before = (folder / "base.json").read_bytes()
    done = trainlint("check", "--baseline", "base.json", "-o", "base.json", *SELECT)
    assert done.code == 2
    assert (folder / "base.json").read_bytes() == before


@pytest.fixture
def known(script, folder, trainlint):
    """Return a folder with a script whose diagnoses are in a baseline that the configuration names."""
    (folder / "known").mkdir()
    trainlint("check", "--write-baseline", "known/base.json", *SELECT)
    (folder / "trainlint.toml").write_text('baseline = "known/base.json"\n')
    script.write_text(script.read_text() + script.read_text().partition("\n")[2])
    return folder


@pytest.mark.usefixtures("known")
def test_a_configured_baseline_hides_what_it_knows_unless_it_is_refused(found, monkeypatch):
    new = ["train.py:19 TL301", "train.py:21 TL501"]
    assert found(*SELECT) == new
    assert len(found(*SELECT, "--no-baseline")) == 4
    assert len(found(*SELECT, "--config", 'baseline = ""')) == 4
    assert len(found(*SELECT, "--isolated")) == 4
    # It lies beside its configuration, wherever the command runs.
    monkeypatch.chdir("known")
    assert found(*SELECT, "../train.py") == [f"../{one}" for one in new]


def test_the_baseline_that_is_named_comes_instead_of_the_configured_one(known, trainlint, found):
    done = trainlint("check", "--write-baseline", "all.json", *SELECT)
    assert done.out == "Wrote 4 diagnoses in 1 file to all.json.\n"
    assert found("--baseline", "all.json", *SELECT) == []
    (known / "known" / "base.json").unlink()
    assert found("--baseline", "all.json", *SELECT) == []
    done = trainlint("check")
    why = "known/base.json: cannot be read: No such file or directory; --write-baseline makes it"
    assert done == (2, "", f"error: {why}\n")
    assert trainlint("check", "--write-baseline", "known/base.json", *SELECT).code == 0
    assert found(*SELECT) == []


def test_each_file_has_the_baseline_of_its_configuration(known, script, found):
    for name in ("a", "b"):
        (known / name).mkdir()
        (known / name / "train.py").write_bytes(script.read_bytes())
    (known / "b" / "trainlint.toml").write_text('extend = "../trainlint.toml"\nbaseline = ""\n')
    base = known / "known" / "base.json"
    base.write_text(base.read_text().replace("train.py", "../a/train.py"))
    places = [one.rpartition(":")[0] for one in found(*SELECT)]
    assert [places.count(f"{name}train.py") for name in ("a/", "b/", "")] == [4, 4, 4]
    base.write_text(base.read_text().replace("../../a/", "../a/"))
    places = [one.rpartition(":")[0] for one in found(*SELECT)]
    assert [places.count(f"{name}train.py") for name in ("a/", "b/", "")] == [2, 4, 4]


def test_a_configured_baseline_is_updated_and_never_written_over(known, script, trainlint):
    base = known / "known" / "base.json"
    before = base.read_bytes()
    assert trainlint("check", "-o", "known/base.json").code == 2
    script.write_text("import torch\n")
    done = trainlint("check", *SELECT)
    assert done.err.startswith("warning: known/base.json: 2 diagnoses in 1 file no longer there;")
    assert base.read_bytes() == before
    done = trainlint("check", "--update-baseline", *SELECT)
    assert done.err == "known/base.json: 2 diagnoses in 1 file taken out: no longer there\n"
    assert base.read_bytes() != before
    assert trainlint("check", *SELECT) == (0, "All checks passed.\n", "")
    done = trainlint("check", "--no-baseline", "--baseline", "known/base.json")
    assert done == (2, "", "error: --baseline and --no-baseline exclude each other\n")


@pytest.mark.usefixtures("known")
def test_a_configured_baseline_holds_for_standard_input_and_what_is_silenced(script, trainlint):
    text = script.read_bytes()
    done = trainlint("check", "-", "--stdin-filename", "train.py", *SELECT, stdin=text)
    assert (done.code, done.out.count("train.py:")) == (1, 2)
    assert trainlint("check", "--add-noqa", *SELECT).out == "Added 2 noqa comments in 1 file.\n"
    assert trainlint("check", *SELECT) == (0, "All checks passed.\n", "")
