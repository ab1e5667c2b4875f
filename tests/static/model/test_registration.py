"""Plain collections that a module keeps, their items, and who else gets them."""

from __future__ import annotations

import pytest


def collections(model, setup, other="pass"):
    file = model(f"""
from torch import nn
class Net(nn.Module):
    def __init__(self):
        {setup}
    def forward(self, x):
        {other}
""")
    (module,) = file.modules
    return list(file.plain_collections(module))


@pytest.mark.parametrize(
    "setup",
    [
        "self.a = [nn.Linear(1, 2)]",
        "self.a = (nn.Linear(1, 2),)",
        "self.a = {'x': nn.Linear(1, 2)}",
        "self.a = dict(x=nn.Linear(1, 2))",
        "self.a = list(nn.Linear(1, 2) for _ in range(3))",
        "self.a = [nn.Linear(1, 2) for _ in range(3)]",
        "self.a = {k: nn.Linear(1, 2) for k in ks}",
        "self.a = []; self.a.append(nn.Linear(1, 2))",
        "self.a = []; self.a.extend([nn.Linear(1, 2)])",
        "self.a = []; self.a += [nn.Linear(1, 2)]",
        "self.a = {}; self.a[k] = nn.Linear(1, 2)",
        "a = []; a.append(nn.Linear(1, 2)); self.a = a",
        "a = []; a += [nn.Linear(1, 2)]; self.a = a",
    ],
)
def test_the_items_are_known_however_they_are_put_in(model, setup):
    (collection,) = collections(model, setup)
    assert collection.attribute == "a"
    assert [item.text for item in collection.items] == ["nn.Linear(1, 2)"]


@pytest.mark.parametrize(
    "setup",
    [
        "self.a = nn.ModuleList()",
        "self.a = make()",
        "self.a = []; self.a = nn.ModuleList(self.a)",
        "a = []",
    ],
)
def test_what_is_no_plain_collection_in_the_end_is_none(model, setup):
    assert collections(model, setup) == []


@pytest.mark.parametrize(
    ("setup", "wrapped"),
    [
        ("self.a = [1]", False),
        ("self.a = [1]; n = len(self.a)", False),
        ("self.a = [1]; self.b = nn.Sequential(*self.a)", True),
        ("self.a = [1]; self.b = nn.ModuleList(self.a + [2])", True),
        ("self.a = [1]; keep(self.a)", True),
        ("self.a = [1]; self.b = self.a", True),
        ("a = [1]; self.a = a; self.b = nn.ModuleList(a)", True),
        ("self.a = [1]; self.b = nn.ModuleList(keep(one) for one in self.a)", True),
    ],
)
def test_what_is_handed_on_may_be_registered_elsewhere(model, setup, wrapped):
    (collection,) = collections(model, setup)
    assert collection.is_wrapped is wrapped


def test_its_users_are_the_methods_that_read_it_outside_of_the_constructor(model):
    (used,) = collections(model, "self.a = [1]; self.a.append(2)", "return self.a[0](x)")
    (unused,) = collections(model, "self.a = [1]; self.a.append(2)", "return x")
    assert [one.name for one in used.users] == ["forward"]
    assert unused.users == ()


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ("self.a = [1]", True),
        ("self.a = {'x': 1}", True),
        ("self.a = {k: 1}", False),
        ("self.a = {}; self.a[k] = 1", False),
    ],
)
def test_a_dict_is_written_whole_if_all_its_keys_are_strings(model, setup, expected):
    (collection,) = collections(model, setup)
    assert collection.is_written_whole is expected
