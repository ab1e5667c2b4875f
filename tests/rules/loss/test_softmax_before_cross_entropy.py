"""Where softmax-before-cross-entropy speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "softmax-before-cross-entropy"


def test_a_softmax_kept_in_a_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            p = F.softmax(net(x), dim=1)
            return F.cross_entropy(p, y)
    """,
    ) == [5]


def test_a_softmax_inside_of_the_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.nn import functional as fn
        def f(net, x, y):
            return fn.cross_entropy(torch.softmax(net(x), -1), y, label_smoothing=0.1)
    """,
    ) == [5]


def test_a_softmax_method_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        criterion = torch.nn.CrossEntropyLoss(reduction="sum")
        def f(net, x, y):
            out = net(x).softmax(dim=-1)
            loss = criterion(out, y)
            loss.backward()
    """,
    ) == [6]


def test_a_softmax_in_the_forward_of_the_class_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F

        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()
                self.fc1 = nn.Linear(784, 128)
                self.fc2 = nn.Linear(128, 10)

            def forward(self, x):
                x = F.relu(self.fc1(x))
                x = self.fc2(x)
                return F.softmax(x, dim=1)

        def train(loader):
            model = Net().to("cuda")
            criterion = nn.CrossEntropyLoss()
            for data, target in loader:
                output = model(data)
                loss = criterion(output, target)
                loss.backward()
    """,
    ) == [22]


def test_a_softmax_layer_used_in_forward_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(8, 3)
                self.activation = nn.Softmax(dim=1)

            def forward(self, x):
                logits = self.out(x)
                probs = self.activation(logits)
                return probs

        net = Net()
        loss_fn = nn.CrossEntropyLoss()
        def step(x, y):
            return loss_fn(net(x), y)
    """,
    ) == [18]


def test_a_sequential_that_ends_in_softmax_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
        loss_fn = nn.CrossEntropyLoss()
        for x, y in loader:
            y_pred = model(x)
            loss = loss_fn(y_pred, y)
    """,
    ) == [7]


def test_a_sequential_from_a_list_that_ends_in_softmax_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        layers = [nn.Linear(4, 3)]
        layers.append(nn.Softmax(dim=-1))
        model = nn.Sequential(*layers)
        def loss_of(x, y):
            return nn.CrossEntropyLoss()(model(x), y)
    """,
    ) == [7]


def test_a_trainer_with_its_criterion_as_attribute_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn

        class Trainer:
            def __init__(self, model):
                self.model = model
                self.criterion = nn.CrossEntropyLoss()

            def step(self, x, y):
                out = torch.softmax(self.model(x), dim=1)
                return self.criterion(out, y)
    """,
    ) == [12]


def test_a_trainer_that_makes_its_own_model_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.Sequential(nn.Linear(8, 4), nn.Softmax(-1))
            def forward(self, x):
                return self.layers(x)

        class Trainer:
            def __init__(self):
                self.model = Net()
                self.loss_fn = nn.CrossEntropyLoss()

            def step(self, x, y):
                return self.loss_fn(self.model(x), y)
    """,
    ) == [17]


def test_a_criterion_and_a_model_that_are_passed_on_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return F.softmax(self.fc(x), dim=1)

        def train(model, criterion, loader):
            for x, y in loader:
                loss = criterion(model(x), y)
                loss.backward()

        def main(loader):
            model = Net()
            train(model, nn.CrossEntropyLoss(), loader)
    """,
    ) == [14]


def test_a_criterion_in_a_dict_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        losses = {"cls": nn.CrossEntropyLoss(), "box": nn.SmoothL1Loss()}
        def f(net, x, y):
            return losses["cls"](torch.softmax(net(x), 1), y)
    """,
    ) == [6]


def test_one_of_two_outputs_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn

        class Discriminator(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Linear(784, 128)
                self.adv_layer = nn.Sequential(nn.Linear(128, 1), nn.Sigmoid())
                self.aux_layer = nn.Sequential(nn.Linear(128, 10), nn.Softmax())

            def forward(self, img):
                out = self.body(img)
                validity = self.adv_layer(out)
                label = self.aux_layer(out)
                return validity, label

        adversarial_loss = nn.BCELoss()
        auxiliary_loss = nn.CrossEntropyLoss()
        discriminator = Discriminator()

        for imgs, valid, labels in loader:
            real_pred, real_aux = discriminator(imgs)
            d_loss = (adversarial_loss(real_pred, valid) + auxiliary_loss(real_aux, labels)) / 2
    """,
    ) == [23]


def test_a_lightning_module_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import pytorch_lightning as pl
        import torch.nn as nn
        import torch.nn.functional as F

        class Classifier(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)

            def forward(self, x):
                return F.softmax(self.fc(x), dim=1)

            def training_step(self, batch, batch_idx):
                x, y = batch
                return F.cross_entropy(self(x), y)
    """,
    ) == [16]


def test_a_dropout_or_reshape_between_does_not_hide_it(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            p = F.softmax(net(x), dim=-1)
            p = p.view(-1, 10)
            return F.cross_entropy(p, y.view(-1))
    """,
    ) == [6]


def test_the_keyword_input_is_read(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            return F.cross_entropy(target=y, input=F.softmax(net(x), dim=1))
    """,
    ) == [4]


