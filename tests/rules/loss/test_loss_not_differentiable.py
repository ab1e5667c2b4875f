"""Where loss-not-differentiable speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "loss-not-differentiable"


def test_a_tensor_made_from_the_loss_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            l = F.mse_loss(net(x), y)
            loss = torch.tensor(l, requires_grad=True)
            loss.backward()
    """,
    ) == [7]


def test_an_item_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        criterion = nn.MSELoss()
        for x, y in loader:
            loss = criterion(model(x), y)
            value = loss.item()
            loss = torch.tensor(value, requires_grad=True)
            loss.backward()
    """,
    ) == [9]


def test_a_detached_loss_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y, opt):
            loss = F.cross_entropy(net(x), y).detach()
            loss.backward()
            opt.step()
    """,
    ) == [5]


def test_detached_predictions_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y, opt):
            out = net(x).detach()
            loss = F.mse_loss(out, y)
            loss.backward()
            opt.step()
    """,
    ) == [6]


def test_an_argmax_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        criterion = nn.L1Loss()
        def f(net, x, y):
            preds = torch.argmax(net(x), dim=1).float()
            loss = criterion(preds, y)
            loss.backward()
    """,
    ) == [8]


def test_the_indices_of_a_maximum_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        criterion = nn.MSELoss()
        def f(net, x, y):
            _, preds = torch.max(net(x), 1)
            loss = criterion(preds.float(), y)
            loss.backward()
    """,
    ) == [8]


def test_a_variable_around_data_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.autograd import Variable
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss = Variable(loss.data, requires_grad=True)
            loss.backward()
    """,
    ) == [7]


def test_numpy_on_the_way_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            out = net(x).detach().cpu().numpy()
            loss = F.mse_loss(torch.from_numpy(out), y)
            loss.backward()
    """,
    ) == [7]


def test_a_tensor_of_collected_numbers_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, batches):
            losses = [F.mse_loss(net(x), y).item() for x, y in batches]
            loss = torch.tensor(losses, requires_grad=True).mean()
            loss.backward()
    """,
    ) == [7]


def test_accelerate_and_scaler_are_read_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from accelerate import Accelerator
        accelerator = Accelerator()
        def f(net, x, y, scaler):
            loss = F.mse_loss(net(x), y).detach()
            accelerator.backward(loss)
    """,
    ) == [7]


def test_a_plain_loss_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss.backward()
            return loss.item()
    """,
        )
        == []
    )


def test_a_detached_target_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, target_net, x):
            target = target_net(x).detach()
            loss = F.mse_loss(net(x), target)
            loss.backward()
    """,
        )
        == []
    )


def test_a_sum_that_starts_as_a_constant_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(nets, x, y):
            loss = torch.tensor(0.0)
            for net in nets:
                loss = loss + F.mse_loss(net(x), y)
            loss.backward()
    """,
        )
        == []
    )


def test_an_augmented_sum_that_starts_as_a_constant_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(nets, x, y):
            loss = torch.tensor(0.0, requires_grad=True)
            for net in nets:
                loss += F.mse_loss(net(x), y)
            loss.backward()
    """,
        )
        == []
    )


def test_a_detached_factor_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(log_alpha, log_pi, target_entropy):
            alpha_loss = -(log_alpha * (log_pi + target_entropy).detach()).mean()
            alpha_loss.backward()
    """,
        )
        == []
    )


def test_an_advantage_from_items_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def finish(saved, returns):
            policy_losses = []
            for (log_prob, value), R in zip(saved, returns):
                advantage = R - value.item()
                policy_losses.append(-log_prob * advantage)
            loss = torch.stack(policy_losses).sum()
            loss.backward()
    """,
        )
        == []
    )


def test_the_straight_through_estimator_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(encoder, decoder, codebook, x):
            z = encoder(x)
            index = torch.argmin(torch.cdist(z, codebook), dim=1)
            q = codebook[index]
            q = z + (q - z).detach()
            loss = F.mse_loss(decoder(q), x)
            loss.backward()
    """,
        )
        == []
    )


def test_a_detach_after_the_backward_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss.backward()
            loss = loss.detach()
            return loss
    """,
        )
        == []
    )


def test_an_argmax_for_the_accuracy_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            out = net(x)
            pred = out.argmax(1)
            accuracy = (pred == y).float().mean()
            loss = F.cross_entropy(out, y)
            loss.backward()
            return accuracy
    """,
        )
        == []
    )


