"""Which way a metric improves, by its name."""

import pytest

from trainlint.static.model import Goal


@pytest.mark.parametrize(
    "text",
    [
        "acc",
        "val_acc1",
        "valAccuracy",
        "self.best_auc",
        "logs['val_f1']",
        "accuracy(net)",
        "'top1'",
        "mean_iou.item()",
        "np.mean(accs)",
        "float(psnr)",
        "r2",
        "val_r2_score",
        "r_squared(net)",
    ],
)
def test_names_of_what_rises(model, text):
    file = model(f"ask({text})")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is Goal.MAX


@pytest.mark.parametrize(
    "text", ["loss", "val_loss", "valLoss", "test_error", "logs['rmse']", "loss.item()", "ppl"]
)
def test_names_of_what_falls(model, text):
    file = model(f"ask({text})")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is Goal.MIN


@pytest.mark.parametrize(
    "text",
    [
        "score",
        "x",
        "m[0]",
        "-acc",
        "1 - acc",
        "acc + f1",
        "acc_loss",
        "neg_acc",
        "one_minus_acc",
        "maccs",
        "accumulated",
        "errand",
        "f()",
        "None",
        "3",
    ],
)
def test_what_says_nothing_or_two_things(model, text):
    file = model(f"ask({text})")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is None


@pytest.mark.parametrize("value", ["-f()", "1 - f()", "1 / f()", "f() * -1", "(1 - f()) / n"])
def test_a_value_that_is_turned_round_on_the_way(model, value):
    file = model(f"acc = {value}\nask(acc)")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is None


def test_an_average_is_not_turned_round(model):
    file = model("acc = right / len(data)\nask(acc)")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is Goal.MAX


@pytest.mark.parametrize(
    ("made", "goal"),
    [
        ("1 - residual / total", Goal.MAX),
        ("1.0 - (residual / total).item()", Goal.MAX),
        ("-score(net)", None),
        ("1 - r2_score(truth, guess)", None),
        ("residual / total", Goal.MAX),
    ],
)
def test_the_share_of_explained_variance_is_a_rest_by_definition(model, made, goal):
    file = model(f"r2 = {made}\nask(r2)")
    (call,) = file.method_calls("ask")
    assert file.goal_of(call.args[0]) is goal
