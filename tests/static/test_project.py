"""Files that are linted together answer for each other."""

from __future__ import annotations

import os
import re
from textwrap import dedent

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_file, lint_files
from trainlint.static.project import Located, Project
from trainlint.static.source import SourceFile
from trainlint.static.summary import Summary

NET = """
    import torch.nn.functional as F
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 4)

        def forward(self, x):
            return F.softmax(self.fc(x), dim=1)
"""
TRAIN = """
    {imported}
    import torch
    from torch import nn

    model = {name}()
    criterion = nn.CrossEntropyLoss()
    loss = criterion(model(x), y)
"""


@pytest.fixture
def lay(tmp_path, monkeypatch):
    """Return a function that writes files, goes to their folder, and returns their paths in order."""

    def write(**files):
        paths = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("/init", "/__init__")
            path = path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
            paths.append(str(path.relative_to(tmp_path)))
        monkeypatch.chdir(tmp_path)
        return sorted(paths)

    return write


@pytest.fixture
def spoken(catalogue):
    """Return a function that lints files together and gives path, line and code of each diagnosis."""

    def lint(paths, *rules):
        settings = resolve(catalogue, Config(), Selection("the test", select=rules or None))
        reports = list(lint_files(paths, settings))
        assert [one for report in reports for one in report.failures] == []
        return [
            (one.path, one.span.line, one.code) for report in reports for one in report.diagnoses
        ]

    return lint


SOFTMAX = "softmax-before-cross-entropy"


@pytest.mark.parametrize(
    ("imported", "name"),
    [
        ("from models import Net", "Net"),
        ("from models import Net as Classifier", "Classifier"),
        ("import models", "models.Net"),
        ("import models as zoo", "zoo.Net"),
        ("from models import *", "Net"),
        ("from models import (  # the network\n        Net,\n    )", "Net"),
    ],
)
def test_the_softmax_of_another_file_meets_the_loss(lay, spoken, imported, name):
    paths = lay(models=NET, train=TRAIN.format(imported=imported, name=name))
    assert [one[::2] for one in spoken(paths, SOFTMAX)] == [("train.py", "TL301")]


@pytest.mark.parametrize(
    ("imported", "name"),
    [
        ("from pkg import Net", "Net"),
        ("from pkg.nets import Net", "Net"),
        ("from pkg.nets.small import Net", "Net"),
        ("import pkg.nets.small", "pkg.nets.small.Net"),
        ("from pkg import nets", "nets.Net"),
        ("import pkg", "pkg.Net"),
    ],
)
def test_packages_and_what_they_re_export_are_followed(lay, spoken, imported, name):
    paths = lay(
        pkg__init="from .nets import Net\n",
        pkg__nets__init="from .small import *\n",
        pkg__nets__small=NET,
        scripts__train=TRAIN.format(imported=imported, name=name),
    )
    assert [one[0] for one in spoken(paths, SOFTMAX)] == ["scripts/train.py"]


@pytest.mark.parametrize(
    "imported", ["from .models import Net", "from . import models", "from ..pkg.models import Net"]
)
def test_relative_imports_are_followed(lay, spoken, imported):
    name = "models.Net" if imported.endswith("import models") else "Net"
    paths = lay(
        pkg__init="", pkg__models=NET, pkg__train=TRAIN.format(imported=imported, name=name)
    )
    assert [one[0] for one in spoken(paths, SOFTMAX)] == ["pkg/train.py"]


def test_a_name_of_torch_that_another_file_hands_on_is_torch_s(lay, spoken):
    paths = lay(
        common="from torch.nn import CrossEntropyLoss as Loss, Softmax\n",
        train="""
            import torch
            from common import Loss, Softmax
            criterion = Loss()
            loss = criterion(Softmax(dim=1)(x), y)
        """,
    )
    assert spoken(paths, SOFTMAX) == [("train.py", 5, "TL301")]


PARSER = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=10.0)
    args = parser.parse_args()
