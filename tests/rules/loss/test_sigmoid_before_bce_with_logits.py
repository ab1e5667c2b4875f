"""Where sigmoid-before-bce-with-logits speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "sigmoid-before-bce-with-logits"


def test_a_sigmoid_inside_of_the_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            return F.binary_cross_entropy_with_logits(torch.sigmoid(net(x)), y)
    """,
    ) == [5]


def test_a_sigmoid_method_in_a_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.nn import BCEWithLogitsLoss
        bce = BCEWithLogitsLoss()
        def f(net, x, y):
            prob = net(x).sigmoid().squeeze(1)
            loss = bce(prob, y)
            return loss
    """,
    ) == [6]


def test_a_sigmoid_in_the_forward_of_the_class_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                return torch.sigmoid(self.fc(x))

        model = Net()
        criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))
        for x, y in loader:
            loss = criterion(model(x), y)
    """,
    ) == [15]


def test_a_sequential_that_ends_in_sigmoid_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from collections import OrderedDict
        import torch.nn as nn
        net = nn.Sequential(OrderedDict([("fc", nn.Linear(4, 1)), ("out", nn.Sigmoid())]))
        criterion = nn.BCEWithLogitsLoss().cuda()
        for x, y in loader:
            output = net(x)
            loss = criterion(output.view(-1), y)
    """,
    ) == [8]


def test_an_adversarial_network_with_the_wrong_pair_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn

        class D(nn.Module):
            def __init__(self):
                super().__init__()
                self.model = nn.Sequential(nn.Linear(784, 1), nn.Sigmoid())
            def forward(self, img):
                validity = self.model(img.view(img.size(0), -1))
                return validity

        adversarial_loss = torch.nn.BCEWithLogitsLoss()
        discriminator = D()
        def d_step(real, fake, ones, zeros):
            real_loss = adversarial_loss(discriminator(real), ones)
            fake_loss = adversarial_loss(discriminator(fake.detach()), zeros)
            return (real_loss + fake_loss) / 2
    """,
    ) == [16, 17]


def test_a_lightning_module_with_its_loss_as_attribute_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        import torch
        from torch import nn

        class Model(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
                self.loss = nn.BCEWithLogitsLoss()

            def forward(self, x):
                return self.net(x)

            def training_step(self, batch, _):
                x, y = batch
                y_hat = self(x)
                return self.loss(y_hat, y)
    """,
    ) == [18]


def test_bce_after_a_sigmoid_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        model = nn.Sequential(nn.Linear(784, 1), nn.Sigmoid())
        adversarial_loss = torch.nn.BCELoss()
        def f(x, y):
            return adversarial_loss(model(x), y)
    """,
        )
        == []
    )


def test_logits_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        model = nn.Sequential(nn.Linear(784, 1))
        criterion = nn.BCEWithLogitsLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )


def test_a_sigmoid_for_metrics_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            logits = net(x)
            predicted = torch.sigmoid(logits) > 0.5
            return F.binary_cross_entropy_with_logits(logits, y), predicted
    """,
        )
        == []
    )


def test_a_gate_inside_of_the_network_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Gated(nn.Module):
            def __init__(self):
                super().__init__()
                self.gate = nn.Linear(8, 8)
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                return self.fc(x * torch.sigmoid(self.gate(x)))
        net = Gated()
        criterion = nn.BCEWithLogitsLoss()
        def f(x, y):
            return criterion(net(x), y)
    """,
        )
        == []
    )


def test_a_product_with_a_sigmoid_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def swish_head(net, x, y):
            z = net(x)
            return F.binary_cross_entropy_with_logits(z * torch.sigmoid(z), y)
    """,
        )
        == []
    )


def test_soft_targets_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def distill(student, teacher, x):
            return F.binary_cross_entropy_with_logits(student(x), torch.sigmoid(teacher(x)))
    """,
        )
        == []
    )


def test_a_relativistic_difference_of_logits_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        bce = torch.nn.BCEWithLogitsLoss()
        def g_loss(d, fake, real, valid):
            return bce(d(fake) - d(real).mean(0, keepdim=True), valid)
    """,
        )
        == []
    )


def test_a_criterion_that_depends_on_an_option_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        def f(net, x, y, use_logits):
            criterion = nn.BCEWithLogitsLoss() if use_logits else nn.BCELoss()
            return criterion(torch.sigmoid(net(x)), y)
    """,
        )
        == []
    )


def test_two_criteria_for_two_models_are_told_apart(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        bce = nn.BCELoss()
        bce_logits = nn.BCEWithLogitsLoss()
        def f(net, x, y):
            z = net(x)
            return bce(torch.sigmoid(z), y) + bce_logits(z, y)
    """,
        )
        == []
    )


def test_a_sigmoid_only_while_not_training_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                z = self.fc(x)
                if not self.training:
                    z = torch.sigmoid(z)
                return z
        net = Net()
        loss_fn = nn.BCEWithLogitsLoss()
        def f(x, y):
            return loss_fn(net(x), y)
    """,
        )
        == []
    )


def test_a_focal_loss_that_needs_both_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class FocalLoss(nn.Module):
            def __init__(self, gamma=1.5):
                super().__init__()
                self.loss_fcn = nn.BCEWithLogitsLoss(reduction="none")
                self.gamma = gamma
            def forward(self, pred, true):
                loss = self.loss_fcn(pred, true)
                pred_prob = torch.sigmoid(pred)
                p_t = true * pred_prob + (1 - true) * (1 - pred_prob)
                return (loss * (1 - p_t) ** self.gamma).mean()
    """,
        )
        == []
    )


def test_a_model_from_another_file_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        from models import Discriminator
        criterion = nn.BCEWithLogitsLoss()
        d = Discriminator()
        def f(x, y):
            return criterion(d(x), y)
    """,
        )
        == []
    )


def test_two_sigmoids_in_one_batch_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        critic = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(0))
        objective = nn.BCEWithLogitsLoss()
        def f(good, bad, labels):
            both = torch.cat((critic(good), critic(bad)))
            return objective(both, labels)
    """,
    ) == [8]


def test_a_sigmoid_beside_raw_scores_or_in_a_list_that_grows_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        critic, scores = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()), nn.Linear(8, 1)
        objective = nn.BCEWithLogitsLoss()
        def f(good, bad, labels, parts):
            parts.append(critic(good))
            mixed = torch.cat([critic(good), scores(bad)], dim=1)
            return objective(mixed, labels) + objective(torch.cat(parts), labels)
    """,
        )
        == []
    )
