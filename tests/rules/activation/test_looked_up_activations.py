"""Rules about activations understand those that are looked up in a table by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainlint.core.catalogue import Catalogue

XAVIER = "xavier-init-before-relu"
"""It speaks of this network where the activation is known to be a rectifier, and of no other."""
NET = """
import torch
import torch.nn.functional as F
from torch import nn
{table}

class Head(nn.Module):
    def __init__(self, config, hidden_act="relu"):
        super().__init__()
        self.up = nn.Linear(32, 64)
        self.down = nn.Linear(64, 4)
        {made}
        nn.init.xavier_uniform_(self.up.weight)

    def forward(self, x):
        return self.down({act}(self.up(x)))
"""
FUNCTIONS = 'ACT2FN = {"relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh}'
CLASSES = 'ACT2FN = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}'
MODULES = 'ACT2FN = {"relu": nn.ReLU(), "gelu": nn.GELU(), "tanh": nn.Tanh()}'
HELD = "self.act = {}"
TABLES = pytest.mark.parametrize(
    ("table", "looked_up"),
    [
        (FUNCTIONS, "ACT2FN[{}]"),
        (CLASSES, "ACT2FN[{}]()"),
        (CLASSES, "ACT2FN.get({}, nn.GELU)()"),
        (MODULES, "ACT2FN[{}]"),
        ("ACT2FN = dict(relu=nn.ReLU, tanh=nn.Tanh)", "ACT2FN[{}]()"),
        ('ACT2FN = {"relu": lambda: nn.ReLU(inplace=True), "tanh": nn.Tanh}', "ACT2FN[{}]()"),
        ('ACT2FN = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})', "ACT2FN[{}]"),
    ],
)


def net(table: str, made: str) -> str:
    """Return a network that holds what is made as its activation."""
    return NET.format(table=table, made=HELD.format(made), act="self.act")


@TABLES
def test_a_table_of_the_file_is_known_by_a_literal_key(
    lines: Callable[..., list[int]], table: str, looked_up: str
) -> None:
    assert len(lines(XAVIER, net(table, looked_up.format("'relu'")))) == 1
    assert lines(XAVIER, net(table, looked_up.format("'tanh'"))) == []
    assert lines(XAVIER, net(table, looked_up.format("config.hidden_act"))) == []


def test_what_is_looked_up_where_it_is_called_is_known(lines: Callable[..., list[int]]) -> None:
    for key, found in (('"relu"', 1), ('"tanh"', 0), ("self.config.hidden_act", 0)):
        source = NET.format(table=FUNCTIONS, made="pass", act=f"ACT2FN[{key}]")
        assert len(lines(XAVIER, source)) == found


@pytest.mark.parametrize("table", [FUNCTIONS, CLASSES, MODULES])
def test_a_table_of_another_file_is_known(catalogue: Catalogue, tmp_path: Path, table: str) -> None:
    settings = resolve(catalogue, Config(), Selection("the test", select=(XAVIER,)))
    imports = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
    (tmp_path / "acts.py").write_text(imports + table)
    made = "ACT2FN[{}]()" if table is CLASSES else "ACT2FN[{}]"
    for key, found in (("'relu'", 1), ("'tanh'", 0), ("config.hidden_act", 0)):
        (tmp_path / "net.py").write_text(net("from acts import ACT2FN", made.format(key)))
        reports = lint_files([str(tmp_path / "acts.py"), str(tmp_path / "net.py")], settings)
        assert sum(len(report.diagnoses) for report in reports) == found


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("'relu'", 1),
        ("'leaky_relu'", 1),
        ("'gelu_new'", 0),
        ("'swish'", 0),
        ("'tanh'", 0),
        ("config.hidden_act", 0),
        ("'of_my_own'", 0),
    ],
)
@pytest.mark.parametrize("module", ["transformers", "transformers.activations"])
def test_the_table_of_transformers_is_known(
    lines: Callable[..., list[int]], module: str, key: str, found: int
) -> None:
    table = f"from {module} import ACT2FN"
    assert len(lines(XAVIER, net(table, f"ACT2FN[{key}]"))) == found


def test_a_rectifier_that_is_looked_up_makes_no_logits(lines: Callable[..., list[int]]) -> None:
    source = """
        import torch.nn.functional as F
        from torch import nn
        from transformers.activations import ACT2FN
        class Classifier(nn.Module):
            def __init__(self, config):
                super().__init__()
                self.score = nn.Linear(64, 10)
                self.act = ACT2FN[{key}]
            def forward(self, x):
                return self.act(self.score(x))
        def loss_of(x, y):
            model = Classifier({{}})
            return F.cross_entropy(model(x), y)
    """
    assert lines("relu-as-logits", source.format(key='"relu"')) == [14]
    assert lines("relu-as-logits", source.format(key="config.hidden_act")) == []


def test_a_softmax_that_is_looked_up_meets_the_loss(lines: Callable[..., list[int]]) -> None:
    source = """
        import torch
        from torch import nn
        OUTPUTS = {"softmax": nn.Softmax(dim=1), "none": nn.Identity()}
        model = nn.Sequential(nn.Linear(64, 10), OUTPUTS["softmax"])
        loss = nn.CrossEntropyLoss()(model(x), y)
    """
    assert lines("softmax-before-cross-entropy", source) == [6]
    assert lines("softmax-before-cross-entropy", source.replace('["softmax"]', '["none"]')) == []


def test_a_class_taken_from_the_module_by_name_is_known(lines: Callable[..., list[int]]) -> None:
    assert len(lines(XAVIER, net("", "getattr(nn, 'ReLU')()"))) == 1
    assert lines(XAVIER, net("", "getattr(nn, 'Tanh')()")) == []
    assert lines(XAVIER, net("", "getattr(nn, config.act)()")) == []
