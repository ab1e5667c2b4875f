"""Edge cases of missing-eval-mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


def test_an_evaluation_loop_with_dropout_and_without_eval_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 2)
                self.drop = nn.Dropout(0.5)
            def forward(self, x):
                return self.fc(self.drop(x))
        model = Net()
        with torch.no_grad():
            for x, y in test_loader:
                correct += (model(x).argmax(1) == y).sum().item()
        """,
    )
    assert found == [14]


def test_a_batch_normalisation_in_a_sequential_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        import torch.nn as nn
        net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        for epoch in range(10):
            for x, y in train_loader:
                optimizer.zero_grad()
                criterion(net(x), y).backward()
                optimizer.step()
            with torch.inference_mode():
                for x, y in val_loader:
                    loss = criterion(net(x), y)
        """,
    )
    assert found == [12]


def test_a_decorated_function_on_a_global_model_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Linear(4, 2)).to("cuda")
        @torch.no_grad()
        def evaluate(loader):
            correct = 0
            for x, y in loader:
                correct += (model(x).argmax(1) == y).sum().item()
            return correct
        """,
    )
    assert found == [9]


def test_a_parameter_whose_caller_shows_the_model_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        def test(net, loader):
            with torch.no_grad():
                for x, y in loader:
                    print((net(x).argmax(1) == y).float().mean())
        def main(loader):
            net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
            fit(net, loader)
            test(net, loader)
        """,
    )
    assert found == [7]


def test_dropout_in_a_nested_block_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
            def forward(self, x):
                return x + self.body(x)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.ModuleList([Block() for _ in range(3)])
            def forward(self, x):
                for block in self.blocks:
                    x = block(x)
                return x
        net = Net()
        with torch.no_grad():
            for x, y in val_loader:
                val_loss += criterion(net(x), y).item()
        """,
    )
    assert found == [21]


def test_eval_before_the_loop_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
        model.eval()
        with torch.no_grad():
            for x, y in test_loader:
                print(model(x))
        """,
    )
    assert found == []


def test_train_with_false_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
        model.train(False)
        with torch.no_grad():
            for x, y in test_loader:
                print(model(x))
        """,
    )
    assert found == []


def test_the_mode_set_by_the_caller_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
        def run(net, loader):
            with torch.no_grad():
                for x, y in loader:
                    print(net(x))
        def main(loader):
            model.eval()
            run(model, loader)
        """,
    )
    assert found == []


def test_an_inner_helper_takes_its_mode_from_the_function_around_it(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.drop = nn.Dropout()
            def forward(self, x):
                return self.drop(x)
        def validate(loader, model, args):
            def run_validate(loader):
                with torch.no_grad():
                    for x, y in loader:
                        print(model(x))
            model.eval()
            run_validate(loader)
        def main():
            model = Net()
            validate(loader, model, args)
        """,
    )
    assert found == []


def test_a_model_without_dropout_or_normalisation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 2))
        with torch.no_grad():
            for x, y in test_loader:
                print(model(x))
        """,
    )
    assert found == []


def test_a_dropout_of_nothing_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.0), nn.Linear(8, 2))
        with torch.no_grad():
            for x, y in test_loader:
                print(model(x))
        """,
    )
    assert found == []


def test_a_model_from_another_file_is_not_judged(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        import timm
        model = timm.create_model("resnet50")
        with torch.no_grad():
            for x, y in test_loader:
                print(model(x))
        """,
    )
    assert found == []


def test_a_target_network_inside_a_training_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        target = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
        online = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
        for x, x2 in loader:
            with torch.no_grad():
                goal = target(x2)
            optimizer.zero_grad()
            criterion(online(x), goal).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_drawing_samples_from_a_generator_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        generator = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh())
        with torch.no_grad():
            for i in range(10):
                save_image(generator(torch.randn(16, 4)), f"{i}.png")
        """,
    )
    assert found == []


