"""`trainlint check` on configuration files: when they are named, and with `--include-configs`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ADAM = "_target_: torch.optim.Adam\nlr: 0.5\n"
FOUND = "conf/adam.yaml:2 TL402"


@pytest.fixture
def project(script):
    """Return the folder of a project with code, configurations and what is neither."""
    folder = script.parent
    files = {
        "conf/adam.yaml": ADAM,
        "conf/broken.yaml": "_target_: torch.optim.Adam\nlr: [",
        "conf/broken.json": '{"_target_": "torch.optim.Adam", "lr": 5',
        "conf/other.yaml": "name: x\nlr: 5\n",
        "conf/huge.json": json.dumps({"_target_": "torch.optim.Adam", "x": "x" * 1_000_000}),
        "ds.json": json.dumps({"_target_": "torch.optim.Adam", "lr": 0.4}),
        "package.json": json.dumps({"_target_": "torch.optim.Adam", "lr": 0.4}),
        "pyproject.toml": '[tool.trainlint]\nselect = ["TL402", "TL301"]\n',
        "sgd.toml": '_target_ = "torch.optim.Adam"\nlr = 0.3\n',
        ".gitignore": "ignored/\n",
        "ignored/adam.yaml": ADAM,
        "build/adam.yaml": ADAM,
    }
    (folder / ".git").mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("project")
def test_a_folder_is_searched_for_configurations_only_where_that_is_asked_for(found):
    assert found(".") == ["train.py:9 TL301"]
    expected = [FOUND, "ds.json:1 TL402", "sgd.toml:2 TL402", "train.py:9 TL301"]
    assert found(".", "--include-configs") == expected
    assert found("--include-configs", "conf") == [FOUND]
    left = found("--include-configs", "--extend-exclude", "conf,*.toml")
    assert left == ["ds.json:1 TL402", "train.py:9 TL301"]


def test_the_settings_of_each_folder_say_whether_it_is_searched_for_configurations(project, found):
    (project / "conf" / "trainlint.toml").write_text("include-configs = true\n")
    assert found(".", "--select", "TL402") == [FOUND]
    assert found(".", "--select", "TL402", "--no-include-configs") == []
    (project / "trainlint.toml").write_text("include-configs = true\n")
    (project / "conf" / "trainlint.toml").write_text("include-configs = false\n")
    assert found(".", "--select", "TL402") == ["ds.json:1 TL402", "sgd.toml:2 TL402"]
    (project / "conf" / "trainlint.toml").write_text('extend = "../trainlint.toml"\n')
    assert found(".", "--select", "TL402")[0] == FOUND


@pytest.mark.usefixtures("project")
def test_what_is_no_configuration_of_training_is_not_even_listed(trainlint):
    done = trainlint("check", "--include-configs", "--show-files")
    assert done == (0, "conf/adam.yaml\nds.json\nsgd.toml\ntrain.py\n", "")


@pytest.mark.usefixtures("project")
def test_a_named_file_is_linted_whatever_it_is(found, trainlint):
    assert found("conf/adam.yaml") == [FOUND]
    assert found("ds.json", "sgd.toml", "package.json", "conf/other.yaml", "pyproject.toml") == [
        "ds.json:1 TL402",
        "sgd.toml:2 TL402",
    ]
    for name, line in (
        ("conf/broken.yaml", "error: conf/broken.yaml:2: is no YAML: "),
        ("conf/broken.json", "error: conf/broken.json:1: is no JSON: "),
        ("conf/huge.json", "error: conf/huge.json: is over 1 MB and not linted"),
    ):
        done = trainlint("check", name)
        assert done.code == 2
        assert done.err.startswith(line)
        assert done.err.count("\n") == 1


def test_standard_input_is_a_configuration_by_its_name(found):
    arguments = ("--isolated", "-", "--stdin-filename")
    assert found(*arguments, "conf/adam.yaml", stdin=ADAM.encode()) == [FOUND]


@pytest.mark.usefixtures("project")
def test_formats_show_a_configuration_as_they_show_code(trainlint):
    done = trainlint("check", "conf/adam.yaml", "--output-format", "json")
    (one,) = json.loads(done.out)["diagnoses"]
    assert (one["path"], one["code"], one["span"]["line"]) == ("conf/adam.yaml", "TL402", 2)
    done = trainlint("check", "conf/adam.yaml", "--output-format", "full")
    assert "2 | lr: 0.5\n  |     ^^^ a rate of 0.5\n" in done.out
    done = trainlint("check", "conf/adam.yaml", "--output-format", "sarif")
    (result,) = json.loads(done.out)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2


def test_the_cache_gives_the_same_and_knows_when_a_configuration_has_changed(project, found):
    for number in range(9):
        (project / f"of_code_{number}.py").touch()
    arguments = (".", "--include-configs", "--select", "TL402")
    first = found(*arguments)
    assert (project / ".trainlint_cache").is_dir()
    assert found(*arguments) == first == [FOUND, "ds.json:1 TL402", "sgd.toml:2 TL402"]
    (project / "conf" / "adam.yaml").write_text(ADAM.replace("0.5", "1e-3"))
    assert found(*arguments) == first[1:]
    (project / "conf" / "other.yaml").write_text(ADAM)
    assert found(*arguments) == ["conf/other.yaml:2 TL402", *first[1:]]


def test_a_diff_is_shown_and_fixes_are_made(project, trainlint):
    text = "_target_: torch.optim.Adam\nlr: 1e-3\nbetas: [0.999, 0.9] # mine\n"
    (project / "a.yaml").write_text(text)
    arguments = ("check", "a.yaml", "--select", "TL404", "--unsafe-fixes")
    done = trainlint(*arguments, "--diff")
    assert done.code == 1
    assert "-betas: [0.999, 0.9] # mine\n+betas: [0.9, 0.999] # mine\n" in done.out
    assert (project / "a.yaml").read_text() == text
    assert trainlint(*arguments, "--fix").code == 0
    assert (project / "a.yaml").read_text() == text.replace("0.999, 0.9]", "0.9, 0.999]")


def test_add_noqa_writes_comments_where_the_language_has_them(project, trainlint):
    done = trainlint("check", "--add-noqa", "conf/adam.yaml", "sgd.toml", "ds.json")
    assert "Added 2 noqa comments in 2 files." in done.out
    assert done.err == "warning: ds.json:1:40: no comment can silence TL402 here\n"
    assert (project / "conf" / "adam.yaml").read_text() == ADAM.replace("0.5", "0.5  # noqa: TL402")
    assert (project / "sgd.toml").read_text().endswith("lr = 0.3  # noqa: TL402\n")
    assert json.loads((project / "ds.json").read_text())["lr"] == 0.4


WITHOUT_YAML = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "yaml":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "yaml" else found(name, *rest)
from trainlint.__main__ import main
main()
"""


