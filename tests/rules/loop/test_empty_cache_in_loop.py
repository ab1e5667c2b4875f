"""Tests of empty-cache-in-loop."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.fix import apply_fixes

RULE = "empty-cache-in-loop"


def test_it_is_found_in_an_evaluation_over_a_loader(lines):
    source = """
    import torch
    for batch in test_loader:
        scores.append(model(batch))
        torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == [5]


def test_it_is_found_in_a_loop_that_differentiates(lines):
    source = """
    import torch
    from torch.cuda import empty_cache
    def train(model, optimizer):
        while step < steps:
            optimizer.zero_grad()
            model(sample()).mean().backward()
            optimizer.step()
            empty_cache()
    """
    assert lines(RULE, source) == [9]


def test_it_is_found_under_tqdm_and_enumerate(lines):
    source = """
    import torch
    from tqdm import tqdm
    for i, batch in enumerate(tqdm(loader)):
        torch.cuda.empty_cache()
        model(batch)
    """
    assert lines(RULE, source) == [5]


@pytest.mark.parametrize("test", ["i % 100 == 0", "args.low_memory", "torch.cuda.is_available()"])
def test_what_a_condition_decides_about_is_fine(lines, test):
    source = f"""
    import torch
    for i, batch in enumerate(loader):
        model(batch)
        if {test}:
            torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == []


def test_an_earlier_continue_is_a_condition(lines):
    source = """
    import torch
    for i, batch in enumerate(loader):
        model(batch)
        if i % 100:
            continue
        torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == []


def test_once_per_epoch_is_fine(lines):
    source = """
    import torch
    for epoch in range(10):
        for batch in loader:
            model(batch).mean().backward()
            optimizer.step()
        torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == []


def test_running_out_of_memory_is_a_reason(lines):
    source = """
    import torch
    for batch in loader:
        try:
            model(batch).mean().backward()
        except RuntimeError:
            torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == []


def test_a_loop_over_models_is_fine(lines):
    source = """
    import torch
    for name in model_names:
        benchmark(name)
        torch.cuda.empty_cache()
    """
    assert lines(RULE, source) == []


def test_outside_of_any_loop_is_fine(lines):
    assert lines(RULE, "import torch\ntorch.cuda.empty_cache()\n") == []


def test_the_fix_takes_the_line_away_unless_it_is_the_only_one(diagnoses):
    source = dedent(
        """
        import torch
        for batch in loader:
            model(batch)
            torch.cuda.empty_cache()  # memory
        """
    )
    (one,) = diagnoses(RULE, source)
    assert apply_fixes(source, [one.fix])[0].endswith("    model(batch)\n")
    (one,) = diagnoses(RULE, "import torch\nfor batch in loader:\n    torch.cuda.empty_cache()\n")
    assert one.fix is None
