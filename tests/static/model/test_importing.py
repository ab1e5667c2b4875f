"""Names as imports spell them, and the edits that import something from elsewhere."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import torch\nask(torch.cuda.amp.GradScaler)", "torch.cuda.amp.GradScaler"),
        ("from torch.cuda.amp import GradScaler as S\nask(S)", "torch.cuda.amp.GradScaler"),
        ("from torch.cuda import amp\nask(amp.GradScaler)", "torch.cuda.amp.GradScaler"),
        ("import torch.cuda.amp as a\nask(a.GradScaler)", "torch.cuda.amp.GradScaler"),
        ("GradScaler = 1\nask(GradScaler)", None),
        ("ask(x().GradScaler)", None),
    ],
)
def test_a_name_is_given_as_the_import_spells_it(asked, source, name):
    expr = asked(source)
    assert expr.model.imported_name(expr) == name


def test_the_import_of_a_name_is_found(asked):
    expr = asked("from torch import nn\nask(nn.Linear)")
    assert expr.model.import_of(expr).line == 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("from a.b.c import f\nf()", "from a.c import f\nf()"),
        ("from a.b import c\nc.f()", "from a import c\nc.f()"),
        ("import a.b.c as c\nc.f()", "import a.c as c\nc.f()"),
        ("import a\na.b.c.f()", "import a\na.c.f()"),
        ("from a.b.c import f\nf()\nlist(map(f, []))", None),
        ("from a.b.c import f, g\nf()\ng()", None),
    ],
)
def test_a_function_is_taken_from_another_package(model, source, text):
    file = model(source)
    (call,) = file.method_calls("f")
    edits = file.moved_package(call.called, "a.b.c", "a.c", frozenset({call}))
    if text is None:
        assert edits is None
    else:
        (edit,) = edits
        assert source[: edit.start] + edit.replacement + source[edit.end :] == text
