"""Tests of accumulation-not-averaged."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.fix import apply_fixes

RULE = "accumulation-not-averaged"


def loop(loss, backward="loss.backward()", test="(i + 1) % accumulate == 0", before="pass"):
    """Return a training loop that steps once for several batches."""
    return dedent(
        f"""
        import torch
        from torch import nn
        import torch.nn.functional as F
        criterion = nn.CrossEntropyLoss()
        {before}
        def train(model, loader, optimizer, scaler, accumulate):
            for i, (x, y) in enumerate(loader):
                loss = {loss}
                {backward}
                if {test}:
                    optimizer.step()
                    optimizer.zero_grad()
        """
    )


@pytest.mark.parametrize(
    "loss",
    [
        "criterion(model(x), y)",
        "F.mse_loss(model(x), y)",
        "nn.functional.cross_entropy(model(x), y, reduction='mean')",
        "nn.BCEWithLogitsLoss()(model(x), y)",
    ],
)
def test_a_mean_loss_of_torch_is_found_in_every_form(lines, loss):
    assert lines(RULE, loop(loss)) == [10]


@pytest.mark.parametrize(
    "test",
    [
        "i % accumulate == accumulate - 1",
        "(i + 1) % 4 == 0",
        "((i + 1) % accumulate == 0) or (i + 1 == len(loader))",
        "not (i + 1) % accumulate",
    ],
)
def test_every_way_to_count_is_found(lines, test):
    assert lines(RULE, loop("F.mse_loss(model(x), y)", test=test)) == [10]


@pytest.mark.parametrize(
    "loss",
    [
        "criterion(model(x), y) / accumulate",
        "criterion(model(x), y) * weight",
        "F.mse_loss(model(x), y, reduction='sum')",
        "F.mse_loss(model(x), y, size_average=False)",
        "nn.MSELoss(reduction='sum')(model(x), y)",
        "model(x, y)",
        "loss_of(model, x, y)",
        "criterion(model(x), y) + penalty",
    ],
)
def test_a_loss_that_is_scaled_or_not_known_to_be_a_mean_is_fine(lines, loss):
    assert lines(RULE, loop(loss)) == []


def test_a_division_in_place_is_fine(lines):
    source = loop("criterion(model(x), y)", backward="loss = loss / accumulate; loss.backward()")
    assert lines(RULE, source) == []
    source = loop("criterion(model(x), y)", backward="loss /= accumulate; loss.backward()")
    assert lines(RULE, source) == []


def test_a_rate_that_is_divided_is_fine(lines):
    before = "optimizer = torch.optim.SGD(net.parameters(), lr=args.lr / args.accumulate)"
    assert lines(RULE, loop("criterion(model(x), y)", before=before)) == []


def test_a_condition_in_a_variable_is_found(lines):
    source = loop(
        "criterion(model(x), y)",
        backward="loss.backward(); due = (i + 1) % accumulate == 0 or i + 1 == len(loader)",
        test="due",
    )
    assert lines(RULE, source) == [10]


@pytest.mark.parametrize(
    ("optimizer", "clip", "found"),
    [
        ("Adam", "pass", []),
        ("AdamW", "pass", []),
        ("AdamW", "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)", [8]),
        ("SGD", "pass", [8]),
    ],
)
def test_an_optimizer_that_does_not_mind_the_scale_is_fine_unless_it_is_clipped(
    lines, optimizer, clip, found
):
    source = f"""
    import torch
    from torch import nn
    net = nn.Linear(2, 2)
    optimizer = torch.optim.{optimizer}(net.parameters(), lr=1e-3)
    for i, (x, y) in enumerate(loader):
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        if (i + 1) % 4 == 0:
            {clip}
            optimizer.step()
            optimizer.zero_grad()
    """
    assert lines(RULE, source) == found


def test_gradients_that_are_divided_by_hand_are_fine(lines):
    before = "for p in net.parameters(): p.grad.div_(4)"
    assert lines(RULE, loop("criterion(model(x), y)", before=before)) == []


def test_a_condition_that_counts_nothing_is_not_judged(lines):
    assert lines(RULE, loop("criterion(model(x), y)", test="should_step(i)")) == []


def test_a_step_for_every_batch_is_fine(lines):
    source = """
    import torch
    import torch.nn.functional as F
    for i, (x, y) in enumerate(loader):
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
        if i % 100 == 0:
            print(i)
    """
    assert lines(RULE, source) == []


def test_a_generator_that_is_trained_on_every_fifth_batch_is_fine(lines):
    source = """
    import torch
    import torch.nn.functional as F
    for i, x in enumerate(loader):
        opt_d.zero_grad()
        F.mse_loss(D(x), ones).backward()
        opt_d.step()
        if i % n_critic == 0:
            opt_g.zero_grad()
            F.mse_loss(D(G(z)), ones).backward()
            opt_g.step()
    """
    assert lines(RULE, source) == []


def test_accelerate_averages_by_itself(lines):
    source = """
    import torch
    from accelerate import Accelerator
    accelerator = Accelerator(gradient_accumulation_steps=4)
    for i, (x, y) in enumerate(loader):
        loss = torch.nn.functional.mse_loss(model(x), y)
        accelerator.backward(loss)
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
    """
    assert lines(RULE, source) == []


def test_the_fix_divides_inside_of_the_scaler(diagnoses):
    source = loop("criterion(model(x), y)", backward="scaler.scale(loss).backward()").replace(
        "optimizer.step()", "scaler.step(optimizer); scaler.update()"
    )
    (one,) = diagnoses(RULE, source)
    assert "scaler.scale(loss / accumulate).backward()" in apply_fixes(source, [one.fix])[0]
