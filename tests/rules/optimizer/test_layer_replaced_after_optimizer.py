"""Edge cases of layer-replaced-after-optimizer."""

RULE = "layer-replaced-after-optimizer"


def test_a_new_head_after_the_optimizer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        from torchvision import models
        net = models.resnet18(weights="DEFAULT")
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        net.fc = nn.Linear(512, 10)
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
    """,
    ) == [7]


def test_a_new_head_in_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.optim as optim
        def build(classes):
            model = backbone()
            optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
            model.classifier = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, classes))
            return model, optimizer
    """,
    ) == [7]


def test_a_layer_replaced_inside_a_sequential_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        vgg = load()
        optimizer = torch.optim.SGD(vgg.parameters(), lr=1e-3)
        vgg.classifier[6] = nn.Linear(4096, 2)
    """,
    ) == [6]


def test_a_layer_of_a_trainer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Trainer:
            def __init__(self, model, classes):
                self.model = model
                self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
                self.model.fc = nn.Linear(512, classes)
    """,
    ) == [8]


def test_a_local_module_class_is_a_layer(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Head(nn.Module):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(8, 2)
            def forward(self, x):
                return self.out(x)
        net = load()
        opt = torch.optim.Adam(net.parameters())
        net.head = Head()
    """,
    ) == [12]


def test_the_place_of_the_optimizer_is_shown(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        opt = torch.optim.Adam(net.parameters())
        net.fc = torch.nn.Linear(512, 10)
    """,
    )
    assert [other.span.line for other in one.related] == [3]


def test_a_head_replaced_before_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net.fc = nn.Linear(512, 10)
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_an_optimizer_built_again_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        train(net, optimizer)
        net.fc = nn.Linear(512, 10)
        optimizer = torch.optim.Adam(net.parameters())
        train(net, optimizer)
    """,
        )
        == []
    )


def test_a_second_optimizer_for_the_new_layer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        net.fc = nn.Linear(512, 10)
        head_optimizer = torch.optim.Adam(net.fc.parameters())
    """,
        )
        == []
    )


def test_a_group_added_for_the_new_layer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        net.fc = nn.Linear(512, 10)
        optimizer.add_param_group({"params": net.fc.parameters()})
    """,
        )
        == []
    )


def test_a_layer_without_weights_has_nothing_to_train(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        net.fc = nn.Identity()
        net.dropout = nn.Dropout(0.2)
        net.act = nn.Sequential(nn.ReLU(), nn.Flatten())
    """,
        )
        == []
    )


def test_a_layer_that_wraps_the_old_one_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        net.fc = nn.Sequential(nn.Dropout(0.5), net.fc)
    """,
        )
        == []
    )


def test_an_attribute_that_is_no_layer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters())
        net.epoch = 3
        net.criterion = torch.nn.CrossEntropyLoss()
        net.fc = load_head()
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
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        teacher.fc = nn.Linear(512, 10)
    """,
        )
        == []
    )


def test_a_part_that_the_optimizer_never_had_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.backbone.parameters())
        net.fc = nn.Linear(512, 10)
    """,
        )
        == []
    )


def test_a_model_bound_again_in_between_is_another_one(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        train(net, optimizer)
        net = load()
        net.fc = nn.Linear(512, 10)
    """,
        )
        == []
    )


def test_a_layer_replaced_in_a_branch_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        if fresh:
            optimizer = torch.optim.Adam(net.parameters())
        else:
            net.fc = nn.Linear(512, 10)
    """,
        )
        == []
    )


def test_a_layer_replaced_after_the_training_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        optimizer = torch.optim.Adam(net.parameters())
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        net.fc = nn.Linear(512, 10)
        torch.save(net.state_dict(), "net.pt")
    """,
        )
        == []
    )
