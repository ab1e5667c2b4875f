"""Where backward-inside-autocast speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]

RULE = "backward-inside-autocast"
LOOP = """
import torch
for x, y in loader:
    optimizer.zero_grad()
    with torch.autocast("cuda"):
        loss = criterion(model(x), y)
        loss.backward()
    optimizer.step()
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(RULE, LOOP) == [7]


@pytest.mark.parametrize(
    "context",
    [
        "torch.amp.autocast('cuda', dtype=torch.bfloat16)",
        "torch.cuda.amp.autocast()",
        "torch.cuda.amp.autocast(enabled=use_amp)",
        "torch.autocast(device_type='cpu')",
    ],
)
def test_every_autocast_is_known(lines: Lines, context: str) -> None:
    assert lines(RULE, LOOP.replace('torch.autocast("cuda")', context)) == [7]


def test_a_scaled_loss_is_found(lines: Lines) -> None:
    assert lines(RULE, LOOP.replace("loss.backward", "scaler.scale(loss).backward")) == [7]


def test_a_helper_that_is_called_under_autocast_is_found(lines: Lines) -> None:
    source = """
    import torch
    def step(model, batch, optimizer):
        loss = model(batch)
        loss.backward()
        optimizer.step()
    def train(model, loader, optimizer):
        for batch in loader:
            with torch.autocast("cuda"):
                step(model, batch, optimizer)
    """
    assert lines(RULE, source) == [5]


def test_a_decorated_method_is_found(lines: Lines) -> None:
    source = """
    import torch
    class Trainer:
        @torch.autocast("cuda")
        def step(self, batch):
            loss = self.model(batch)
            loss.backward()
            self.optimizer.step()
    """
    assert lines(RULE, source) == [7]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        loss.backward", "    loss.backward"),
        ('"cuda")', '"cuda", enabled=False)'),
        (
            "        loss.backward()",
            "        with torch.autocast('cuda', enabled=False):\n            loss.backward()",
        ),
        ("loss.backward()", "accelerator.backward(loss)"),
        ("loss.backward()", "fabric.backward(loss)"),
        ("torch.autocast", "profile"),
    ],
)
def test_outside_of_it_or_switched_off_is_fine(lines: Lines, old: str, new: str) -> None:
    assert old in LOOP
    assert lines(RULE, LOOP.replace(old, new)) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    assert lines(RULE, LOOP, path="tests/test_amp.py") == []


def test_the_fix_takes_the_rest_of_the_block_out(diagnoses: Diagnoses) -> None:
    source = dedent("""
    import torch
    def step(model, batch):
        with torch.autocast("cuda"):
            loss = model(batch)

            # Now the gradients.
            scaler.scale(loss).backward()
            scaler.step(
                optimizer
            )

            scaler.update()  # last
        return loss
    """)
    (found,) = diagnoses(RULE, source)
    assert found.fix is not None
    assert apply_fixes(source, [found.fix])[0] == dedent("""
    import torch
    def step(model, batch):
        with torch.autocast("cuda"):
            loss = model(batch)

            # Now the gradients.
        scaler.scale(loss).backward()
        scaler.step(
            optimizer
        )

        scaler.update()  # last
        return loss
    """)


@pytest.mark.parametrize(
    "block",
    [
        "loss = model(x)\n        loss.backward()\n        other = model(x)",
        "loss = model(x)\n        loss.backward()\n        if done:\n            optimizer.step()",
        "loss = model(x)\n        loss.backward()\n        log('''a\n  b''')",
        "loss = model(x); loss.backward()",
        "model(x).backward()",
    ],
)
def test_there_is_no_fix_where_more_than_plain_lines_would_move(
    diagnoses: Diagnoses, block: str
) -> None:
    source = f"import torch\nfor x in loader:\n    with torch.autocast('cuda'):\n        {block}\n"
    (found,) = diagnoses(RULE, source)
    assert found.fix is None


def test_there_is_no_fix_for_two_contexts_in_one_with(diagnoses: Diagnoses) -> None:
    (found,) = diagnoses(RULE, LOOP.replace('"cuda"):', '"cuda"), profile():'))
    assert found.fix is None
