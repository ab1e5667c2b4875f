"""Where all weights of a model are frozen."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "source",
    [
        "for p in net.parameters():\n    p.requires_grad = False",
        "for name, p in net.named_parameters():\n    p.requires_grad = False",
        "for p in net.parameters():\n    p.requires_grad_(False)",
        "net.requires_grad_(False)",
        "if freeze:\n    for p in net.parameters():\n        p.requires_grad = False",
    ],
)
def test_every_way_to_freeze_a_model_is_seen(model, source):
    (frozen,) = model(f"import torch\n{source}").frozen_models()
    assert frozen.owner.text == "net"


@pytest.mark.parametrize(
    "source",
    [
        "for n, p in net.named_parameters():\n    if 'a' in n:\n        p.requires_grad = False",
        "for n, p in net.named_parameters():\n    if 'a' in n:\n        continue\n    p.requires_grad = False",
        "for p in net.parameters():\n    p.requires_grad = True",
        "for p in net.parameters():\n    p.requires_grad = flag",
        "for p in weights:\n    p.requires_grad = False",
        "net.requires_grad_()",
        "x = y.requires_grad_(False)",
    ],
)
def test_parts_and_tensors_are_no_frozen_model(model, source):
    assert list(model(f"import torch\n{source}").frozen_models()) == []
