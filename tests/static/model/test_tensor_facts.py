"""What is known of tensors: whole numbers, ranks, reordered sizes, gradients, strays and unused layers."""

from __future__ import annotations

import pytest

HEAD = "from torch import nn\nimport torch\nimport torch.nn.functional as F\n"


@pytest.mark.parametrize(
    "value",
    [
        "F.one_hot(y, 3)",
        "F.one_hot(y, 3).permute(0, 2, 1).cuda()",
        "x.long()",
        "x.to(torch.int64).to(device)",
        "torch.zeros(3, dtype=torch.long).scatter_(0, y, 1)",
        "torch.randint(0, 2, (3,))",
        "x.argmax(1)",
    ],
)
def test_whole_numbers_are_known_by_what_makes_them(asked, value):
    expr = asked(f"{HEAD}ask({value})")
    assert expr.model.integer_maker(expr) is not None


@pytest.mark.parametrize(
    "value",
    [
        "F.one_hot(y, 3).float()",
        "F.one_hot(y, 3).to(kind)",
        "F.one_hot(y, 3) * 0.9",
        "torch.randint(0, 2, (3,), dtype=torch.float32)",
        "y",
        "torch.zeros(3)",
    ],
)
def test_what_may_be_no_whole_number_is_unknown(asked, value):
    expr = asked(f"{HEAD}ask({value})")
    assert expr.model.integer_maker(expr) is None


@pytest.mark.parametrize(
    ("value", "rank"),
    [
        ("torch.randn(3, 4)", 2),
        ("torch.rand((3, 4, 5)).sum(1)", 2),
        ("torch.zeros(3).unsqueeze(0).float()", 2),
        ("torch.tensor([[1.0], [2.0]])", 2),
        ("torch.sin(torch.rand(3, 4)[:, 0]) + 1", 1),
        ("torch.rand(3)[:, None]", 2),
        ("x.view(-1)", 1),
        ("x.reshape(-1, 1)", 2),
        ("torch.rand(3, 4).mean()", 0),
        ("torch.rand(3, 4) @ torch.rand(4)", 1),
        ("torch.randn(n)", None),
        ("torch.rand(3, 4).sum(1, keepdim=True)", None),
        ("x", None),
        ("torch.rand(3, 4)[mask]", None),
    ],
)
def test_a_rank_is_known_where_the_file_says_it(asked, value, rank):
    expr = asked(f"{HEAD}def f(x, n, mask):\n    ask({value})")
    assert expr.model.rank_of(expr) == rank


def test_the_rank_of_a_batch_is_that_of_its_tensors(asked):
    expr = asked(f"""{HEAD}
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.rand(9, 2), torch.rand(9))
for i, (x, y) in enumerate(DataLoader(data, batch_size=3)):
    ask(y)
""")
    assert expr.model.rank_of(expr) == 1


def test_a_reshape_is_found_by_the_order_of_its_sizes(model):
    file = model(f"""{HEAD}
def f(x):
    b, c, h, w = x.shape
    return x.view(b, h * w, c), x.view(b, c, w * h), x.view(b, -1, c), x.view(b, c, -1)
""")
    assert [one.order for one in file.reshapes()] == [(0, 2, 3, 1), (0, 2, 3, 1)]


@pytest.mark.parametrize(
    ("value", "carries"),
    [
        ("self.fc(x)", True),
        ("torch.relu(self.net(x)).mean(-1) * 2", True),
        ("self.fc(x)[0].view(-1)", True),
        ("self.fc(x).detach()", False),
        ("self.fc(x).argmax(1)", False),
        ("self.fc(x).size(0)", False),
        ("self.act(x)", False),
        ("x", False),
    ],
)
def test_gradients_flow_back_to_layers_with_weights(asked, value, carries):
    expr = asked(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act = nn.Linear(2, 2), nn.ReLU()
        self.net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    def forward(self, x):
        ask({value})
""")
    assert (expr.model.carries_gradient(expr) is not None) is carries


def test_a_stray_tensor_is_shown_with_its_use(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask = torch.ones(3)
        self.moved = torch.ones(3)
    def forward(self, x):
        x = torch.relu(x) * self.mask
        return x + self.moved.to(x.device)
""")
    (stray,) = file.stray_tensors(file.modules[0])
    assert stray.attribute == "mask"
    assert stray.use.line == 11
    edit = stray.as_buffer()
    assert edit is not None
    assert edit.replacement == ('self.register_buffer("mask", torch.ones(3), persistent=False)')


def test_an_unused_layer_is_one_that_nothing_reads(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()
        nn.init.zeros_(self.b.weight)
    def forward(self, x):
        return self.a(x)
""")
    assert [one.attribute for one in file.unused_layers(file.modules[0])] == ["b"]


def test_the_expressions_around_one_are_known_from_the_innermost(model):
    file = model("y = f(g(x + 1))[0]")
    (name,) = file.names_read("x")
    assert [one.text for one in name.around] == [
        "x + 1",
        "g(x + 1)",
        "f(g(x + 1))",
        "f(g(x + 1))[0]",
    ]


def test_a_default_is_told_from_a_written_value(model):
    file = model("def f(n=3):\n    m = 4\n    g(n, m)\n")
    (call,) = file.method_calls("g")
    assert [origin.is_default for one in call.args for origin in one.origins()] == [True, False]


def test_a_class_knows_its_bases_or_does_not(model):
    file = model(f"""{HEAD}
def base(): return nn.Module
class A(nn.Module):
    def forward(self, x): return x
class B(A): pass
@decorate
class C(base(), A): pass
""")
    known = {module.name: module.knows_bases for module in file.modules}
    assert known == {"A": True, "B": True, "C": False}
    assert [module.name for module in file.modules if module.is_decorated] == ["C"]


def test_the_first_statement_stands_behind_the_docstring(model):
    file = model("def f():\n    'Say.'\n    x = 1\n\ndef g():\n    'Say.'\n")
    first = {function.name: function.first_statement for function in file.functions}
    assert first["f"] is not None
    assert first["f"].text == "x = 1"
    assert first["g"] is None
