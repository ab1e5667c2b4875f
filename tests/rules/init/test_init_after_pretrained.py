"""Edge cases of init-after-pretrained."""

RULE = "init-after-pretrained"


def test_an_apply_after_loading_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1))
        net.load_state_dict(torch.load("net.pt"))
        net.apply(init_weights)
    """,
    ) == [9]


def test_a_load_under_a_condition_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from models import Net, weights_init
        def main(args):
            net = Net()
            if args.resume:
                net.load_state_dict(torch.load(args.resume))
            net.apply(weights_init)
    """,
    ) == [8]


def test_a_loop_over_the_modules_of_a_pretrained_model_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        from torchvision import models
        net = models.resnet18(pretrained=True)
        for m in net.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
    """,
    ) == [7]


def test_a_backbone_inside_of_a_module_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torchvision
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone = torchvision.models.resnet50(weights="IMAGENET1K_V2")
                self.head = nn.Conv2d(2048, 3, 1)
                self.apply(self._init_weights)
            def _init_weights(self, m):
                if isinstance(m, (nn.Conv2d, nn.Linear)):
                    nn.init.kaiming_normal_(m.weight)
    """,
    ) == [9]


def test_a_language_model_inside_of_a_module_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        from transformers import AutoModel
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.bert = AutoModel.from_pretrained("bert-base-uncased")
                self.head = nn.Linear(768, 3)
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.normal_(m.weight, std=0.02)
    """,
    ) == [11]


def test_an_attribute_of_a_trainer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        from models import init_weights
        class Trainer:
            def __init__(self, net, path):
                self.net = net
                self.net.load_state_dict(torch.load(path))
                self.net.apply(init_weights)
    """,
    ) == [9]


def test_loading_last_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from models import Net, weights_init
        net = Net()
        net.apply(weights_init)
        net.load_state_dict(torch.load("net.pt"))
    """,
        )
        == []
    )


def test_loading_again_afterwards_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from models import Net, weights_init
        net = Net()
        net.load_state_dict(torch.load("a.pt"))
        net.apply(weights_init)
        net.load_state_dict(torch.load("b.pt"))
    """,
        )
        == []
    )


def test_either_of_the_two_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from models import Net, weights_init
        def main(args):
            net = Net()
            if args.resume:
                net.load_state_dict(torch.load(args.resume))
            else:
                net.apply(weights_init)
            if args.fresh:
                net.apply(weights_init)
    """,
        )
        == []
    )


def test_a_new_head_alone_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        from torchvision import models
        from mine import init_weights
        net = models.resnet18(pretrained=True)
        net.fc = nn.Linear(512, 10)
        net.fc.apply(init_weights)
    """,
        )
        == []
    )


def test_another_model_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from models import Net, weights_init
        old, new = Net(), Net()
        old.load_state_dict(torch.load("old.pt"))
        new.apply(weights_init)
    """,
        )
        == []
    )


def test_an_apply_that_freezes_or_counts_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def freeze(m):
            if isinstance(m, nn.BatchNorm2d):
                m.eval()
        def main(net):
            net.load_state_dict(torch.load("net.pt"))
            net.apply(freeze)
            net.apply(some_function)
    """,
        )
        == []
    )


def test_a_backbone_of_convolutions_keeps_them_when_linear_layers_are_initialised(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torchvision
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone = torchvision.models.resnet50(pretrained=True)
                self.head = nn.Linear(2048, 3)
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.normal_(m.weight, std=0.01)
    """,
        )
        == []
    )


def test_a_backbone_that_callers_may_want_fresh_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torchvision
        class Net(nn.Module):
            def __init__(self, pretrained=True):
                super().__init__()
                self.backbone = torchvision.models.resnet50(pretrained=pretrained)
                for m in self.modules():
                    if isinstance(m, nn.Conv2d):
                        nn.init.kaiming_normal_(m.weight)
    """,
        )
        == []
    )


def test_the_state_of_an_optimizer_is_no_matter(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from models import Net, weights_init
        net = Net()
        optimizer = torch.optim.Adam(net.parameters())
        optimizer.load_state_dict(torch.load("opt.pt"))
        net.apply(weights_init)
    """,
        )
        == []
    )
