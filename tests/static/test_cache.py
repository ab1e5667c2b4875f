"""The cache says what linting would say, and never more than that it saves time."""

from __future__ import annotations

import os
import sqlite3
from textwrap import dedent

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.cache import Cache
from trainlint.static.cache_folder import FOLDER, clean
from trainlint.static.engine import lint_files
from trainlint.static.project import Project

NET = """
    import torch.nn.functional as F
    from torch import nn
    class Net(nn.Module):
        def forward(self, x):
            return {value}
"""
TRAIN = """
    import torch
    from models import Net
    loss = torch.nn.CrossEntropyLoss()(Net()(x), y)
"""
SOFTMAX, LOGITS = "F.softmax(x, dim=1)", "x"


class Run:
    """A project in a folder, linted through its cache."""

    def __init__(self, catalogue, folder):
        self.catalogue = catalogue
        self.folder = folder
        self.linted = []
        self.select = ("loss",)

    def write(self, name, text):
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def lint(self):
        """Lint everything; keep which files were linted anew, return the diagnoses."""
        names = sorted(str(one.relative_to(self.folder)) for one in self.folder.rglob("*.py"))
        settings = resolve(self.catalogue, Config(), Selection("the test", select=self.select))
        self.linted = []

        def lint(paths, links):
            self.linted += paths
            return lint_files(paths, settings, among=names, links=links)

        reports = list(Cache(FOLDER).reports(names, settings, lint))
        assert [one.path for one in reports] == names
        return [one for report in reports for one in report.diagnoses], reports


