"""Names resolve to qualified names through imports, aliases and scopes."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("imports", "written", "qualified"),
    [
        ("import torch", "torch.softmax", "torch.softmax"),
        ("import torch", "torch.nn.functional.softmax", "torch.nn.functional.softmax"),
        ("import torch.nn.functional as F", "F.softmax", "torch.nn.functional.softmax"),
        ("import torch.nn.functional as nnf", "nnf.softmax", "torch.nn.functional.softmax"),
        ("from torch.nn import functional as F", "F.softmax", "torch.nn.functional.softmax"),
        ("from torch.nn.functional import softmax", "softmax", "torch.nn.functional.softmax"),
        ("from torch.nn.functional import softmax as s", "s", "torch.nn.functional.softmax"),
        ("from torch import nn", "nn.Linear", "torch.nn.Linear"),
        ("import torch.nn", "torch.nn.Linear", "torch.nn.Linear"),
        ("from torch.nn import *", "Linear", "torch.nn.Linear"),
        ("from torch import optim as O", "O.Adam", "torch.optim.Adam"),
        ("from torch.nn.modules.linear import Linear", "Linear", "torch.nn.Linear"),
        ("from torch.optim.adam import Adam", "Adam", "torch.optim.Adam"),
        ("from torch.cuda.amp import GradScaler", "GradScaler", "torch.amp.GradScaler"),
        ("import pytorch_lightning as pl", "pl.LightningModule", "lightning.LightningModule"),
        ("import lightning.pytorch as pl", "pl.LightningModule", "lightning.LightningModule"),
        ("import lightning as L", "L.LightningModule", "lightning.LightningModule"),
        ("import math", "print", "builtins.print"),
    ],
)
def test_every_way_to_import_gives_one_qualified_name(asked, imports, written, qualified):
    assert asked(f"{imports}\nask({written})").qualified == qualified


def test_an_alias_made_by_assignment_is_followed(asked):
    assert (
        asked("import torch.nn as nn\nConv = nn.Conv2d\nask(Conv)").qualified == "torch.nn.Conv2d"
    )


def test_calls_through_an_alias_are_found_by_the_qualified_name(model):
    file = model("""
        from torch import nn
        from torch.nn import Linear as Dense
        Conv = nn.Conv2d
        Dense(1, 2)
        Conv(1, 2, 3)
    """)
    assert [call.line for call in file.calls_to("torch.nn.Linear", "torch.nn.Conv2d")] == [5, 6]


def test_a_parameter_shadows_an_import(asked):
    assert (
        asked("import torch.nn.functional as F\ndef f(F, x):\n    ask(F.softmax)").qualified is None
    )


def test_a_local_name_shadows_an_import_only_where_it_is_local(model):
    file = model("""
        from torch.nn.functional import relu
        def local():
            relu = make()
            return relu(1)
        def outer(x):
            return relu(x)
    """)
    assert [call.line for call in file.calls_to("torch.nn.functional.relu")] == [7]


def test_a_class_body_does_not_hide_names_from_its_methods(asked):
    source = """
        import torch
        class Net:
            torch = None
            def f(self):
                ask(torch.relu)
    """
    assert asked(source).qualified == "torch.relu"


def test_an_import_inside_a_function_is_seen_there(asked):
    source = "def f():\n    import torch.nn.functional as F\n    ask(F.relu)"
    assert asked(source).qualified == "torch.nn.functional.relu"


def test_an_import_with_a_fallback_is_the_import(asked):
    source = """
        try:
            from torch.amp import GradScaler
        except ImportError:
            GradScaler = None
        ask(GradScaler)
    """
    assert asked(source).qualified == "torch.amp.GradScaler"


def test_a_method_of_the_same_name_is_no_torch_function(asked):
    assert asked("import torch\nx = make()\nask(x.softmax)").qualified is None
