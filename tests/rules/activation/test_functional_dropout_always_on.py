"""Edge cases of functional-dropout-always-on."""

import pytest

RULE = "functional-dropout-always-on"


def in_forward(call):
    return f"""
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        from torch.nn import functional as nnf
        from torch.nn.functional import dropout
        class Net(nn.Module):
            def forward(self, x, training=True, **kwargs):
                x = {call}
                return x
    """


@pytest.mark.parametrize(
    "call",
    [
        "F.dropout(x)",
        "F.dropout(x, p=0.5)",
        "F.dropout(x, 0.1)",
        "nnf.dropout(x, 0.2)",
        "dropout(x, p=0.3)",
        "torch.nn.functional.dropout(x, 0.2)",
        "nn.functional.dropout(x, p=0.5, inplace=True)",
        "F.dropout2d(x, 0.2)",
        "F.dropout3d(x)",
        "F.dropout(F.relu(x), self.p)",
        "F.relu(F.dropout(x, 0.5)) + 1",
    ],
)
def test_a_dropout_that_does_not_know_the_mode_is_found(lines, call):
    assert lines(RULE, in_forward(call)) == [9]


@pytest.mark.parametrize(
    "call",
    [
        "F.dropout(x, training=self.training)",
        "F.dropout(x, 0.5, self.training)",
        "F.dropout(x, p=0.5, training=training)",
        "F.dropout(x, 0.5, training)",
        "F.dropout(x, p=0.5, training=True)",
        "F.dropout(x, 0.5, True)",
        "F.dropout(x, **kwargs)",
        "F.dropout(x, *kwargs)",
        "F.dropout(x, p=0.0)",
        "F.dropout(x, 0)",
        "F.dropout(x, p=0.5 if self.training else 0)",
        "F.dropout(x, self.p * self.training)",
        "F.dropout(x, 0.5) if self.training else x",
        "F.alpha_dropout(x, 0.1)",
        "F.feature_alpha_dropout(x, 0.1)",
        "self.dropout(x)",
        "nn.Dropout(0.5)(x)",
        "torch.dropout(x, 0.5, self.training)",
    ],
)
def test_a_dropout_that_knows_the_mode_is_fine(lines, call):
    assert lines(RULE, in_forward(call)) == []


def test_a_helper_method_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        import pytorch_lightning as pl
        class Net(pl.LightningModule):
            def forward(self, x):
                return self.encode(x)
            def encode(self, x):
                return F.dropout(x, 0.1)
    """,
    ) == [8]


def test_a_class_derived_in_the_file_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        import torch.nn.functional as F
        class Base(nn.Module):
            pass
        class Net(Base):
            def forward(self, x):
                for layer in self.layers:
                    x = F.dropout(layer(x), p=self.dropout)
                return x
    """,
    ) == [9]


def test_a_dropout_guarded_by_the_mode_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x):
                if self.training:
                    x = F.dropout(x, 0.1)
                if self.p > 0 and self.training:
                    x = F.dropout(x, p=self.p)
                return x
    """,
        )
        == []
    )


def test_a_dropout_behind_an_early_return_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x):
                if not self.training or self.p == 0:
                    return x
                return F.dropout(x, 0.1)
    """,
        )
        == []
    )


def test_a_dropout_in_the_other_branch_of_the_mode_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x):
                if not self.training:
                    y = x
                else:
                    y = F.dropout(x, 0.1)
                return y
    """,
        )
        == []
    )


def test_noise_in_a_training_function_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def train(model, loader, optimizer):
            for x, _ in loader:
                noisy = F.dropout(x, 0.3)
                loss = F.mse_loss(model(noisy), x)
    """,
        )
        == []
    )


def test_a_training_step_is_only_run_in_training(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        import lightning as L
        class Denoiser(L.LightningModule):
            def training_step(self, batch, batch_idx):
                x = batch
                return F.mse_loss(self(F.dropout(x, 0.3)), x)
    """,
        )
        == []
    )


def test_a_closure_in_a_training_step_is_only_run_in_training(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        import lightning.pytorch as pl
        class Net(pl.LightningModule):
            def training_step(self, batch, batch_idx):
                def compute_loss():
                    return self(F.dropout(batch[0], 0.1)).sum()
                self.optimizers().step(compute_loss)
    """,
        )
        == []
    )


def test_a_parameter_that_says_the_mode_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x, train=True):
                if train:
                    x = F.dropout(x, 0.1)
                return x
            def encode(self, x, is_training, deterministic):
                if is_training:
                    x = F.dropout(x, 0.1)
                if not deterministic:
                    x = F.dropout(x, 0.1)
                return x
    """,
        )
        == []
    )


def test_monte_carlo_dropout_is_meant(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class MCDropout(nn.Module):
            def forward(self, x):
                return F.dropout(x, self.p)
    """,
        )
        == []
    )


def test_another_library_with_the_same_letter_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import paddle.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def forward(self, x):
                return F.dropout(x, 0.1)
    """,
        )
        == []
    )


def test_the_fix_hands_on_the_mode(diagnoses):
    (one,) = diagnoses(RULE, in_forward("F.dropout(x, 0.1)"))
    assert one.fix is not None
    assert "training=self.training" in "".join(edit.replacement for edit in one.fix.edits)


def test_the_pre_net_of_tacotron_is_meant(lines):
    found = lines(
        "functional-dropout-always-on",
        """
        import torch.nn.functional as F
        from torch import nn

        class Prenet(nn.Module):
            def forward(self, x):
                for layer in self.layers:
                    x = F.dropout(layer(x), p=self.dropout)
                return x
        """,
    )
    assert found == []