def without_yaml(folder, *arguments):
    """Run the command in a process that has no PyYAML."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_YAML, "check", "-n", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_pyyaml_a_named_file_is_one_line_and_the_others_are_linted(project):
    install = "YAML is read with PyYAML: pip install 'trainlint[configs]'"
    done = without_yaml(project, "conf/adam.yaml", "ds.json", "sgd.toml", "--output-format=concise")
    assert done.returncode == 2
    assert done.stderr == f"error: conf/adam.yaml: {install}\n"
    assert [line.split(":")[0] for line in done.stdout.splitlines()[:2]] == ["ds.json", "sgd.toml"]


def test_without_pyyaml_a_folder_is_told_once_and_its_other_files_are_linted(project):
    (project / "conf" / "more.yaml").write_text(ADAM)
    done = without_yaml(project, ".", "--include-configs", "--output-format=concise")
    assert done.returncode == 2
    assert done.stderr.count("pip install 'trainlint[configs]'") == 1
    assert done.stderr.count("\n") == 1
    named = {line.split(":")[0] for line in done.stdout.splitlines()[:-1]}
    assert named >= {"ds.json", "sgd.toml", "train.py"}
    assert without_yaml(project, ".", "--output-format=concise").stderr == ""


def test_linting_code_reads_no_module_of_configurations(project):
    code = (
        "import sys\nfrom trainlint.cli.main import run\n"
        "assert run(['check', '-n', '--exit-zero', 'train.py', '-q']) == 0\n"
        "assert not {'yaml', 'trainlint.static.configs.config_file'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