"""


@pytest.mark.parametrize(
    ("config", "imported", "read"),
    [
        ("LR = 10.0", "LR", "LR"),
        ("CONFIG = {'lr': 10.0}", "CONFIG", "CONFIG['lr']"),
        ("class Config:\n    lr = 10.0", "Config", "Config.lr"),
        ("def settings():\n    return {'lr': 10.0}", "settings", "settings()['lr']"),
        (PARSER, "args", "args.lr"),
    ],
)
def test_numbers_of_another_file_are_followed(lay, spoken, config, imported, read):
    paths = lay(
        config=config,
        train=f"""
            import torch
            from config import {imported}
            optimizer = torch.optim.SGD(net.parameters(), lr={read})
        """,
    )
    assert spoken(paths, "lr-out-of-range") == [("train.py", 4, "TL401")]


def test_what_callers_in_another_file_pass_is_followed_into_a_helper(lay, spoken):
    paths = lay(
        engine="""
            import torch

            def train(model, loader, criterion, optimizer):
                for inputs, targets in loader:
                    optimizer.zero_grad()
                    loss = criterion(model(inputs), targets)
                    loss.backward()
                    optimizer.step()
        """,
        main="""
            import torch
            from engine import train
            from models import Net
            model = Net()
            train(model, loader, torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1))
        """,
        models=NET,
    )
    assert spoken(paths, SOFTMAX) == [("engine.py", 7, "TL301")]


def test_what_callers_in_another_file_pass_to_a_function_with_a_loss_is_followed(lay, spoken):
    paths = lay(
        objectives="""
            import torch.nn.functional as F

            def objective(scores, labels, smoothing=0.1):
                return F.cross_entropy(scores, labels, label_smoothing=smoothing)
        """,
        main="""
            from models import Net
            from objectives import objective
            model = Net()
            for inputs, labels in loader:
                objective(model(inputs), labels).backward()
        """,
        models=NET,
    )
    assert spoken(paths, SOFTMAX) == [("objectives.py", 5, "TL301")]


def test_what_tests_pass_is_of_no_account(lay, spoken):
    paths = lay(
        engine="""
            import torch

            def fit(model, rate=0.1):
                optimizer = torch.optim.SGD(model.parameters(), lr=rate)
                optimizer.step()
        """,
        test_engine="import torch\nfrom engine import fit\nfit(model, rate=50)\n",
    )
    assert spoken(paths, "lr-out-of-range") == []


def test_a_helper_of_another_file_that_clears_and_steps_counts(lay, spoken):
    paths = lay(
        steps="""
            def clear_and_step(loss, optimizer):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        """,
        train="""
            import torch
            from steps import clear_and_step
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
            for epoch in range(9):
                for x, y in loader:
                    clear_and_step(net(x).sum(), optimizer)
                scheduler.step()
        """,
    )
    assert spoken(paths) == []


def test_a_set_epoch_and_a_scheduler_step_in_a_helper_count(lay, spoken):
    paths = lay(
        helpers="""
            def start_epoch(loader, epoch):
                loader.sampler.set_epoch(epoch)

            def end_epoch(scheduler):
                scheduler.step()
        """,
        train="""
            import torch
            from torch.utils.data import DataLoader
            from torch.utils.data.distributed import DistributedSampler
            from helpers import end_epoch, start_epoch
            loader = DataLoader(data, sampler=DistributedSampler(data))
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
            for epoch in range(9):
                start_epoch(loader, epoch)
                for x, y in loader:
                    optimizer.zero_grad()
                    net(x).sum().backward()
                    optimizer.step()
                end_epoch(scheduler)
        """,
    )
    assert spoken(paths, "sampler-without-set-epoch", "scheduler-never-stepped") == []


def test_a_class_that_inherits_from_another_file_is_a_module(lay, spoken):
    paths = lay(
        base="from torch import nn\nclass Base(nn.Module):\n    pass\n",
        net="""
            from torch import nn
            from base import Base
            class Net(Base):
                def __init__(self):
                    super().__init__()
                    self.layers = [nn.Linear(8, 8) for _ in range(4)]
                def forward(self, x):
                    for layer in self.layers:
                        x = layer(x)
                    return x
        """,
    )
    assert spoken(paths, "modules-in-plain-list") == [("net.py", 7, "TL601")]


def test_one_file_alone_is_judged_as_before(lay, spoken, catalogue):
    paths = lay(models=NET, train=TRAIN.format(imported="from models import Net", name="Net"))
    assert spoken(["train.py"], SOFTMAX) == []
    alone = lint_file(paths[1], resolve(catalogue, Config()))
    assert alone.diagnoses == []


@pytest.mark.parametrize(
    ("models", "why"),
    [
        ("from train import Net", "a cycle"),
        ("from models import Net", "an import of itself"),
        ("def f(:", "a syntax error"),
        ("from .models import *", "a star of itself"),
        ("from nowhere import Net", "a missing module"),
        ("\0", "no text"),
    ],
)
def test_cycles_and_broken_files_are_fine(lay, catalogue, models, why):
    paths = lay(models=models, train=TRAIN.format(imported="from models import Net", name="Net"))
    reports = list(lint_files(paths, resolve(catalogue, Config())))
    assert reports[1].diagnoses == [], why
    assert reports[1].failures == [], why


def test_a_diagnosis_shows_both_places(lay, catalogue):
    paths = lay(models=NET, train=TRAIN.format(imported="from models import Net", name="Net"))
    settings = resolve(catalogue, Config(), Selection("the test", select=(SOFTMAX,)))
    report = list(lint_files(paths, settings))[1]
    (diagnosis,) = report.diagnoses
    (related,) = diagnosis.related
    assert (related.path, related.span.line) == ("models.py", 11)
    assert report.others["models.py"][11].strip() == "return F.softmax(self.fc(x), dim=1)"
    assert diagnosis.fix is None, "a fix never edits another file"


def test_a_comment_silences_where_the_diagnosis_stands(lay, spoken):
    train = TRAIN.format(imported="from models import Net", name="Net")
    silent = train.replace("(model(x), y)", "(model(x), y)  # noqa: TL301")
    assert spoken(lay(models=NET, train=silent), SOFTMAX) == []


def test_several_processes_say_the_same_as_one(lay, spoken, monkeypatch):
    train = TRAIN.format(imported="from models import Net", name="Net")
    others = {f"other_{number}": "import torch\n" for number in range(250)}
    paths = lay(models=NET, train=train, **others)
    found = []
    for jobs in ("1", "2"):
        monkeypatch.setenv("TRAINLINT_JOBS", jobs)
        found.append(spoken(paths, SOFTMAX))
    assert found[0] == found[1] == [("train.py", 8, "TL301")]


def test_models_that_have_become_many_are_let_go_and_made_again(lay, spoken, monkeypatch):
    monkeypatch.setattr("trainlint.static.project._HELD", 0)
    train = TRAIN.format(imported="from models import Net", name="Net")
    paths = lay(models=NET, **{f"train_{number}": train for number in range(5)})
    assert len(spoken(paths, SOFTMAX)) == 5


def test_an_importer_is_opened_only_where_it_may_call_what_is_asked_for(lay, catalogue):
    helper = """
        import torch.nn.functional as F
        def objective(output, target):
            return F.cross_entropy(output, target)
        def other():
            pass
    """
    user = "import torch\nfrom helper import {0}\n{1}\n"
    paths = lay(
        helper=helper,
        caller=user.format("objective", "objective(a, b)"),
        test_caller=user.format("objective", "objective(a, b)"),
        whole=user.format("*", "other()"),
    )
    project = Project(paths)
    settings = resolve(catalogue, Config(), Selection("the test", select=(SOFTMAX,)))
    lint_file("helper.py", settings, project=project)
    held = [path for path in paths if project.source(path) is not None]
    project.close()
    assert "caller.py" in held
    assert not {"test_caller.py", "whole.py"}.intersection(held)


def test_a_file_is_found_where_python_would_find_it(lay):
    lay(pkg__init="", pkg__utils="", pkg__sub__init="", pkg__sub__a="", utils="", tool__utils="")
    files = ["pkg/__init__.py", "pkg/utils.py", "pkg/sub/__init__.py", "pkg/sub/a.py", "utils.py"]
    project = Project([*files, "tool/utils.py"])

    def located(imported, importer):
        found = project.locate(imported, importer)
        return None if found is None else (os.path.relpath(found.path), found.rest)

    assert located("utils.f", "pkg/sub/a.py") == ("utils.py", ("f",))
    assert located("utils.f", "tool/run.py") == ("tool/utils.py", ("f",))
    assert located("pkg.utils.f", "pkg/sub/a.py") == ("pkg/utils.py", ("f",))
    assert located("..utils.f", "pkg/sub/a.py") == ("pkg/utils.py", ("f",))
    assert located(".a", "pkg/sub/__init__.py") == ("pkg/sub/a.py", ())
    assert located("pkg", "utils.py") == ("pkg/__init__.py", ())
    assert located("torch.nn", "utils.py") is None


def test_a_summary_reads_imports_and_names_without_parsing():
    text = dedent("""
        import numpy as np, os.path
        from a.b import (c as d,  # one
                         e)
        from . import f
        from g import *
        if True:
            import h
        class K(d): pass
        async def run(lr=0.1): ...
        LIMIT: int = 3
        self.width = {"key": 1}
        width == 4
        def broken(
    """)
    summary = Summary(text)
    assert [tuple(one) for one in summary.imports] == [
        ("np", "numpy"),
        ("os", "os.path"),
        ("d", "a.b.c"),
        ("e", "a.b.e"),
        ("f", ".f"),
        ("*", "g.*"),
        ("h", "h"),
    ]
    assert summary.top == {"K": "class", "run": "def", "LIMIT": "value", "broken": "def"}
    assert {"K", "run", "lr", "LIMIT", "width", "key", "broken"} <= summary.names
    assert not summary.trains
    assert Located("a.py", ()) == ("a.py", ())


TOWER = """
    import torch
    from torch import nn

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 4)
            self.drop = nn.Dropout(0.2)

        def forward(self, x):
            return self.fc(self.drop(x))
