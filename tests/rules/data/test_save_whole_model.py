"""Where save-whole-model speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "save-whole-model"


def test_a_sequential_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        torch.save(model, "model.pt")
    """,
    ) == [5]


def test_a_module_of_the_file_is_found(lines: Lines) -> None:
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
        net = Net().cuda()
        torch.save(net, f="net.pt")
        torch.save(obj=net, f="net.pt")
    """,
    ) == [11, 12]


def test_an_attribute_of_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from models import Net
        class Trainer:
            def __init__(self):
                self.model = Net()
                self.optimizer = torch.optim.Adam(self.model.parameters())
            def save(self, path):
                torch.save(self.model, path)
    """,
    ) == [9]


def test_a_model_of_torchvision_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torchvision import models
        resnet = models.resnet18()
        torch.save(resnet, "resnet.pt")
    """,
    ) == [5]


def test_a_parameter_that_is_used_as_a_module_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def fit(model, loader):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            torch.save(model, "best.pt")
    """,
    ) == [5]


def test_an_entry_of_a_dict_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        net = nn.Linear(3, 3)
        checkpoint = {
            "epoch": 3,
            "model": net,
        }
        torch.save(checkpoint, "a.pt")
    """,
    ) == [7]


def test_a_wrapped_module_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        net = nn.DataParallel(nn.Linear(3, 3))
        torch.save(net, "a.pt")
    """,
    ) == [5]


def test_an_alias_of_save_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn, save
        net = nn.Linear(3, 3)
        save(net, "a.pt")
    """,
    ) == [4]


def test_the_state_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(3, 3)
        torch.save(net.state_dict(), "a.pt")
        torch.save({"net": net.state_dict(), "epoch": 3}, "b.pt")
        state = net.state_dict()
        torch.save(state, "c.pt")
    """,
        )
        == []
    )


def test_a_variable_called_model_may_hold_a_state(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def convert(path):
            model = torch.load(path)["model"]
            model = {k: v.half() for k, v in model.items()}
            torch.save(model, path)
    """,
        )
        == []
    )


def test_a_parameter_of_which_nothing_is_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def save(model, path):
            torch.save(model, path)
    """,
        )
        == []
    )


def test_results_and_tensors_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        torch.save(torch.randn(3), "a.pt")
        torch.save([1, 2], "b.pt")
        torch.save(vocab, "c.pt")
        torch.save(optimizer, "d.pt")
    """,
        )
        == []
    )


def test_a_class_that_is_no_module_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from typing import NamedTuple
        class Partition(NamedTuple):
            index: int
        class Data:
            def __init__(self):
                self.model_part = Partition(3)
            def save(self):
                torch.save(self.model_part, "a.pt")
    """,
        )
        == []
    )


def test_a_pruned_model_needs_the_object(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch_pruning as tp
        from torch import nn
        net = nn.Linear(3, 3)
        pruner = tp.pruner.MetaPruner(net)
        torch.save(net, "a.pt")
    """,
        )
        == []
    )


def test_saving_something_else_by_that_name_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torch import nn
        net = nn.Linear(3, 3)
        np.save(net, "a.npy")
    """,
        )
        == []
    )


def test_the_fix_saves_the_state(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = (
        "import torch\nfrom torch import nn\nnet = nn.Linear(2, 2)\n"
        "torch.save({'net': net, 'epoch': 3}, 'a.pt')\n"
    )
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    mended, _ = apply_fixes(text, [found.fix])
    assert "{'net': net.state_dict(), 'epoch': 3}" in mended
    assert diagnoses(RULE, mended) == []


def test_a_file_that_also_loads_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    text = (
        "import torch\nfrom torch import nn\nnet = nn.Linear(2, 2)\n"
        "torch.save(net, 'a.pt')\nnet = torch.load('a.pt')\n"
    )
    (found,) = diagnoses(RULE, text)
    assert found.fix is None


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = "import torch\nfrom torch import nn\ntorch.save(nn.Linear(2, 2), 'a.pt')\n"
    assert lines(RULE, text) == [3]
    assert lines(RULE, text, path="test_saving.py") == []
    assert lines(RULE, text, path="tests/utils.py") == []