def test_pseudo_labels_from_argmax_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, strong):
            pseudo = net(x).argmax(dim=1)
            loss = F.cross_entropy(net(strong), pseudo)
            loss.backward()
    """,
        )
        == []
    )


def test_gathered_values_at_an_argmax_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(q, x, y):
            values = q(x)
            best = values.argmax(1, keepdim=True)
            chosen = values.gather(1, best)
            loss = F.mse_loss(chosen, y)
            loss.backward()
    """,
        )
        == []
    )


def test_the_values_of_a_maximum_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(q, x, y):
            values, _ = torch.max(q(x), dim=1)
            loss = F.mse_loss(values, y)
            loss.backward()
    """,
        )
        == []
    )


def test_a_detached_input_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def d_step(d, g, z, zeros):
            fake = g(z).detach()
            loss = F.binary_cross_entropy_with_logits(d(fake), zeros)
            loss.backward()
    """,
        )
        == []
    )


def test_scalars_of_a_first_lesson_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        x = torch.tensor(1., requires_grad=True)
        w = torch.tensor(2., requires_grad=True)
        y = w * x
        y.backward()
    """,
        )
        == []
    )


def test_a_loss_that_is_detached_in_one_branch_only_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y, train):
            loss = F.mse_loss(net(x), y)
            if not train:
                loss = loss.detach()
            loss.backward()
    """,
        )
        == []
    )


def test_an_unknown_function_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from mylib import compute_loss
        def f(net, x, y):
            out = net(x).detach()
            loss = compute_loss(net, out, y)
            loss.backward()
    """,
        )
        == []
    )


OVERLAP = """
import torch
import torch.nn.functional as F
def overlap(scores, truth, eps=1e-6):
    picked = {picked}
    wanted = F.one_hot(truth, 4).float()
    both = (picked * wanted)[:, 1:].sum()
    return 1 - (both + eps) / (picked.sum() + wanted.sum() + eps)
def f(net, x, y):
    loss = overlap(net(x), y)
    {forced}
    loss.backward()
"""


def test_classes_that_are_picked_and_encoded_are_followed_through_a_function(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    picked = "F.one_hot(scores.argmax(1), 4).float()"
    for forced in ("pass", "loss.requires_grad_(True)", "loss.requires_grad = True"):
        (one,) = diagnoses(RULE, OVERLAP.format(picked=picked, forced=forced))
        assert "`scores.argmax(1)`" in one.message
        assert [related.span.line for related in one.related] == [5]


def test_encoded_targets_leave_the_loss_attached(lines: Lines) -> None:
    assert lines(RULE, OVERLAP.format(picked="scores.softmax(1)", forced="pass")) == []


@pytest.mark.parametrize(
    ("start", "added", "made", "expected"),
    [
        ("0.0", "(-p * r).item()", "torch.as_tensor(loss)", 1),
        ("0", "float(r) + p.item()", "torch.tensor(loss)", 0),
        ("torch.zeros(())", "p.detach() * 2", "loss", 1),
        ("torch.zeros(())", "p * 2", "loss", 0),
        ("base(x)", "p.item()", "torch.as_tensor(loss)", 0),
        ("0.0", "2", "torch.as_tensor(loss)", 0),
    ],
)
def test_a_total_is_cut_where_all_that_is_added_is(
    lines: Lines, start: str, added: str, made: str, expected: int
) -> None:
    source = f"""
import torch
def f(pairs, x):
    loss = {start}
    for p, r in pairs:
        loss += {added}
    loss = {made}
    loss.backward()
"""
    assert len(lines(RULE, source)) == expected


def test_a_tensor_that_keeps_its_graph_is_not_cut_by_as_tensor(lines: Lines) -> None:
    source = """
    import torch
    import torch.nn.functional as F
    def f(net, x, y):
        loss = torch.as_tensor(F.mse_loss(net(x), y))
        loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_total_of_the_file_that_a_function_differentiates_is_asked_twice(lines: Lines) -> None:
    source = """
    import torch
    total = torch.zeros(())
    total += shown.item()
    def f():
        total.backward()
    def g():
        total.backward()
    """
    assert lines(RULE, source) == [6, 8]