"""
LAUNCH = """
    from torch.nn.parallel import DistributedDataParallel
    from steps import learn
    from towers import Tower

    net = DistributedDataParallel(Tower().to(rank), device_ids=[rank])
    for epoch in range(9):
        learn(net, loader, optimizer)
"""
LEARN = """
    def learn(wrapped, batches, optimizer):
        for x, y in batches:
            optimizer.zero_grad()
            loss = (wrapped{bare}(x) - y).square().mean()
            loss.backward()
            optimizer.step()
"""


@pytest.mark.parametrize(("bare", "expected"), [(".module", [("launch.py", 6)]), ("", [])])
def test_a_wrapper_is_followed_into_the_file_that_trains(lay, spoken, bare, expected):
    paths = lay(launch=LAUNCH, steps=LEARN.format(bare=bare), towers=TOWER)
    assert [one[:2] for one in spoken(paths, "ddp-module-bypassed")] == expected


def test_a_module_of_another_file_is_one(lay, spoken):
    paths = lay(
        run="""
            import torch
            from towers import Tower
            tower = Tower()
            y = tower.forward(x)
            tower.training = False
        """,
        towers=TOWER,
    )
    found = spoken(paths, "direct-forward-call", "mode-assigned-not-called")
    assert [one[:2] for one in found] == [("run.py", 5), ("run.py", 6)]


JUDGE = """
    import torch

    def judge(model, val_loader):
        {first}
        with torch.no_grad():
            return sum(model(x).sum() for x in ()) + rate(model, val_loader)

    def rate(model, val_loader):
        right = 0
        with torch.no_grad():
            for x, y in val_loader:
                right += (model(x).argmax(1) == y).sum().item()
        return right

    def clear(optimizer):
        optimizer.zero_grad()