def test_the_softmax_is_shown_as_second_place(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            p = F.softmax(net(x), dim=1)
            return F.cross_entropy(p, y)
    """,
    )
    assert [place.span.line for place in one.related] == [4]


def test_logits_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return self.fc(F.relu(x))
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_log_softmax_is_not_this_rule(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            return F.cross_entropy(F.log_softmax(net(x), dim=1), y)
    """,
        )
        == []
    )


def test_a_softmax_for_metrics_only_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            logits = net(x)
            loss = F.cross_entropy(logits, y)
            probs = F.softmax(logits, dim=1)
            return loss, probs.argmax(1)
    """,
        )
        == []
    )


def test_a_name_that_is_later_overwritten_by_a_softmax_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            out = net(x)
            loss = F.cross_entropy(out, y)
            out = F.softmax(out, dim=1)
            return loss, out
    """,
        )
        == []
    )


def test_attention_inside_of_the_network_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Attention(nn.Module):
            def __init__(self):
                super().__init__()
                self.qkv = nn.Linear(8, 24)
                self.head = nn.Linear(8, 10)
            def forward(self, x):
                q, k, v = self.qkv(x).chunk(3, -1)
                att = F.softmax(q @ k.transpose(-2, -1), dim=-1)
                return self.head(att @ v)
        net = Attention()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_weighted_sum_of_logits_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(experts, gate, x, y):
            weights = F.softmax(gate(x), dim=-1)
            logits = (weights.unsqueeze(-1) * experts(x)).sum(1)
            return F.cross_entropy(logits, y)
    """,
        )
        == []
    )


def test_softened_targets_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def distill(student, teacher, x, t):
            with torch.no_grad():
                target = F.softmax(teacher(x) / t, dim=1)
            return F.cross_entropy(student(x) / t, target)
    """,
        )
        == []
    )


def test_a_softmax_over_the_same_name_in_another_function_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def predict(net, x):
            out = F.softmax(net(x), dim=1)
            return out
        def train(net, x, y):
            out = net(x)
            return F.cross_entropy(out, y)
    """,
        )
        == []
    )


def test_kl_div_is_not_touched(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(s, t, x):
            return F.kl_div(F.log_softmax(s(x), 1), F.softmax(t(x), 1), reduction="batchmean")
    """,
        )
        == []
    )


def test_logits_while_training_and_probabilities_otherwise_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                x = self.fc(x)
                if self.training:
                    return x
                return F.softmax(x, dim=1)
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_softmax_behind_a_condition_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x, softmax=False):
                x = self.fc(x)
                if softmax:
                    x = F.softmax(x, dim=1)
                return x
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_conditional_expression_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                x = self.fc(x)
                return x if self.training else F.softmax(x, dim=1)
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_predict_method_with_softmax_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return self.fc(x)
            def predict(self, x):
                return F.softmax(self.forward(x), dim=1)
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y), net.predict(x)
    """,
        )
        == []
    )


def test_the_logits_of_an_output_object_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        from transformers import AutoModel
        model = AutoModel.from_pretrained("bert")
        def f(batch, y):
            outputs = model(**batch)
            probs = F.softmax(outputs.logits, dim=-1)
            return F.cross_entropy(outputs.logits, y), probs
    """,
        )
        == []
    )


def test_the_other_output_of_a_pair_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                logits = self.fc(x)
                return logits, F.softmax(logits, dim=1)
        net = Net()
        def f(x, y):
            logits, probs = net(x)
            return F.cross_entropy(logits, y)
    """,
        )
        == []
    )


def test_another_class_of_the_file_is_not_mixed_up(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Policy(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return F.softmax(self.fc(x), dim=1)
        class Classifier(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return self.fc(x)
        def f(x, y):
            model = Classifier()
            return F.cross_entropy(model(x), y)
    """,
        )
        == []
    )


def test_a_subclass_with_its_own_forward_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Base(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 4)
            def forward(self, x):
                return F.softmax(self.fc(x), dim=1)
        class Logits(Base):
            def forward(self, x):
                return self.fc(x)
        net = Logits()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_model_that_is_chosen_at_run_time_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Probabilities(nn.Module):
            def forward(self, x):
                return F.softmax(x, dim=1)
        class Logits(nn.Module):
            def forward(self, x):
                return x
        def f(args, x, y):
            model = Probabilities() if args.probabilities else Logits()
            return F.cross_entropy(model(x), y)
    """,
        )
        == []
    )


def test_a_criterion_that_may_be_another_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        def f(args, net, x, y):
            criterion = nn.CrossEntropyLoss() if args.logits else nn.NLLLoss()
            return criterion(F.softmax(net(x), 1), y)
    """,
        )
        == []
    )


def test_a_function_of_that_name_from_elsewhere_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from mylib import cross_entropy
        def f(net, x, y):
            return cross_entropy(F.softmax(net(x), 1), y)
    """,
        )
        == []
    )


def test_a_local_function_that_shadows_the_import_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch.nn.functional import cross_entropy
        def cross_entropy(p, y):
            return -(p.log() * y).sum()
        def f(net, x, y):
            return cross_entropy(F.softmax(net(x), 1), y)
    """,
        )
        == []
    )


def test_the_logarithm_of_a_softmax_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            return F.cross_entropy(torch.log(F.softmax(net(x), 1) + 1e-8), y)
    """,
        )
        == []
    )


def test_a_layer_after_the_softmax_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        model = nn.Sequential(nn.Linear(8, 4), nn.Softmax(1), nn.Linear(4, 3))
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )
