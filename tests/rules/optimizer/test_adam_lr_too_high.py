"""Edge cases of adam-lr-too-high."""

import pytest

RULE = "adam-lr-too-high"


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam"])
def test_a_rate_of_a_tenth_is_found(lines, name):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = torch.optim.{name}(net.parameters(), lr=0.1)
    """,
    ) == [3]


def test_a_rate_of_a_hundredth_for_a_deep_network_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn, optim
        net = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2),
        )
        optimizer = optim.Adam(net.parameters(), 1e-2)
    """,
    ) == [7]


def test_a_rate_in_a_constant_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import AdamW
        LEARNING_RATE = 0.3
        optimizer = AdamW(model.parameters(), lr=LEARNING_RATE)
    """,
    ) == [4]


def test_a_rate_in_a_trainer_class_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        class Trainer:
            lr = 0.1
            def __init__(self, model):
                self.model = model
                self.optimizer = optim.Adam(self.model.parameters(), lr=self.lr)
    """,
    ) == [7]


def test_parameters_of_several_modules_in_one_list_are_modules(lines):
    assert lines(
        RULE,
        """
        import torch
        params = list(encoder.parameters()) + list(decoder.parameters())
        optimizer = torch.optim.Adam(params, lr=0.1)
    """,
    ) == [4]


def test_configure_optimizers_of_lightning_is_read(lines):
    assert lines(
        RULE,
        """
        import torch
        import lightning as L
        class Net(L.LightningModule):
            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters(), lr=0.1)
    """,
    ) == [6]


def test_a_filter_over_parameters_is_read(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, net.parameters()), lr=0.1)
    """,
    ) == [3]


def test_style_transfer_moves_pixels(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        target = content.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([target], lr=0.1)
    """,
        )
        == []
    )


def test_a_single_parameter_is_a_probe(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        log_alpha = torch.zeros(1, requires_grad=True)
        a_optimizer = torch.optim.Adam([log_alpha], lr=0.1)
        b_optimizer = torch.optim.Adam([net.temperature], lr=0.1)
    """,
        )
        == []
    )


def test_usual_rates_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.Adam(net.parameters())
        b = torch.optim.Adam(net.parameters(), lr=3e-4)
        c = torch.optim.AdamW(net.parameters(), lr=5e-3)
    """,
        )
        == []
    )


def test_a_hundredth_for_a_shallow_network_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn, optim
        policy = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 2))
        optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    """,
        )
        == []
    )


def test_other_optimizers_take_larger_steps(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        b = torch.optim.Adadelta(net.parameters(), lr=1.0)
        c = torch.optim.Adagrad(net.parameters(), lr=0.1)
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
        from mine import Adam
        a = Prodigy(net.parameters(), lr=1.0)
        b = Adam(net.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_a_schedule_by_factors_makes_the_literal_a_multiplier(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.optim.lr_scheduler import LambdaLR
        optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
        scheduler = LambdaLR(optimizer, lr_lambda=lambda step: rate(step, 512, 1.0, 400))
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
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=100)
    """,
        )
        == []
    )


def test_a_rate_written_into_the_groups_makes_the_literal_idle(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        for step in range(100):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step)
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_name_that_holds_unknown_parameters_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(params):
            return torch.optim.Adam(params, lr=0.1)
    """,
        )
        == []
    )


def test_a_linear_model_by_itself_is_fine_at_a_hundredth(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        model = torch.nn.Linear(1, 1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    """,
        )
        == []
    )


def test_a_default_that_is_meant_for_a_step_by_hand_is_still_what_adam_gets(lines):
    # A language model whose default of 20 fits the step by hand, and goes to AdamW, too.
    assert lines(
        RULE,
        """
        import argparse
        import torch
        from torch import nn
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=20)
        parser.add_argument("--use-optimizer", action="store_true")
        args = parser.parse_args()
        model = nn.Sequential(nn.Embedding(99, 8), nn.Linear(8, 99))
        if args.use_optimizer:
            optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
        for x, y in loader:
            model.zero_grad()
            criterion(model(x), y).backward()
            if args.use_optimizer:
                optimizer.step()
            else:
                for p in model.parameters():
                    p.data.add_(p.grad, alpha=-args.lr)
    """,
    ) == [11]


def test_a_default_that_is_meant_for_another_optimizer_too_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.1)
        args = parser.parse_args()
        if args.optimizer == "sgd":
            optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
        else:
            optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    """,
        )
        == []
    )


def test_a_parameter_in_a_group_of_its_own_is_a_probe(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        groups = [{"params": net.parameters()}, {"params": [log_alpha], "lr": 0.1}]
        optimizer = torch.optim.Adam(groups, lr=1e-3)
    """,
        )
        == []
    )


def test_an_actor_and_a_critic_in_one_class_are_two_shallow_networks(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class ActorCritic(nn.Module):
            def __init__(self):
                super().__init__()
                self.actor = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 2))
                self.critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))
            def forward(self, x):
                return self.actor(x), self.critic(x)
        policy = ActorCritic()
        optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    """,
        )
        == []
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("tests/test_adam.py", []),
        ("adam_test.py", []),
        ("conftest.py", []),
        ("tests/net.py", []),
        ("net.py", [3]),
    ],
)
def test_nothing_is_meant_to_learn_in_a_test(lines, path, found):
    source = """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    """
    assert lines(RULE, source, path=path) == found


def test_a_class_with_a_single_layer_is_a_linear_model(lines):
    source = """
        import torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = SGConv(9, 3, K=2)
            def forward(self, x):
                return self.conv1(x)
        optimizer = torch.optim.Adam(Net().parameters(), lr=0.2)
    """
    assert lines(RULE, source) == []
    assert lines(RULE, source.replace("self.conv1 =", "self.conv0 = self.conv1 =")) == [9]


def test_a_gaussian_process_has_a_few_numbers(lines):
    source = """
        import gpytorch
        import torch
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.covar_module = gpytorch.kernels.RBFKernel()
                self.first, self.last = torch.nn.Linear(8, 8), torch.nn.Linear(8, 2)
        model = Model()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    """
    assert lines("adam-lr-too-high", source) == []
    assert lines("adam-lr-too-high", source.replace("gpytorch", "others")) == [10]
