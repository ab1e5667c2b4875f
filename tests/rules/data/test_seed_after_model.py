"""Where seed-after-model speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "seed-after-model"


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        torch.manual_seed(0)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
    """,
    ) == [5]


def test_a_class_of_the_file_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 2)
            def forward(self, x):
                return self.fc(x)
        def main(args):
            model = Net().to(args.device)
            torch.manual_seed(args.seed)
            optimizer = torch.optim.Adam(model.parameters())
    """,
    ) == [12]


def test_a_helper_of_the_file_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import torch
        from torch import nn
        def set_seed(seed):
            random.seed(seed)
            torch.manual_seed(seed)
        def main():
            model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
            set_seed(0)
            optimizer = torch.optim.Adam(model.parameters())
    """,
    ) == [10]


def test_a_helper_of_another_file_is_known_by_its_name(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        from utils import seed_everything
        model = nn.Linear(2, 2)
        seed_everything(1)
        optimizer = torch.optim.Adam(model.parameters())
    """,
    ) == [6]


def test_a_model_of_torchvision_without_weights_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torchvision import models
        net = models.resnet18(weights=None)
        optimizer = torch.optim.Adam(net.parameters())
        torch.manual_seed(0)
    """,
    ) == [6]


def test_a_seed_under_a_condition_comes_too_late_as_well(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def main(args):
            net = nn.Linear(2, 2)
            if args.seed is not None:
                torch.manual_seed(args.seed)
            optimizer = torch.optim.Adam(net.parameters())
    """,
    ) == [7]


def test_only_the_first_seed_is_told(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        torch.manual_seed(0)
        torch.manual_seed(1)
        optimizer = torch.optim.Adam(net.parameters())
    """,
    ) == [5]


def test_a_seed_first_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        torch.manual_seed(0)
        net = nn.Linear(2, 2)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_second_seed_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        torch.manual_seed(0)
        net = nn.Linear(2, 2)
        torch.manual_seed(1)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_seed_of_unknown_kind_before_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        from utils import fix_all_the_seeds
        fix_all_the_seeds(0)
        net = nn.Linear(2, 2)
        torch.manual_seed(1)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_seed_in_another_function_may_come_first(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def train():
            net = nn.Linear(2, 2)
            torch.manual_seed(1)
            optimizer = torch.optim.Adam(net.parameters())
        def main():
            torch.manual_seed(0)
            train()
    """,
        )
        == []
    )


def test_weights_that_are_drawn_again_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        torch.manual_seed(0)
        net.apply(init_weights)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_weights_that_are_loaded_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        from torchvision import models
        net = nn.Linear(2, 2)
        torch.manual_seed(0)
        net.load_state_dict(torch.load("a.pt"))
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_pretrained_model_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torchvision import models
        net = models.resnet18(weights="DEFAULT")
        torch.manual_seed(0)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_model_of_unknown_class_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        net = build_model()
        torch.manual_seed(0)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_model_that_is_not_trained_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        torch.manual_seed(0)
        print(net(torch.randn(2, 2)))
    """,
        )
        == []
    )


def test_a_seed_of_numpy_does_not_matter_to_weights(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        np.random.seed(0)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_seed_in_a_loop_is_of_something_else(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        optimizer = torch.optim.Adam(net.parameters())
        for epoch in range(3):
            torch.manual_seed(epoch)
    """,
        )
        == []
    )


def test_a_seed_in_the_other_branch_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def main(pretrain):
            if pretrain:
                net = nn.Linear(2, 2)
            else:
                torch.manual_seed(0)
                net = nn.Linear(2, 2)
            optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_a_seed_after_the_training_is_for_something_else(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(2, 2)
        optimizer = torch.optim.Adam(net.parameters())
        for x in loader:
            optimizer.zero_grad()
            loss = net(x).sum()
            loss.backward()
            optimizer.step()
        torch.manual_seed(0)
        samples = net(torch.randn(3, 2))
    """,
        )
        == []
    )


def test_a_seed_after_a_fit_is_for_something_else(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def main(trainer):
            net = nn.Linear(2, 2)
            optimizer = torch.optim.Adam(net.parameters())
            trainer.fit(net, optimizer)
            torch.manual_seed(0)
            return net(torch.randn(3, 2))
    """,
        )
        == []
    )


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = (
        "import torch\nnet = torch.nn.Linear(2, 2)\ntorch.manual_seed(0)\n"
        "opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
    )
    assert lines(RULE, text) == [3]
    assert lines(RULE, text, path="net_test.py") == []


def test_a_function_that_the_file_runs_itself_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def run(seed):
            classifier = nn.Linear(4, 2)
            torch.manual_seed(seed)
            order = torch.randperm(10)
            optimizer = torch.optim.Adam(classifier.parameters())
        if __name__ == "__main__":
            run(7)
    """,
    ) == [6]


def test_a_seed_in_the_caller_comes_first(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def run():
            classifier = nn.Linear(4, 2)
            torch.manual_seed(1)
            optimizer = torch.optim.Adam(classifier.parameters())
        if __name__ == "__main__":
            torch.manual_seed(0)
            run()
    """,
        )
        == []
    )
