"""Edge cases of plateau-mode-mismatch."""

import pytest

from trainlint.core.fix import apply_fixes

RULE = "plateau-mode-mismatch"
HEAD = """\
import torch
from torch import optim
from torch.optim.lr_scheduler import ReduceLROnPlateau
opt = optim.SGD(net.parameters(), lr=0.1)
"""
LOOP = """
for epoch in range(epochs):
    train(net)
    sched.step({})
"""


@pytest.mark.parametrize(
    ("mode", "metric"),
    [
        ("", "val_acc"),
        (", mode='min'", "accuracy"),
        (", 'min'", "metrics['val_f1']"),
        ("", "evaluate_accuracy(net)"),
        ("", "valAcc"),
        ("", "acc1.item()"),
        ("", "np.mean(val_accs)"),
        ("", "self.best_auc"),
        ("", "metrics=mean_iou"),
        (", mode='max'", "val_loss"),
        (", 'max'", "loss.item()"),
        (", mode='max'", "meter['rmse']"),
        (", mode='max'", "test_error"),
    ],
)
def test_a_metric_that_goes_the_other_way_is_found(lines, mode, metric):
    source = HEAD + f"sched = ReduceLROnPlateau(opt{mode})" + LOOP.format(metric)
    assert lines(RULE, source) == [5]


@pytest.mark.parametrize(
    ("mode", "metric"),
    [
        ("", "val_loss"),
        (", mode='max'", "val_acc"),
        ("", "-val_acc"),
        ("", "1 - val_acc"),
        ("", "1.0 / psnr"),
        ("", "score"),
        ("", "metrics[0]"),
        ("", "evaluate(net)"),
        ("", "neg_accuracy"),
        ("", "acc_loss"),
        (", mode='max'", "-val_loss"),
        (", mode=args.mode", "val_acc"),
        (", **settings", "val_acc"),
        ("", "maccs_value"),
    ],
)
def test_metrics_that_fit_are_turned_round_or_say_nothing_are_fine(lines, mode, metric):
    source = HEAD + f"sched = ReduceLROnPlateau(opt{mode})" + LOOP.format(metric)
    assert lines(RULE, source) == []


def test_a_variable_that_holds_a_negative_is_fine(lines):
    source = (
        HEAD
        + "sched = ReduceLROnPlateau(opt)\nfor e in range(9):\n    acc = -test(net)\n    sched.step(acc)\n"
    )
    assert lines(RULE, source) == []


def test_a_mean_over_batches_is_still_a_loss(lines):
    source = (
        HEAD
        + "sched = ReduceLROnPlateau(opt, 'max')\nfor e in range(9):\n    val_loss = total / len(loader)\n    sched.step(val_loss)\n"
    )
    assert lines(RULE, source) == [5]


def test_the_monitor_of_lightning_is_read(lines):
    source = """
        import torch
        import lightning as L
        class M(L.LightningModule):
            def configure_optimizers(self):
                opt = torch.optim.Adam(self.parameters())
                sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=3)
                return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "monitor": "val_acc"}}
        class N(L.LightningModule):
            def configure_optimizers(self):
                opt = torch.optim.Adam(self.parameters())
                return {
                    "optimizer": opt,
                    "lr_scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max"),
                    "monitor": "val_loss",
                }
        class O(L.LightningModule):
            def configure_optimizers(self):
                opt = torch.optim.Adam(self.parameters())
                sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt)
                return [opt], [{"scheduler": sched, "monitor": "val_loss"}]
    """
    assert lines(RULE, source) == [7, 14]


def test_a_trainer_with_methods_is_found(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net):
                self.opt = torch.optim.Adam(net.parameters())
                self.sched = torch.optim.lr_scheduler.ReduceLROnPlateau(self.opt, factor=0.5)
            def fit(self):
                for epoch in range(9):
                    val_accuracy = self.evaluate()
                    self.sched.step(val_accuracy)
    """
    assert lines(RULE, source) == [6]


def test_a_scheduler_that_may_be_another_one_is_not_judged(lines):
    source = (
        HEAD + "sched = ReduceLROnPlateau(opt) if plateau else get(opt)" + LOOP.format("val_acc")
    )
    assert lines(RULE, source) == []


def test_a_rate_of_zero_is_not_meant_to_learn(lines):
    source = HEAD.replace("0.1", "0") + "sched = ReduceLROnPlateau(opt)" + LOOP.format("acc")
    assert lines(RULE, source) == []


@pytest.mark.parametrize(
    ("made", "mended"),
    [
        ("ReduceLROnPlateau(opt)", 'ReduceLROnPlateau(opt, mode="max")'),
        ("ReduceLROnPlateau(opt, 'min')", "ReduceLROnPlateau(opt, 'max')"),
        (
            "ReduceLROnPlateau(opt, mode='min', factor=0.5)",
            "ReduceLROnPlateau(opt, mode='max', factor=0.5)",
        ),
    ],
)
def test_the_fix_passes_the_mode(diagnoses, made, mended):
    source = HEAD + "sched = " + made + LOOP.format("val_acc")
    (found,) = diagnoses(RULE, source)
    assert apply_fixes(source, [found.fix])[0] == source.replace(made, mended)


def test_a_mode_that_is_written_elsewhere_has_no_fix(diagnoses):
    source = HEAD + "MODE = 'min'\nsched = ReduceLROnPlateau(opt, MODE)" + LOOP.format("val_acc")
    (found,) = diagnoses(RULE, source)
    assert found.fix is None