"""


@pytest.mark.parametrize(
    ("first", "before", "expected"),
    [("pass", "", ["run.py"]), ("model.eval()", "", []), ("pass", "tower.eval()", [])],
)
def test_the_mode_is_looked_for_wherever_it_may_be_set(lay, spoken, first, before, expected):
    paths = lay(
        judging=JUDGE.format(first=first),
        run=f"""
            import torch
            from judging import judge
            from towers import Tower
            tower = Tower()
            optimizer = torch.optim.SGD(tower.parameters(), lr=0.1)
            for x, y in loader:
                optimizer.zero_grad()
                criterion(tower(x), y).backward()
                optimizer.step()
            {before}
            print(judge(tower, val_loader))
        """,
        towers=TOWER,
    )
    assert [one[0] for one in spoken(paths, "missing-eval-mode")] == expected


TRAINED_ELSEWHERE = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from nets import Net

    net = Net(16)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    train_loader = DataLoader(train_set, batch_size={batch}, shuffle=True)
    for x, y in train_loader:
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        {clip}
        optimizer.step()
"""
RECURRENT = """
    from torch import nn

    class Net(nn.Module):
        def __init__(self, width):
            super().__init__()
            {build}

        def forward(self, x):
            return self.rnn(x)[0]
"""


@pytest.mark.parametrize(
    ("build", "clip", "found"),
    [
        ("self.rnn = nn.GRU(8, width)", "pass", True),
        ("self.rnn = nn.GRU(8, width)", "tame(net)  # clips", True),
        ("self.rnn = nn.GRU(8, width)", "clip_all(net)", False),
        ("self.rnn = nn.GRU(8, width) if width else None; self.most = clip_of(width)", "", False),
        ("if width:\n                self.rnn = nn.GRU(8, width)", "pass", False),
        ("self.rnn = nn.Linear(8, width)", "pass", False),
    ],
)
def test_a_recurrent_network_of_another_file_is_clipped_where_it_is_trained(
    lay, spoken, build, clip, found
):
    train = TRAINED_ELSEWHERE.format(batch=32, clip=clip or "pass")
    paths = lay(nets=RECURRENT.format(build=build), train=train)
    expected = [("train.py", 15, "TL512")] if found else []
    assert spoken(paths, "recurrent-without-clipping") == expected


def test_a_helper_of_another_file_that_clips_counts(lay, spoken):
    train = TRAINED_ELSEWHERE.format(batch=32, clip="tame(net)") + "    from taming import tame\n"
    tame = "def tame(net):\n    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n"
    nets = RECURRENT.format(build="self.rnn = nn.LSTM(8, width)")
    paths = lay(nets=nets, train=train, taming=tame)
    assert spoken(paths, "recurrent-without-clipping") == []


