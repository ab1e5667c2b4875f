"""Where scaler-never-updated speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]

RULE = "scaler-never-updated"
LOOP = """
import torch
from torch.amp import GradScaler
scaler = GradScaler("cuda")
for x, y in loader:
    optimizer.zero_grad()
    scaler.scale(criterion(model(x), y)).backward()
    scaler.step(optimizer)
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(RULE, LOOP) == [8]


def test_a_scaler_by_its_old_name_and_a_condition_is_found(lines: Lines) -> None:
    source = LOOP.replace("torch.amp", "torch.cuda.amp").replace(
        '"cuda"', "enabled=dtype == 'float16'"
    )
    assert lines(RULE, source) == [8]


def test_a_scaler_that_is_a_parameter_is_found(lines: Lines) -> None:
    source = """
    import torch
    def train(model, loader, optimizer, scaler):
        for x, y in loader:
            loss = model(x).mean()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            optimizer.zero_grad()
    """
    assert lines(RULE, source) == [7]


TRAINER = """
import torch
class Trainer:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer
        self.scaler = torch.amp.GradScaler("cuda")
    def _run_batch(self, x, y):
        self.optimizer.zero_grad()
        loss = self.model(x, y)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
    def train(self, loader):
        for x, y in loader:
            self._run_batch(x, y)
"""


def test_a_trainer_whose_methods_share_the_loop_is_found(lines: Lines) -> None:
    assert lines(RULE, TRAINER) == [11]


def test_a_trainer_with_a_base_of_another_file_is_not_judged(lines: Lines) -> None:
    source = "from engine import Base\n" + TRAINER.replace("class Trainer:", "class Trainer(Base):")
    assert lines(RULE, source) == []


def test_a_trainer_that_hands_itself_on_is_not_judged(lines: Lines) -> None:
    source = TRAINER + "            self.callbacks.on_step(self)\n"
    assert lines(RULE, source) == []


def test_several_optimizers_are_told_of_once_at_the_last(lines: Lines) -> None:
    source = """
    import torch
    scaler = torch.amp.GradScaler("cuda")
    for real in loader:
        scaler.scale(d_loss(real)).backward()
        scaler.step(opt_d)
        scaler.scale(g_loss(real)).backward()
        scaler.step(opt_g)
    """
    assert lines(RULE, source) == [8]


def test_the_update_of_something_else_is_none_of_the_scaler(lines: Lines) -> None:
    assert lines(RULE, LOOP + "    ema.update(model)\n    bar.update(1)\n") == [8]


@pytest.mark.parametrize(
    "more",
    [
        "    scaler.update()\n",
        "    if step % 2:\n        scaler.update()\n",
        "    advance(scaler)\n",
        "update = scaler.update\n",
        "def finish():\n    scaler.update()\n",
    ],
)
def test_an_update_anywhere_or_by_others_is_fine(lines: Lines, more: str) -> None:
    assert lines(RULE, LOOP + more) == []


def test_a_scaler_that_is_off_is_fine(lines: Lines) -> None:
    assert lines(RULE, LOOP.replace('"cuda"', "enabled=False")) == []


def test_a_step_without_a_loop_is_not_judged(lines: Lines) -> None:
    source = """
    import torch
    def step(loss, optimizer, scaler):
        scaler.scale(loss).backward()
        scaler.step(optimizer)
    """
    assert lines(RULE, source) == []


def test_a_scaler_made_anew_in_each_round_is_fine(lines: Lines) -> None:
    source = """
    import torch
    for x, y in loader:
        scaler = torch.amp.GradScaler("cuda")
        scaler.scale(model(x).mean()).backward()
        scaler.step(optimizer)
    """
    assert lines(RULE, source) == []


def test_a_scaler_of_data_is_another_matter(lines: Lines) -> None:
    source = LOOP.replace("from torch.amp import GradScaler", "from tools import GradClip").replace(
        'GradScaler("cuda")', "GradClip()"
    )
    assert lines(RULE, source) == []


def test_the_fix_updates_after_the_step(diagnoses: Diagnoses) -> None:
    (found,) = diagnoses(RULE, LOOP)
    assert found.fix is not None
    text, _ = apply_fixes(dedent(LOOP), [found.fix])
    assert text.endswith("    scaler.step(optimizer)\n    scaler.update()\n")


def test_a_step_whose_result_is_kept_gets_no_fix(diagnoses: Diagnoses) -> None:
    (found,) = diagnoses(RULE, LOOP.replace("    scaler.step", "    done = scaler.step"))
    assert found.fix is None