def test_monte_carlo_dropout_wants_training_mode(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        def mc_dropout_predict(loader, samples=20):
            with torch.no_grad():
                for x, y in loader:
                    print(torch.stack([model(x) for _ in range(samples)]).std(0))
        """,
    )
    assert found == []


def test_recomputing_the_statistics_of_batch_normalisation_wants_training_mode(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
        def update_bn(loader):
            model.train()
            with torch.no_grad():
                for x, y in loader:
                    model(x)
        """,
    )
    assert found == []


def test_a_model_that_is_put_into_evaluation_mode_by_a_loop_over_models_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        a = nn.Sequential(nn.Linear(4, 8), nn.Dropout())
        b = nn.Sequential(nn.Linear(4, 8), nn.Dropout())
        for net in (a, b):
            net.eval()
        with torch.no_grad():
            for x, y in loader:
                print(a(x) + b(x))
        """,
    )
    assert found == []


def test_a_model_handed_to_a_function_of_another_file_may_be_set_there(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        from utils import prepare_for_eval
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout())
        prepare_for_eval(model)
        with torch.no_grad():
            for x, y in loader:
                print(model(x))
        """,
    )
    assert found == []


def test_a_lightning_validation_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-eval-mode",
        """
        import torch
        import lightning as L
        from torch import nn
        class Lit(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout())
            @torch.no_grad()
            def validation_step(self, batch, batch_idx):
                for x in batch:
                    self.log("loss", self.net(x).mean())
        """,
    )
    assert found == []