@pytest.fixture
def run(catalogue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Run(catalogue, tmp_path)


def test_the_second_run_lints_nothing_and_says_the_same(run):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    first = run.lint()
    assert run.linted == ["models.py", "train.py"]
    assert [one.code for one in first[0]] == ["TL301"]
    assert run.lint() == first
    assert run.linted == []


def test_a_file_that_changed_is_linted_with_those_that_import_it(run):
    run.write("other.py", "import torch\n")
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    run.lint()
    run.write("models.py", NET.format(value=LOGITS))
    assert run.lint()[0] == []
    assert run.linted == ["models.py", "train.py"]
    run.write("models.py", NET.format(value=SOFTMAX))
    assert [one.path for one in run.lint()[0]] == ["train.py"]


def test_an_import_through_a_package_is_followed(run):
    run.write("nets/small.py", NET.format(value=LOGITS))
    run.write("nets/__init__.py", "from .small import *\n")
    run.write("train.py", TRAIN.replace("models", "nets"))
    assert run.lint()[0] == []
    run.write("nets/small.py", NET.format(value=SOFTMAX))
    assert [one.path for one in run.lint()[0]] == ["train.py"]


def test_a_caller_that_changed_makes_a_file_that_trains_be_linted_again(run):
    engine = """
        import torch
        def train(model, loader, criterion, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(torch.softmax(model(x), dim=1), y).backward()
                optimizer.step()
    """
    main = """
        import torch
        from engine import train
        train(net, loader, torch.nn.{loss}(), torch.optim.SGD(net.parameters(), 0.1))
    """
    run.write("engine.py", engine)
    run.write("main.py", main.format(loss="MSELoss"))
    assert run.lint()[0] == []
    run.write("main.py", main.format(loss="CrossEntropyLoss"))
    assert [one.path for one in run.lint()[0]] == ["engine.py"]


def test_a_caller_that_changed_makes_a_file_that_computes_a_loss_be_linted_again(run):
    objectives = """
        import torch.nn.functional as F
        def objective(outputs, targets):
            return F.cross_entropy(outputs, targets)
    """
    main = """
        from torch import nn
        from objectives import objective
        class Net(nn.Module):
            def forward(self, x):
                return {value}
        net = Net()
        loss = objective(net(x), y)
    """
    run.write("objectives.py", objectives)
    run.write("main.py", main.format(value="x"))
    assert run.lint()[0] == []
    run.write("main.py", main.format(value="x.softmax(1)"))
    assert [one.path for one in run.lint()[0]] == ["objectives.py"]
    assert run.linted == ["main.py", "objectives.py"]


def test_a_reader_that_changed_makes_the_file_of_the_class_be_linted_again(run):
    net = """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 2)
                self.spare = nn.Linear(8, 2)
            def forward(self, x):
                return self.head(x)
    """
    main = """
        from nets.net import Net
        print(Net(){read})
    """
    run.select = ("unused-layer",)
    run.write("nets/net.py", net)
    run.write("main.py", main.format(read=""))
    run.write("other.py", "import nets.net\n")
    assert [one.path for one in run.lint()[0]] == ["nets/net.py"]
    run.write("main.py", main.format(read=".spare"))
    assert run.lint()[0] == []
    assert run.linted == ["main.py", "nets/net.py"]


def test_of_a_package_the_file_whose_class_is_used_is_linted_again_and_no_other(run):
    run.write("nets/__init__.py", "from .small import Net\nfrom .large import Big\n")
    run.write("nets/small.py", NET.format(value=LOGITS))
    run.write("nets/large.py", NET.format(value=LOGITS).replace("Net", "Big"))
    run.write("train.py", TRAIN.replace("models", "nets"))
    run.lint()
    run.write("train.py", TRAIN.replace("models", "nets") + "    # more\n")
    run.lint()
    assert run.linted == ["train.py"]
    run.write("train.py", TRAIN.replace("models", "nets") + "    Net().spare\n")
    run.lint()
    # The class of the one is used there, the one of the other is not.
    assert run.linted == ["nets/small.py", "train.py"]


def test_a_new_file_that_an_import_now_leads_to_counts(run):
    run.write("train.py", TRAIN)
    assert run.lint()[0] == []
    run.write("models.py", NET.format(value=SOFTMAX))
    assert [one.path for one in run.lint()[0]] == ["train.py"]


def test_other_settings_have_other_reports(run):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    run.lint()
    run.select = ("loop",)
    assert run.lint()[0] == []
    run.select = ("loss",)
    assert len(run.lint()[0]) == 1
    assert run.linted == []


def test_a_file_that_cannot_be_linted_is_tried_again(run):
    run.write("bad.py", "import torch\ndef f(:\n")
    for _ in range(2):
        _, (report,) = run.lint()
        assert [one.line for one in report.failures] == [2]
        assert run.linted == ["bad.py"]


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_cache_is_thrown_away_silently(run, damage):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    first = run.lint()[0]
    (run.folder / FOLDER / "cache.sqlite").write_bytes(damage)
    assert run.lint()[0] == first
    assert run.lint()[0] == first
    assert run.linted == []


def test_a_report_that_makes_no_sense_is_linted_again(run):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    first = run.lint()[0]
    database = sqlite3.connect(run.folder / FOLDER / "cache.sqlite")
    with database:
        database.execute('UPDATE reports SET report = \'["made", "os.system", 1]\'')
    database.close()
    assert run.lint()[0] == first


@pytest.mark.parametrize(
    "links",
    ["{", "3", "[1, 2, 3]", "[{}, [], 3]", "[{}, [3], []]", '[{"a": "b"}, [], []]', "[[], [], []]"],
)
def test_ties_that_make_no_sense_are_looked_up_again(run, links):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    first = run.lint()[0]
    database = sqlite3.connect(run.folder / FOLDER / "cache.sqlite")
    with database:
        database.execute("UPDATE links SET links = ?", (links,))
    database.close()
    run.write("models.py", NET.format(value=LOGITS))
    assert run.lint()[0] == []
    run.write("models.py", NET.format(value=SOFTMAX))
    assert run.lint()[0] == first


def test_a_cache_that_another_process_has_locked_does_not_stop_the_run(run, monkeypatch):
    monkeypatch.setattr("trainlint.static.cache._PATIENCE", 0.05)
    run.write("train.py", "import torch\n")
    run.lint()
    other = sqlite3.connect(run.folder / FOLDER / "cache.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    run.write("train.py", "import torch  # changed\n")
    assert run.lint()[0] == []
    other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_does_not_stop_the_run(run):
    run.write("train.py", "import torch\n")
    run.folder.chmod(0o500)
    assert run.lint()[0] == []
    run.folder.chmod(0o700)


def test_a_file_in_the_place_of_the_folder_does_not_stop_the_run(run):
    run.write("train.py", "import torch\n")
    (run.folder / FOLDER).write_text("")
    assert run.lint()[0] == []


def test_the_folder_is_ignored_by_git_and_cleaned_as_a_whole(run):
    run.write("train.py", "import torch\n")
    run.lint()
    assert (run.folder / FOLDER / ".gitignore").read_text() == "*\n"
    assert (run.folder / FOLDER / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f59")
    foreign = run.folder / "sub" / FOLDER
    foreign.mkdir(parents=True)
    (foreign / "precious.txt").write_text("not ours")
    assert clean(str(run.folder)) == [str(run.folder / FOLDER)]
    assert not (run.folder / FOLDER).exists()
    assert (foreign / "precious.txt").exists()


def test_what_ties_files_to_each_other_is_looked_up_for_the_changed_file_alone(run, monkeypatch):
    run.write("models.py", NET.format(value=SOFTMAX))
    run.write("train.py", TRAIN)
    found, _ = run.lint()
    asked = []
    links = Project.links

    def counted(project, path):
        asked.append(os.path.basename(path))
        return links(project, path)

    monkeypatch.setattr(Project, "links", counted)
    run.write("train.py", TRAIN + "    # changed")
    assert run.lint()[0] == found
    assert asked == ["train.py"]