@pytest.mark.parametrize(
    ("build", "batch", "found"),
    [
        ("self.rnn = make(width)", 2, True),
        ("self.rnn = nn.BatchNorm1d(width)", 4, True),
        ("self.rnn = nn.BatchNorm1d(width)", 64, False),
        ("self.rnn = nn.LayerNorm(width)", 2, False),
        ("if width > 99:\n                self.rnn = nn.BatchNorm1d(width)", 2, False),
        ("self.rnn = nn.BatchNorm1d(width); self.sync_bn = True", 2, False),
    ],
)
def test_batches_are_too_small_for_the_normalisation_of_another_file(
    lay, spoken, build, batch, found
):
    maker = (
        "\n    def make(width):\n        return nn.Sequential(nn.BatchNorm1d(width), nn.ReLU())\n"
    )
    train = TRAINED_ELSEWHERE.format(batch=batch, clip="pass")
    paths = lay(nets=RECURRENT.format(build=build) + maker, train=train)
    expected = [("train.py", 9, "TL604")] if found else []
    assert spoken(paths, "batchnorm-tiny-batch") == expected


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if isinstance(m, nn.Linear):\n        nn.init.normal_(m.weight, 0, 0.02)", True),
        ("if isinstance(m, nn.LayerNorm):\n        nn.init.ones_(m.weight)", False),
        ("m.register_forward_hook(print)", False),
    ],
)
def test_an_initialiser_of_another_file_throws_loaded_weights_away(lay, spoken, body, found):
    paths = lay(
        starts=f"from torch import nn\n\ndef start(m):\n    {body}\n",
        resume="""
            import torch
            from starts import start

            def resume(net):
                net.load_state_dict(torch.load("best.pt"))
                net.apply(start)
        """,
    )
    assert [one[0] for one in spoken(paths, "init-after-pretrained")] == ["resume.py"] * found


@pytest.mark.parametrize(
    ("passed", "found"),
    [
        ("device='cuda'", True),
        ("device=torch.device('cuda' if torch.cuda.is_available() else 'cpu')", True),
        ("device='cpu'", False),
        ("width=3", False),
    ],
)
def test_a_default_device_counts_until_another_file_passes_one(lay, spoken, passed, found):
    paths = lay(
        priors="""
            import torch
            from torch import nn

            class Prior(nn.Module):
                def __init__(self, width=8, device="cpu"):
                    super().__init__()
                    self.mean = nn.Parameter(torch.zeros(width)).to(device)

                def forward(self, x):
                    return x - self.mean
        """,
        main=f"import torch\nfrom priors import Prior\nprior = Prior({passed})\n",
    )
    expected = [("priors.py", 8, "TL602")] if found else []
    assert spoken(paths, "parameter-moved-at-creation") == expected


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ("self.mix = nn.Parameter(torch.ones(4))", True),
        ("self.mix = nn.Parameter(torch.ones(4), requires_grad=False)", False),
        ("self.mix = torch.ones(4)", False),
    ],
)
def test_a_module_with_nothing_but_a_parameter_has_weights(lay, spoken, weights, found):
    paths = lay(
        heads=f"""
            import torch
            from torch import nn

            class Head(nn.Module):
                def __init__(self):
                    super().__init__()
                    {weights}

                def forward(self, x):
                    return x * self.mix
        """,
        body="""
            from torch import nn
            from heads import Head

            class Body(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.heads = [Head() for _ in range(3)]

                def forward(self, x):
                    return sum(head(x) for head in self.heads)
        """,
    )
    assert [one[0] for one in spoken(paths, "modules-in-plain-list")] == ["body.py"] * found


@pytest.mark.parametrize(
    ("whole", "applied", "found"),
    [
        ("Probe(trunk)", "trunk.apply(start)", True),
        ("nn.Sequential(trunk, nn.Linear(8, 2))", "pass", True),
        ("Probe(trunk)", "trunk.apply(still)", False),
        ("Probe(trunk)", "trunk.apply(unknown)", False),
        ("Stubborn(trunk)", "pass", False),
        ("Copier(trunk)", "pass", False),
    ],
)
def test_a_frozen_trunk_is_set_with_the_module_that_it_is_given_to(
    lay, spoken, whole, applied, found
):
    paths = lay(
        nets="""
            from torch import nn

            def block(width):
                return nn.Sequential(nn.Linear(8, width), nn.BatchNorm1d(width), nn.ReLU())

            class Trunk(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.layers = nn.Sequential(block(8), block(8))

                def forward(self, x):
                    return self.layers(x)

            class Probe(nn.Module):
                def __init__(self, below):
                    super().__init__()
                    self.below = below
                    self.top = nn.Linear(8, 2)

                def forward(self, x):
                    return self.top(self.below(x))

            class Stubborn(Probe):
                def train(self, mode=True):
                    super().train(mode)
                    self.below.train(False)
                    return self

            class Copier(nn.Module):
                def __init__(self, model):
                    super().__init__()
                    self.top = nn.Linear(model.width, 2)

                def forward(self, x):
                    return self.top(x)

            def start(m):
                if isinstance(m, nn.Linear):
                    nn.init.zeros_(m.bias)

            def still(m):
                if isinstance(m, nn.BatchNorm1d):
                    m.eval()
        """,
        probe=f"""
            import torch
            from torch import nn
            from nets import Copier, Probe, Stubborn, Trunk, start, still

            trunk = Trunk()
            {applied}
            for p in trunk.parameters():
                p.requires_grad = False
            net = {whole}
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            net.train()
            for x, y in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x), y).backward()
                optimizer.step()
        """,
    )
    assert [one[0] for one in spoken(paths, "frozen-batchnorm-still-updates")] == (
        ["probe.py"] * found
    )


