"""Edge cases of lr-out-of-range."""

import pytest

RULE = "lr-out-of-range"


def test_a_rate_of_ten_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        optimizer = optim.SGD(net.parameters(), lr=10)
    """,
    ) == [3]


def test_a_rate_given_by_position_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import optim
        optimizer = optim.SGD(net.parameters(), 5.0, momentum=0.9)
    """,
    ) == [3]


def test_a_rate_in_a_constant_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        LR = 3e-9
        optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
    """,
    ) == [4]


def test_a_negative_rate_is_found_whatever_it_trains(lines):
    assert lines(
        RULE,
        """
        from torch.optim import Adam
        optimizer = Adam([image], lr=-1e-3)
    """,
    ) == [3]


def test_a_default_of_argparse_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=1e-8)
        args = parser.parse_args()
        optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    """,
    ) == [7]


def test_a_rate_in_a_trainer_class_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, model, lr=100.0):
                self.model = model
                self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)
    """,
    ) == [6]


def test_a_rate_in_a_dict_of_settings_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        config = {"lr": 30, "epochs": 3}
        optimizer = torch.optim.RMSprop(model.parameters(), lr=config["lr"])
    """,
    ) == [4]


def test_a_rate_in_a_known_dict_of_keywords_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        settings = dict(lr=20.0, momentum=0.9)
        optimizer = torch.optim.SGD(model.parameters(), **settings)
    """,
    ) == [4]


def test_a_rate_in_a_group_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(
            [
                {"params": net.body.parameters()},
                {"params": net.head.parameters(), "lr": 50.0},
            ],
            lr=0.1,
        )
    """,
    ) == [6]


def test_a_rate_of_zero_that_nothing_raises_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
    """,
    ) == [3]


def test_the_message_names_the_rate_and_the_bound(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=10)
    """,
    )
    assert "10" in one.message
    assert "1" in one.message


def test_the_bounds_can_be_set(lines):
    source = """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=10)
    """
    assert lines(RULE, source, highest=20.0) == []


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.LBFGS(net.parameters(), lr=1)",
        "torch.optim.Adadelta(net.parameters(), lr=1.0)",
        "torch.optim.Adadelta(net.parameters(), lr=2.0)",
        "torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9)",
        "torch.optim.SGD(net.parameters(), lr=1e-7)",
        "torch.optim.Adam(net.parameters())",
    ],
)
def test_usual_rates_are_fine(lines, call):
    assert (
        lines(
            RULE,
            f"""
        import torch
        optimizer = {call}
    """,
        )
        == []
    )


def test_tensors_optimised_directly_may_take_large_steps(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        image = torch.rand(1, 3, 64, 64, requires_grad=True)
        optimizer = torch.optim.SGD([image], lr=10.0)
    """,
        )
        == []
    )


def test_an_optimizer_from_elsewhere_has_its_own_scale(lines):
    assert (
        lines(
            RULE,
            """
        from prodigyopt import Prodigy
        from dadaptation import DAdaptSGD
        a = Prodigy(net.parameters(), lr=2.0)
        b = DAdaptSGD(net.parameters(), lr=5.0)
    """,
        )
        == []
    )


def test_a_class_of_the_same_name_is_not_the_optimizer(lines):
    assert (
        lines(
            RULE,
            """
        class SGD:
            def __init__(self, params, lr): ...
        optimizer = SGD(net.parameters(), lr=10)
    """,
        )
        == []
    )


def test_a_rate_of_zero_under_a_warm_up_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.optim.lr_scheduler import LambdaLR
        optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
        scheduler = LambdaLR(optimizer, lambda step: 1.0)
    """,
        )
        == []
    )


def test_a_rate_of_zero_inside_a_wrapper_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = NoamOpt(512, 1, 400, torch.optim.Adam(net.parameters(), lr=0, eps=1e-9))
    """,
        )
        == []
    )


def test_a_rate_that_is_set_in_the_groups_later_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=0)
        for step, (x, y) in enumerate(loader):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step)
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_rate_of_zero_in_a_group_is_a_freeze(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(
            [{"params": net.body.parameters(), "lr": 0.0}, {"params": net.head.parameters()}],
            lr=0.1,
        )
    """,
        )
        == []
    )


def test_a_schedule_that_sets_the_rate_itself_makes_the_literal_idle(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-8)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    """,
        )
        == []
    )


def test_a_large_rate_with_clipped_gradients_is_a_known_recipe(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=30)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            optimizer.step()
    """,
        )
        == []
    )


def test_a_large_rate_for_a_probe_on_frozen_features_is_a_known_recipe(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for name, param in model.named_parameters():
            if name not in ["fc.weight", "fc.bias"]:
                param.requires_grad = False
        parameters = list(filter(lambda p: p.requires_grad, model.parameters()))
        optimizer = torch.optim.SGD(parameters, lr=30.0, momentum=0.9)
    """,
        )
        == []
    )


def test_an_unknown_rate_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(net, config):
            return torch.optim.SGD(net.parameters(), lr=config.lr * 100)
    """,
        )
        == []
    )


def test_a_rate_that_must_be_refused_in_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import pytest
        import torch
        def test_refused(net):
            with pytest.raises(ValueError):
                torch.optim.SGD(net.parameters(), lr=-1.0)
    """,
        )
        == []
    )


def test_a_rate_reassigned_in_a_branch_is_unknown(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        lr = 10
        if small:
            lr = 0.1
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    """,
        )
        == []
    )


def test_a_rate_of_zero_under_a_loaded_state_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
        optimizer.load_state_dict(torch.load("optimizer.pt"))
    """,
        )
        == []
    )


def test_a_rate_under_a_schedule_of_another_package_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from transformers import get_linear_schedule_with_warmup
        optimizer = torch.optim.AdamW(net.parameters(), lr=0)
        schedule = get_linear_schedule_with_warmup(optimizer=optimizer, num_warmup_steps=10)
    """,
        )
        == []
    )


def test_a_rate_that_a_cycle_rises_to_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        LR = 10
        optimizer = torch.optim.SGD(net.parameters(), lr=LR)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LR, total_steps=100)
    """,
    ) == [4]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("tests/test_sgd.py", []),
        ("sgd_test.py", []),
        ("conftest.py", []),
        ("tests/net.py", []),
        ("net.py", [3]),
    ],
)
def test_nothing_is_meant_to_learn_in_a_test(lines, path, found):
    source = """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=30)
    """
    assert lines(RULE, source, path=path) == found


def test_a_recurrent_network_is_clipped_somewhere(lines):
    source = """
        import torch
        net = torch.nn.LSTM(8, 8)
        optimizer = torch.optim.SGD(net.parameters(), lr=20.0)
    """
    assert lines(RULE, source) == []
    assert lines(RULE, source.replace("LSTM", "Linear")) == [4]


@pytest.mark.parametrize(("kind", "found"), [("Adam", [3]), ("RMSprop", [3]), ("SGD", [])])
def test_clipping_does_not_shorten_the_steps_of_adam(lines, kind, found):
    assert (
        lines(
            RULE,
            f"""
        import torch
        optimizer = torch.optim.{kind}(model.parameters(), lr=20)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    """,
        )
        == found
    )
