"""Tests of clip-before-backward."""

from __future__ import annotations

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "clip-before-backward"


def test_it_is_found_in_a_trainer_with_self(lines):
    source = """
    import torch
    from torch.nn.utils import clip_grad_norm_
    class Trainer:
        def fit(self):
            for batch in self.loader:
                self.optimizer.zero_grad()
                loss = self.model(batch).mean()
                clip_grad_norm_(self.model.parameters(), self.args.clip)
                loss.backward()
                self.optimizer.step()
    """
    assert lines(RULE, source) == [9]


def test_it_is_found_in_a_step_function_without_a_loop(lines):
    source = """
    import torch
    def train_step(model, batch, optimizer):
        loss = model(batch).mean()
        optimizer.zero_grad()
        torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
        loss.backward()
        optimizer.step()
    """
    assert lines(RULE, source) == [6]


def test_it_is_found_through_a_helper_that_differentiates_and_steps(lines):
    source = """
    import torch
    def update(loss, optimizer):
        loss.backward()
        optimizer.step()
    for batch in loader:
        loss = model(batch).mean()
        optimizer.zero_grad()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        update(loss, optimizer)
    """
    assert lines(RULE, source) == [9]


def test_it_is_found_under_a_condition_of_its_own_but_not_mended(diagnoses):
    source = """
    import torch
    for batch in loader:
        optimizer.zero_grad()
        loss = model(batch).mean()
        if args.clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        loss.backward()
        optimizer.step()
    """
    (one,) = diagnoses(RULE, source)
    assert one.span.line == 7
    assert one.fix is None


def test_clipping_between_backward_and_step_is_fine(lines):
    source = """
    import torch
    for batch in loader:
        optimizer.zero_grad()
        model(batch).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_backward_of_another_loss_before_is_fine(lines):
    source = """
    import torch
    for batch in loader:
        optimizer.zero_grad()
        first(model(batch)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        second(model(batch)).backward()
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_an_iteration_that_starts_with_the_step_is_fine(lines):
    source = """
    import torch
    for batch in loader:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        model(batch).mean().backward()
    """
    assert lines(RULE, source) == []


def test_a_second_clipping_after_the_backward_is_fine(lines):
    source = """
    import torch
    for batch in loader:
        optimizer.zero_grad()
        loss = model(batch).mean()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_clipping_that_only_measures_is_fine(lines):
    source = """
    import torch
    for batch in loader:
        loss = model(batch).mean()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
        loss.backward()
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_gan_that_clips_its_own_half_in_time_is_fine(lines):
    source = """
    import torch
    for real in loader:
        opt_d.zero_grad()
        d_loss(D(real)).backward()
        torch.nn.utils.clip_grad_norm_(D.parameters(), 1.0)
        opt_d.step()
        opt_g.zero_grad()
        g_loss(D(G(z))).backward()
        torch.nn.utils.clip_grad_norm_(G.parameters(), 1.0)
        opt_g.step()
    """
    assert lines(RULE, source) == []


def test_accumulated_gradients_that_are_clipped_at_the_top_are_fine(lines):
    source = """
    import torch
    for i, batch in enumerate(loader):
        if i % 4 == 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        model(batch).mean().backward()
    """
    assert lines(RULE, source) == []


def test_accelerate_is_not_judged(lines):
    source = """
    import torch
    from accelerate import Accelerator
    accelerator = Accelerator()
    for batch in loader:
        loss = model(batch).mean()
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        accelerator.backward(loss)
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_the_fix_moves_the_clipping_and_undoes_a_scale_before_it(diagnoses):
    plain = dedent(
        """
        import torch
        for batch in loader:
            loss = model(batch).mean()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # bound
            loss.backward()
            optimizer.step()
        """
    )
    (one,) = diagnoses(RULE, plain)
    assert apply_fixes(plain, [one.fix])[0].splitlines()[4:6] == [
        "    loss.backward()",
        "    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # bound",
    ]
    scaled = dedent(
        """
        import torch
        scaler = torch.amp.GradScaler()
        for batch in loader:
            loss = model(batch).mean()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        """
    )
    (one,) = diagnoses(RULE, scaled)
    mended, _ = apply_fixes(scaled, [one.fix])
    assert mended.splitlines()[5:8] == [
        "    scaler.scale(loss).backward()",
        "    scaler.unscale_(optimizer)",
        "    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
    ]
    assert list(diagnoses(RULE, mended)) == list(diagnoses("clip-without-unscale", mended)) == []
    unknown = scaled.replace("scaler.step(optimizer)", "step(scaler)")
    assert [one.fix for one in diagnoses(RULE, unknown)] in ([], [None])