def test_a_file_that_is_forgotten_is_read_from_the_disk_again(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    project = Project([str(path)])
    source = project.read(str(path)).with_text("import b\n")
    project.replace(source)
    assert project.read(str(path)).text == "import b\n"
    assert [one.name for one in project.summary(str(path)).imports] == ["b"]
    path.write_text("import c\n")
    project.forget(str(path))
    assert project.read(str(path)).text == "import c\n"
    assert [one.name for one in project.summary(str(path)).imports] == ["c"]


def test_another_text_of_a_file_lets_go_what_hangs_on_it_and_no_more(lay):
    paths = lay(net=NET, train=TRAIN.format(imported="from net import Net", name="Net"), other="")
    project = Project(paths)
    before = {path: project.model(os.path.abspath(path)) for path in paths}

    def kept():
        return [path for path in paths if project.model(os.path.abspath(path)) is before[path]]

    project.replace(project.read("net.py").with_text(project.read("net.py").text))
    assert kept() == paths
    project.replace(project.read("net.py").with_text("import torch\n"))
    assert kept() == ["other.py"]
    assert project.hanging_on("net.py") == {
        os.path.abspath(path) for path in ("net.py", "train.py")
    }


def test_a_model_that_is_kept_can_be_asked_of_one_that_is_let_go(lay):
    reads = "from net import Net\nNet().forward\n"
    paths = lay(net=NET, use="from net import Net\nnet = Net()\n", reads=reads)
    project = Project(paths)
    model = project.model(os.path.abspath("use.py"))
    assert model is not None
    net = project.model(os.path.abspath("net.py"))
    (call,) = model.calls_named(re.compile("Net"))
    assert call.target is not None
    assert call.target.index.model is net
    # It counts for `Net` who reads its attributes, but not for who makes one.
    project.replace(project.read("reads.py").with_text("from net import Net\n"))
    assert project.model(os.path.abspath("net.py")) is not net
    assert project.model(os.path.abspath("use.py")) is model
    module = model.module_of(call)
    assert module is not None
    assert module.name == "Net"


def test_who_counts_what_is_read_hangs_on_a_change_of_that_alone(lay):
    reads = "from net import Net\nNet().forward\n"
    project = Project(lay(net=NET, reads=reads))
    here, net = os.path.abspath("reads.py"), os.path.abspath("net.py")
    assert project.hanging_on("reads.py") == {here, net}
    assert project.hanging_on("reads.py", reads.replace("forward", "head")) == {here, net}
    assert project.hanging_on("reads.py", f"{reads}Net().nothing_of_its\n") == {here}
    assert project.hanging_on("reads.py", f"{reads}# Net().forward\n") == {here}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x.a.b\n", {"a", "b"}),
        ("x .  a", {"a"}),
        ("x.\\\n", set()),
        ("x.\n  a", {"a"}),
        ("def  f(): pass", {"f"}),
        ("getattr(x, 'a')", {"a"}),
        ("'a' b 'c d.e'", {"a", "b", "c", "d", "e"}),
        ("'a\nb'", set()),
        ("a = b", set()),
        ("# it's a\n# it's b", set()),
    ],
)
def test_attributes_are_named_behind_a_dot_in_quotes_and_as_methods(text, names):
    summary = Summary(text)
    assert summary.read == names
    assert {name for name in "abcdef" if summary.reads(name)} == names


def test_an_import_that_is_new_in_a_text_counts_from_then_on(lay):
    paths = lay(a="", b="import torch\n")
    project = Project(paths)
    assert project.hanging_on("b.py") == {os.path.abspath("b.py")}
    project.replace(project.read("a.py").with_text("from b import torch\n"))
    assert project.hanging_on("b.py") == {os.path.abspath("b.py"), os.path.abspath("a.py")}
    project.forget("a.py")
    assert project.hanging_on("b.py") == {os.path.abspath("b.py")}


