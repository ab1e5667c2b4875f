"""Where sampler-without-set-epoch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]
RULE = "sampler-without-set-epoch"
SCRIPT = """
import torch
from torch.utils.data import DataLoader, DistributedSampler
train_sampler = DistributedSampler(train_set)
train_loader = DataLoader(train_set, batch_size=32, sampler=train_sampler)
for epoch in range(epochs):
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(RULE, SCRIPT) == [4]


def test_a_sampler_of_a_distributed_run_only_is_found(lines: Lines) -> None:
    source = SCRIPT.replace("(train_set)\n", "(train_set) if args.distributed else None\n")
    assert lines(RULE, source) == [4]


def test_progress_bars_and_counters_are_seen_through(lines: Lines) -> None:
    source = SCRIPT.replace(
        "for x, y in train_loader", "for i, (x, y) in enumerate(tqdm(train_loader))"
    )
    assert lines(RULE, "from tqdm import tqdm" + source) == [4]


def test_helpers_of_the_file_are_followed(lines: Lines) -> None:
    source = """
    import torch
    from torch.utils.data import DataLoader
    from torch.utils.data.distributed import DistributedSampler
    def prepare(dataset):
        return DataLoader(dataset, batch_size=8, sampler=DistributedSampler(dataset))
    class Trainer:
        def __init__(self, model, train_data, optimizer):
            self.model, self.train_data, self.optimizer = model, train_data, optimizer
        def _run_epoch(self):
            for x, y in self.train_data:
                self.optimizer.zero_grad()
                self.model(x, y).backward()
                self.optimizer.step()
        def train(self, epochs):
            for epoch in range(epochs):
                self._run_epoch()
    def main(dataset, model, optimizer):
        trainer = Trainer(model, prepare(dataset), optimizer)
        trainer.train(10)
    """
    assert lines(RULE, source) == [6]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    for x, y", "    train_sampler.set_epoch(epoch)\n    for x, y"),
        ("    for x, y", "    train_loader.sampler.set_epoch(epoch)\n    for x, y"),
        ("(train_set)\n", "(train_set, shuffle=False)\n"),
        ("(train_set)\n", "(train_set, shuffle=shuffle)\n"),
        ("(train_set)\n", "(train_set, **options)\n"),
        ("train_", "val_"),
        ("range(epochs)", "range(1)"),
        ("for epoch in range(epochs)", "if epochs"),
        ("    for x, y", "    before_epoch(train_sampler, epoch)\n    for x, y"),
        ("    for x, y", "    before_epoch(train_loader, epoch)\n    for x, y"),
        ("for epoch", "train_loader = accelerator.prepare(train_loader)\nfor epoch"),
        (".backward()", ".item()"),
        ("DistributedSampler", "RandomSampler"),
    ],
)
def test_what_sets_the_epoch_or_may_is_fine(lines: Lines, old: str, new: str) -> None:
    assert old in SCRIPT
    assert lines(RULE, SCRIPT.replace(old, new)) == []


def test_a_helper_of_another_file_that_gets_the_sampler_is_trusted(lines: Lines) -> None:
    source = """
    from torch.utils.data import DataLoader, DistributedSampler
    from train_utils import train
    sampler = DistributedSampler(train_set)
    loader = DataLoader(train_set, sampler=sampler)
    for epoch in range(3):
        train(model, loader, optimizer, epoch, sampler=sampler)
    """
    assert lines(RULE, source) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    assert lines(RULE, SCRIPT, path="test_sampler.py") == []


def test_the_fix_sets_the_epoch_first(diagnoses: Diagnoses) -> None:
    source = dedent(SCRIPT)
    (found,) = diagnoses(RULE, source)
    assert found.fix is not None
    text, _ = apply_fixes(source, [found.fix])
    assert "range(epochs):\n    train_sampler.set_epoch(epoch)\n    for x, y" in text


def test_a_sampler_without_a_name_is_reached_through_its_loader(diagnoses: Diagnoses) -> None:
    source = SCRIPT.replace("sampler=train_sampler", "sampler=DistributedSampler(train_set)")
    (found,) = diagnoses(
        RULE, source.replace("train_sampler = DistributedSampler(train_set)\n", "")
    )
    assert found.fix is not None
    assert "train_loader.sampler.set_epoch(epoch)" in found.fix.edits[0].replacement


def test_there_is_no_fix_across_functions(diagnoses: Diagnoses) -> None:
    source = """
    from torch.utils.data import DataLoader, DistributedSampler
    def loader_of(train_set):
        sampler = DistributedSampler(train_set)
        return DataLoader(train_set, sampler=sampler)
    def fit(train_set):
        loader = loader_of(train_set)
        for epoch in range(3):
            for x in loader:
                model(x).backward()
                optimizer.step()
    """
    (found,) = diagnoses(RULE, source)
    assert found.fix is None
