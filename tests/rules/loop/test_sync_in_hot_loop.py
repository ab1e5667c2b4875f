"""Tests of sync-in-hot-loop."""

from __future__ import annotations

import pytest

RULE = "sync-in-hot-loop"


def loop(line, before="pass"):
    """Return a training loop with a line after the step."""
    return f"""
import torch
{before}
for epoch in range(10):
    for i, (x, y) in enumerate(loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        {line}
"""


@pytest.mark.parametrize(
    "line",
    [
        "total += loss.item()",
        "losses.append(loss.cpu())",
        "losses.append(loss.detach().cpu().numpy())",
        "total += float(loss)",
        "print(loss)",
        "print('loss', loss.item())",
        "meter.update(loss.data.item(), x.size(0))",
        "bar.set_postfix(loss=loss.item())",
    ],
)
def test_every_read_of_the_loss_is_found_once(lines, line):
    assert lines(RULE, loop(line)) == [10]


def test_it_is_found_with_a_scaled_loss(lines):
    source = """
    import torch
    for x, y in loader:
        loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        total += loss.item()
    """
    assert lines(RULE, source) == [6]


def test_it_is_found_in_a_trainer_with_self(lines):
    source = """
    import torch
    class Trainer:
        def fit(self):
            for x, y in self.loader:
                self.loss = self.criterion(self.model(x), y)
                self.loss.backward()
                self.log(self.loss.item())
    """
    assert lines(RULE, source) == [8]


@pytest.mark.parametrize(
    "line",
    [
        "total += loss.detach()",
        "if i % 100 == 0: print(loss.item())",
        "print(i)",
        "count += y.size(0)",
        "print(other.item())",
    ],
)
def test_what_does_not_wait_for_the_loss_is_fine(lines, line):
    assert lines(RULE, loop(line)) == []


def test_once_per_epoch_is_fine(lines):
    assert lines(RULE, loop("pass") + "    print(loss.item())\n") == []


def test_a_loop_over_epochs_is_not_hot(lines):
    source = """
    import torch
    for epoch in range(100):
        loss = criterion(model(x), y)
        loss.backward()
        print(loss.item())
    """
    assert lines(RULE, source) == []


def test_an_evaluation_is_not_judged(lines):
    source = """
    import torch
    for x, y in loader:
        loss = criterion(model(x), y)
        total += loss.item()
    """
    assert lines(RULE, source) == []


def test_tests_are_not_judged(diagnoses):
    assert diagnoses(RULE, loop("print(loss.item())"), path="test_loop.py") == []


def test_a_function_of_the_file_called_float_is_fine(lines):
    assert lines(RULE, loop("float(loss)", before="def float(x): return x")) == []
