"""What the rules of scaling say where a training is spread over several files."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainlint.core.catalogue import Catalogue


@pytest.fixture
def spoken(catalogue: Catalogue, tmp_path: Path) -> Callable[..., list[tuple[str, int]]]:
    """Return a function that gives file and line of each diagnosis of a rule for some files."""

    def lint(rule: str, files: dict[str, str]) -> list[tuple[str, int]]:
        for name, text in files.items():
            (tmp_path / name).write_text(dedent(text))
        settings = resolve(catalogue, Config(selection=Selection("this test", select=(rule,))))
        paths = [str(tmp_path / name) for name in files]
        return [
            (one.path.rpartition("/")[2], one.span.line)
            for report in lint_files(paths, settings)
            for one in report.diagnoses
        ]

    return lint


STEP = """
import torch
def step(model, x, y, optimizer, scaler):
    optimizer.zero_grad()
    with torch.autocast("cuda"):
        loss = model(x, y)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
"""
MAIN = """
import torch
from stepper import step
scaler = torch.amp.GradScaler("cuda")
for x, y in loader:
    step(model, x, y, optimizer, scaler)
model.eval()
"""


def test_a_scaler_that_no_file_updates_is_found(spoken: Callable[..., object]) -> None:
    files = {"stepper.py": STEP, "main.py": MAIN}
    assert spoken("scaler-never-updated", files) == [("main.py", 5)]


def test_a_scaler_that_the_helper_updates_is_fine(spoken: Callable[..., object]) -> None:
    files = {"stepper.py": f"{STEP}    scaler.update()\n", "main.py": MAIN}
    assert spoken("scaler-never-updated", files) == []


EPOCH = """
def epoch(model, loader, optimizer, sampler, number):
    for x, y in loader:
        optimizer.zero_grad()
        model(x, y).backward()
        optimizer.step()
"""
EPOCHS = """
from torch.utils.data import DataLoader, DistributedSampler
from epochs import epoch
sampler = DistributedSampler(train_set)
loader = DataLoader(train_set, sampler=sampler)
for number in range(3):
    epoch(model, loader, optimizer, sampler, number)
model.eval()
"""


def test_a_sampler_whose_epoch_no_file_sets_is_found(spoken: Callable[..., object]) -> None:
    files = {"epochs.py": EPOCH, "main.py": EPOCHS}
    assert spoken("sampler-without-set-epoch", files) == [("main.py", 4)]


def test_a_helper_that_sets_the_epoch_is_seen(spoken: Callable[..., object]) -> None:
    sets = EPOCH.replace("    for x, y", "    sampler.set_epoch(number)\n    for x, y")
    files = {"epochs.py": sets, "main.py": EPOCHS}
    assert spoken("sampler-without-set-epoch", files) == []


def test_a_half_model_is_followed_into_the_helper_that_trains_it(
    spoken: Callable[..., object],
) -> None:
    main = """
    import torch
    from torch import nn
    from stepper import step
    model = nn.Linear(8, 2)
    model.half()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    for x, y in loader:
        step(model, x, y, optimizer, scaler)
        scaler.update()
    """
    files = {"stepper.py": STEP, "main.py": f"{main}    model.eval()\n"}
    assert spoken("half-model-with-autocast", files) == [("main.py", 6)]


def test_a_save_in_another_file_is_judged_by_who_calls_it(spoken: Callable[..., object]) -> None:
    saves = """
    import torch
    from torch.nn.parallel import DistributedDataParallel
    def wrap(model):
        return DistributedDataParallel(model)
    def step(model, batch):
        model(batch).backward()
    def save(model):
        torch.save(model.state_dict(), "net.pt")
    """
    main = """
    import torch.distributed as dist
    from saves import save, wrap
    def main(rank, model):
        dist.init_process_group("nccl")
        model = wrap(model)
        {}save(model)
    """
    rule = "save-on-every-rank"
    assert spoken(rule, {"saves.py": saves, "main.py": main.format("")}) == [("saves.py", 9)]
    guarded = main.format("if rank == 0: ")
    assert spoken(rule, {"saves.py": saves, "main.py": guarded}) == []