ENGINE = """
    from torch.nn import functional as F

    def train_one_epoch(net, loader, optimizer, scheduler=None):
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
            {step}
"""
SCHEDULE = """
    import torch

    def build_optimizer(net, epochs):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        return optimizer, torch.optim.lr_scheduler.{made}

    def build_scheduler(optimizer, epochs, loader):
        return torch.optim.lr_scheduler.{made}
"""
COSINE = "CosineAnnealingLR(optimizer, T_max=epochs)"
CYCLE = "OneCycleLR(optimizer, 0.1, epochs=epochs, steps_per_epoch=len(loader))"


@pytest.mark.parametrize(
    ("made", "step", "after", "expected"),
    [
        (COSINE, "scheduler.step()", [], [("train.py", 5, "TL422")]),
        (COSINE, "pass", ["scheduler.step()"], []),
        (CYCLE, "pass", ["scheduler.step()"], [("train.py", 8, "TL408")]),
        (CYCLE, "scheduler.step()", [], []),
        # What is not part of the project may step it, too.
        (CYCLE, "pass", ["callback(scheduler)", "scheduler.step()"], []),
        (CYCLE, "pass", ["save(net, scheduler)", "scheduler.step()"], [("train.py", 9, "TL408")]),
    ],
)
def test_a_schedule_is_compared_with_the_loop_of_another_file(
    lay, spoken, made, step, after, expected
):
    lines = [
        "import torch",
        "from checkpoints import save",
        "from engine import train_one_epoch",
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)",
        f"scheduler = torch.optim.lr_scheduler.{made}",
        "for epoch in range(epochs):",
        "    train_one_epoch(net, train_loader, optimizer, scheduler)",
        *(f"    {line}" for line in after),
    ]
    train = "\n".join(lines)
    save = "import torch\ndef save(net, scheduler):\n    torch.save(scheduler.state_dict(), 'x')\n"
    paths = lay(engine=ENGINE.format(step=step), train=train, checkpoints=save)
    assert spoken(paths, "TL408", "TL422") == expected


@pytest.mark.parametrize(
    "build",
    [
        "from schedule import build_optimizer\noptimizer, scheduler = build_optimizer(net, 9)",
        (
            "from schedule import build_scheduler\n"
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
            "scheduler = build_scheduler(optimizer, 9, loader)"
        ),
    ],
)
@pytest.mark.parametrize(
    ("made", "per_batch", "expected"),
    [(COSINE, True, "TL422"), (COSINE, False, None), (CYCLE, False, "TL408"), (CYCLE, True, None)],
)
def test_a_schedule_that_another_file_builds_is_compared_with_the_loop(
    lay, spoken, build, made, per_batch, expected
):
    loop = [
        "for epoch in range(9):",
        "    for x, y in loader:",
        "        optimizer.zero_grad()",
        "        net(x).sum().backward()",
        "        optimizer.step()",
        f"    {'    ' if per_batch else ''}scheduler.step()",
    ]
    train = "\n".join(["import torch", build, *loop])
    paths = lay(schedule=SCHEDULE.format(made=made), train=train)
    line = len(train.splitlines())
    found = [("train.py", line, expected)] if expected else []
    assert [one for one in spoken(paths, "TL408", "TL422") if one[0] == "train.py"] == found


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("model = Net().apply(Net._init_weights)", []),
        ("model = Net()\nmodel.apply(model._init_weights)", []),
        ("model = Net()", [("net.py", 7, "TL113")]),
    ],
)
def test_a_file_that_imports_a_class_may_apply_its_initialisation(lay, spoken, user, found):
    net = """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """
    paths = lay(net=net, user=f"from net import Net\n{user}\n")
    assert spoken(paths, "init-function-never-applied") == found


def test_the_logarithm_of_another_file_s_softmax_is_found(lay, spoken):
    loss = """
        import torch
        from net import Net
        model = Net()
        loss = -(target * torch.log(model(x))).sum()
        loss.backward()
    """
    assert spoken(lay(net=NET, loss=loss), "log-of-softmax") == [("loss.py", 5, "TL307")]


def test_a_model_is_kept_while_a_file_that_may_look_into_it_is_to_come(lay, catalogue):
    paths = lay(
        a_net="import torch\nclass Net: pass\n",
        b_alone="import torch\n",
        c_train="import torch\nfrom a_net import Net\n",
        d_train="import torch\nfrom a_net import Net\nloss = torch.nn.CrossEntropyLoss()(Net()(x), y)\n",
    )
    settings = resolve(catalogue, Config(), Selection("the test", select=(SOFTMAX,)))

    def held(project, path):
        lint_file(path, settings, project=project)
        return [one[0] for one in paths if project.source(one) is not None]

    for together, expected in (
        (paths, [["a"], ["a"], ["a"], []]),
        (paths[:3], [["a"], ["a"], []]),
    ):
        project = Project(together)
        assert [held(project, path) for path in together] == expected
        project.close()