def test_a_pass_that_training_and_evaluation_share_is_marked_where_it_evaluates(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    (one,) = diagnoses(
        "missing-eval-mode",
        """
        import torch
        from torch import nn
        class Run:
            def __init__(self):
                self.net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3), nn.Linear(4, 2))
            def loss_of(self, batch):
                return criterion(self.net(batch[0]), batch[1])
            def learn(self):
                for batch in self.train_loader:
                    self.optimizer.zero_grad()
                    self.loss_of(batch).backward()
                    self.optimizer.step()
            @torch.no_grad()
            def judge(self):
                total = 0
                for batch in self.val_loader:
                    total += self.loss_of(batch).item()
                return total
            def run(self):
                self.learn()
                return self.judge()
        """,
    )
    assert one.span.line == 18
    assert [related.span.line for related in one.related] == [8, 6]


GRAPH = """
import torch
import torch.nn.functional as F
from torch import nn
class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 3)
    def forward(self, x, edges):
        return self.inner(F.dropout(edges @ x, 0.5, training=self.training))
net = Convolutions()
def train():
    optimizer.zero_grad()
    F.cross_entropy(net(x, edges)[seen], y[seen]).backward()
    optimizer.step()
@torch.no_grad()
def {name}():
    {first}
    return (net({given}).argmax(1)[unseen] == y[unseen]).float().mean()
for epoch in range(200):
    train()
    print({name}())
"""


def test_one_graph_that_is_trained_on_and_tested_as_a_whole_is_found(
    lines: Callable[..., list[int]],
) -> None:
    source = GRAPH.format(name="test", first="pass", given="x, edges")
    assert lines("missing-eval-mode", source) == [19]


@pytest.mark.parametrize(
    ("name", "first", "given"),
    [
        ("test", "net.eval()", "x, edges"),
        ("refresh", "pass", "x, edges"),
        ("test", "pass", "other, edges"),
    ],
)
def test_a_single_pass_without_gradients_is_no_evaluation_by_itself(
    lines: Callable[..., list[int]], name: str, first: str, given: str
) -> None:
    assert lines("missing-eval-mode", GRAPH.format(name=name, first=first, given=given)) == []


LOADED = """
import torch
from accelerate import Accelerator
from {package} import {maker}
accelerator = Accelerator()
model = {made}
model, loader, val_loader = accelerator.prepare(model, loader, val_loader)
{mode}
for batch in val_loader:
    with torch.no_grad():
        total += model(**batch).loss
"""


@pytest.mark.parametrize(
    ("package", "maker", "made", "mode", "expected"),
    [
        ("transformers", "T5Model", "T5Model.from_pretrained(name)", "model.train()", [11]),
        ("transformers", "T5Model", "T5Model.from_pretrained(name)", "", []),
        ("transformers", "T5Model", "T5Model.from_pretrained(name, config=c)", "model.train()", []),
        ("transformers", "LlamaModel", "LlamaModel.from_pretrained(name)", "model.train()", []),
        ("torchvision.models", "resnet18", "resnet18(num_classes=4)", "", [11]),
        ("torchvision.models", "resnet18", "resnet18(norm_layer=make)", "", []),
        ("torchvision.models", "vit_b_16", "vit_b_16()", "", []),
    ],
)
def test_models_of_packages_are_known_by_what_builds_them(
    lines: Callable[..., list[int]],
    package: str,
    maker: str,
    made: str,
    mode: str,
    expected: list[int],
) -> None:
    source = LOADED.format(package=package, maker=maker, made=made, mode=mode)
    assert lines("missing-eval-mode", source) == expected


MODEL = """
import torch
from torch import nn
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 3))
"""

TRAINING = """
for x, y in train_loader:
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
"""


def mended(diagnoses: Callable[..., list[Diagnosis]], source: str) -> str | None:
    """Return a source with the one diagnosis mended; None where there is only a remedy."""
    [one] = diagnoses("missing-eval-mode", source)
    return None if one.fix is None else apply_fixes(source, [one.fix])[0]


def test_the_mode_is_set_around_the_loop_and_what_switches_gradients_off(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    body = "with torch.no_grad():\n    for x in loader:\n        print(model(x))"
    assert mended(diagnoses, f"{MODEL}{body}\nprint(1)\n") == (
        f"{MODEL}model.eval()\n{body}\nprint(1)\n"
    )
    assert mended(diagnoses, f"{MODEL}{TRAINING}{body}  # why") == (
        f"{MODEL}{TRAINING}model.eval()\n{body}  # why\nmodel.train()\n"
    )


def test_the_mode_is_set_in_the_epoch_that_evaluates(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    training = TRAINING.replace("\n", "\n    ").rstrip(" ")
    loop = f"{MODEL}for epoch in range(3):{training}"
    body = "    for x in val_loader:\n        with torch.no_grad():\n            print(model(x))\n"
    assert mended(diagnoses, loop + body) == (f"{loop}    model.eval()\n{body}    model.train()\n")


def test_an_evaluation_that_returns_from_inside_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    body = """
def evaluate(loader):
    with torch.no_grad():
        for x in loader:
            if model(x).sum() > 0:
                return x
"""
    assert mended(diagnoses, MODEL + body) is None


def test_a_context_that_does_more_is_left_around(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    body = """
with open("log") as log:
    log.write("go")
    with torch.no_grad():
        for x in loader:
            log.write(str(model(x)))
"""
    expected = body.replace("    with torch", "    model.eval()\n    with torch")
    assert mended(diagnoses, MODEL + body) == MODEL + expected


INFERENCE = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 2)])
        self.drop = nn.Dropout(0.5)
    def inference(self, dataloader):
        for x in dataloader:
            for layer in self.layers:
                x = self.drop(layer(x))
            self.kept.append(x.cpu())
@torch.no_grad()
def evaluate(model, loader):
    MODE
    return model.inference(loader)
net = Net()
evaluate(net, test_loader)
"""


def test_a_layer_has_the_mode_of_the_model_whose_method_runs_it(
    lines: Callable[..., list[int]],
) -> None:
    assert lines("missing-eval-mode", INFERENCE.replace("MODE", "model.eval()")) == []
    assert lines("missing-eval-mode", INFERENCE.replace("MODE", "model.cuda()")) == [12]