@pytest.mark.parametrize(
    ("name", "leads"),
    [
        ("fit", True),
        ("run", True),
        ("Trainer", True),
        ("start", True),
        ("plot", False),
        ("x", False),
    ],
)
def test_what_a_name_may_lead_to_is_read_from_the_text(lay, name, leads):
    engine = """
        from steps import advance
        def fit(net):
            net(1).backward()
        def run(net):
            fit(net)
        class Trainer(Base):
            def start(self):
                run(self.net)
        def start():
            advance()
        def plot(curve):
            return curve.draw()
    """
    paths = lay(engine=engine, steps="def advance(): optimizer.step()\n")
    assert Project(paths).leads(os.path.abspath("engine.py"), name) is leads


def test_a_summary_tells_words_from_parts_of_words():
    summary = Summary("train_step(x)\ncall.step (x)\nnet = Parameters(1).to(device)\n")
    assert not summary.asks
    assert Summary("optimizer.step()").asks
    assert Summary("w = Parameter(x).to(device)").asks


@pytest.mark.parametrize(
    ("line", "reads"),
    [
        ("net.head.weight.requires_grad_(False)", True),
        ("net . head(x)", True),
        ("params = [p for n, p in net.named_parameters() if 'head.weight' in n]", True),
        ('copied = {"trunk,head": 1}', True),
        ("    def head(self, x): ...", True),
        ("# the head of the network is not used", False),
        ("head = build(width)", False),
        ("net.head_of_class(x)", False),
        ("net.overhead(x)", False),
    ],
)
def test_a_summary_tells_attributes_from_words(line, reads):
    assert Summary(f"from models import Net\n{line}\n").reads("head") is reads


def test_a_word_in_the_prose_of_another_file_uses_no_layer(lay, spoken):
    net = """
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.trunk = nn.Linear(8, 8)
                self.head = nn.Linear(8, 4)

            def forward(self, x):
                return self.trunk(x)
    """
    use = """
        from net import Net

        def build():
            \"\"\"Return a trunk without
            a head.\"\"\"
            net = Net()
            {freezes}
            return net
    """
    found = spoken(lay(net=net, use=use.format(freezes="")), "unused-layer")
    assert found == [("net.py", 8, "TL620")]
    frees = use.format(freezes="net.head.requires_grad_(False)")
    assert spoken(lay(net=net, use=frees), "unused-layer") == []


FILLED_BY_ITS_BASE = """
    from torch import nn

    class Filling(nn.Module):
        recipes = dict(a=print)

        def fill(self):
            {fills}
"""
EMPTY = """
    import torch
    from torch import nn
    from base import Filling

    class Experts(Filling):
        def __init__(self, count, width):
            super().__init__()
            self.up = nn.Parameter(torch.empty(count, width, width))

        def forward(self, x):
            return x @ self.up
"""


@pytest.mark.parametrize(
    ("fills", "found"),
    [
        ("print(self.recipes)", [("experts.py", 9, "TL111")]),
        ("for name, one in self.named_parameters():\n                self.recipes[name](one)", []),
        ("self.recipes['up'](getattr(self, 'up'))", []),
    ],
)
def test_a_base_of_another_file_may_fill_every_parameter(lay, spoken, fills, found):
    paths = lay(base=FILLED_BY_ITS_BASE.format(fills=fills), experts=EMPTY)
    assert spoken(paths, "uninitialised-parameter") == found


def test_a_file_that_imports_a_module_may_fill_its_parameter(lay, spoken):
    build = """
        from torch import nn
        from experts import Experts

        def build():
            experts = Experts(4, 16)
            nn.init.normal_(experts.up, std=0.02)
            return experts
    """
    base = FILLED_BY_ITS_BASE.format(fills="print(self.recipes)")
    paths = lay(base=base, experts=EMPTY, build=build)
    assert spoken(paths, "uninitialised-parameter") == []


def test_a_file_of_no_training_is_parsed_once_for_those_that_import_it(lay, spoken, monkeypatch):
    sizes = """
        def widths(depth):
            return [8] * depth
    """
    train = """
        import torch
        from torch import nn
        from sizes import widths

        layers = [nn.Linear(width, width) for width in widths(3)]
        optimizer = torch.optim.SGD(nn.Sequential(*layers).parameters(), lr=widths(1)[0])
    """
    read = []
    original = SourceFile.read

    def reading(path):
        read.append(path)
        return original(path)

    monkeypatch.setattr(SourceFile, "read", reading)
    paths = lay(sizes=sizes, train=train, untouched="print()")
    spoken(paths)
    assert sorted(read) == ["sizes.py", "train.py", "untouched.py"]
