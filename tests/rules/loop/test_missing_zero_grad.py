"""Edge cases of missing-zero-grad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


def test_a_plain_loop_that_never_clears_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from torch import nn
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == [9]


def test_a_loss_without_a_name_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        opt = torch.optim.AdamW(sharded_model.parameters(), lr=3e-3)
        for i in range(num_iterations):
            sharded_model(torch.rand(20, 10)).sum().backward()
            opt.step()
        """,
    )
    assert found == [6]


def test_a_trainer_class_whose_methods_share_the_work_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.optimizer = torch.optim.Adam(model.parameters())
            def _run_batch(self, source, targets):
                loss = torch.nn.functional.cross_entropy(self.model(source), targets)
                loss.backward()
                self.optimizer.step()
            def _run_epoch(self):
                for source, targets in self.loader:
                    self._run_batch(source, targets)
        """,
    )
    assert found == [10]


def test_an_optimizer_that_comes_as_a_parameter_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer, criterion, device):
            model.train()
            for batch, (x, y) in enumerate(loader):
                x, y = x.to(device), y.to(device)
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                if batch % 100 == 0:
                    print(loss.item())
        """,
    )
    assert found == [9]


def test_a_while_loop_with_mixed_precision_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        scaler = torch.amp.GradScaler()
        optimizer = torch.optim.Adam(model.parameters())
        while step < 1000:
            with torch.autocast("cuda"):
                loss = model(next(batches))
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            step += 1
        """,
    )
    assert found == [9]


def test_an_accumulation_that_is_never_cleared_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer, criterion):
            for i, (x, y) in enumerate(loader):
                loss = criterion(model(x), y) / 4
                loss.backward()
                if (i + 1) % 4 == 0:
                    optimizer.step()
        """,
    )
    assert found == [8]


def test_the_scheduler_and_the_clipping_do_not_count_as_clearing(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for x, y in loader:
            criterion(net(x), y).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
        """,
    )
    assert found == [8]


def test_of_two_optimizers_the_one_that_is_never_cleared_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        opt_g = torch.optim.Adam(netG.parameters())
        opt_d = torch.optim.Adam(netD.parameters())
        for real in loader:
            opt_d.zero_grad()
            d_loss = bce(netD(real), ones)
            d_loss.backward()
            opt_d.step()
            g_loss = bce(netD(netG(noise)), ones)
            g_loss.backward()
            opt_g.step()
        """,
    )
    assert found == [12]


def test_clearing_at_the_end_of_the_iteration_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optim = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(10):
            loss = model(x).sum()
            loss.backward()
            optim.step()
            optim.zero_grad()
        """,
    )
    assert found == []


def test_clearing_before_the_forward_pass_with_set_to_none_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad(set_to_none=True)
                loss = model(x, y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_clearing_the_model_instead_of_the_optimizer_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            model.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_gan_that_clears_its_networks_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizerD = torch.optim.Adam(netD.parameters())
        optimizerG = torch.optim.Adam(netG.parameters())
        for i, data in enumerate(loader):
            netD.zero_grad()
            errD_real = criterion(netD(data), label)
            errD_real.backward()
            fake = netG(noise)
            errD_fake = criterion(netD(fake.detach()), label)
            errD_fake.backward()
            optimizerD.step()
            netG.zero_grad()
            errG = criterion(netD(fake), label)
            errG.backward()
            optimizerG.step()
        """,
    )
    assert found == []


def test_one_helper_that_clears_both_optimizers_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        d_optimizer = torch.optim.Adam(D.parameters(), lr=0.0002)
        g_optimizer = torch.optim.Adam(G.parameters(), lr=0.0002)
        def reset_grad():
            d_optimizer.zero_grad()
            g_optimizer.zero_grad()
        for images, _ in data_loader:
            d_loss = criterion(D(images), real_labels)
            reset_grad()
            d_loss.backward()
            d_optimizer.step()
            g_loss = criterion(D(G(z)), real_labels)
            reset_grad()
            g_loss.backward()
            g_optimizer.step()
        """,
    )
    assert found == []


def test_gradients_set_to_none_by_hand_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            for p in model.parameters():
                p.grad = None
            criterion(model(x), y).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_gradients_zeroed_by_hand_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.step()
            for param in model.parameters():
                if param.grad is not None:
                    param.grad.zero_()
        """,
    )
    assert found == []


def test_gradients_zeroed_through_the_param_groups_are_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            for group in optimizer.param_groups:
                for p in group["params"]:
                    p.grad = None
            criterion(model(x), y).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_closure_that_clears_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.8)
        for i in range(15):
            def closure():
                optimizer.zero_grad()
                loss = criterion(seq(inputs), target)
                loss.backward()
                return loss
            optimizer.step(closure)
        """,
    )
    assert found == []


def test_a_distributed_autograd_context_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch.distributed.autograd as dist_autograd
        from torch.distributed.optim import DistributedOptimizer
        opt = DistributedOptimizer(SGD, rrefs, lr=0.05)
        for indices, target in batches:
            with dist_autograd.context() as context_id:
                loss = criterion(model(indices), target)
                dist_autograd.backward(context_id, [loss])
                opt.step(context_id)
        """,
    )
    assert found == []


def test_steps_of_an_environment_and_a_profiler_are_no_optimizer_steps(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.Adam(policy.parameters())
        for episode in range(100):
            action = policy(state).argmax()
            state, reward, done, _, _ = env.step(action)
            prof.step()
            loss = -reward * policy(state).log().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_deepspeed_engine_clears_by_itself(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        import deepspeed
        engine, optimizer, _, _ = deepspeed.initialize(model=model, config=config)
        for x, y in loader:
            loss = criterion(engine(x), y)
            engine.backward(loss)
            engine.step()
        """,
    )
    assert found == []


def test_accelerate_is_left_alone(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from accelerate import Accelerator
        accelerator = Accelerator()
        model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        for x, y in loader:
            with accelerator.accumulate(model):
                accelerator.backward(criterion(model(x), y))
                optimizer.step()
        """,
    )
    assert found == []


def test_automatic_optimisation_in_lightning_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import lightning as L
        import torch
        class Lit(L.LightningModule):
            def training_step(self, batch, batch_idx):
                x, y = batch
                return torch.nn.functional.cross_entropy(self.net(x), y)
            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters())
        """,
    )
    assert found == []


def test_a_method_of_the_trainer_that_clears_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        class Trainer:
            def reset(self):
                self.optimizer.zero_grad()
            def fit(self):
                for x, y in self.loader:
                    self.reset()
                    loss = self.criterion(self.model(x), y)
                    loss.backward()
                    self.optimizer.step()
        """,
    )
    assert found == []


def test_a_single_step_outside_of_any_loop_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        model = torch.nn.Linear(2, 2)
        opt = torch.optim.SGD(model.parameters(), lr=0.1)
        model(torch.rand(1, 2)).sum().backward()
        opt.step()
        """,
    )
    assert found == []


def test_a_step_function_that_is_called_from_elsewhere_is_not_judged(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        class Learner:
            def finish_episode(self):
                loss = self.policy_loss()
                loss.backward()
                self.optimizer.step()
        """,
    )
    assert found == []


def test_gradients_that_come_from_autograd_grad_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            loss = criterion(model(x), y)
            grads = torch.autograd.grad(loss, list(model.parameters()))
            for p, g in zip(model.parameters(), grads):
                p.grad = g
            optimizer.step()
        """,
    )
    assert found == []


def test_a_loss_scaler_of_another_file_that_clears_is_not_judged(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer, loss_scaler):
            for x, y in loader:
                loss = criterion(model(x), y)
                loss_scaler(loss, optimizer, parameters=model.parameters())
        """,
    )
    assert found == []


def test_the_optimizer_handed_to_a_function_of_another_file_may_be_cleared_there(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from utils import prepare_step
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            prepare_step(optimizer)
            criterion(model(x), y).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_model_that_is_made_anew_in_each_iteration_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def test_shapes():
            for size in (1, 2, 3):
                model = torch.nn.Linear(size, size)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                model(torch.rand(1, size)).sum().backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_clearing_under_its_own_condition_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer, args):
            for i, (x, y) in enumerate(loader):
                if i % args.update_freq == 0:
                    optimizer.zero_grad()
                criterion(model(x), y).backward()
                if (i + 1) % args.update_freq == 0:
                    optimizer.step()
        """,
    )
    assert found == []


def test_an_early_continue_before_the_clearing_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                if x.numel() == 0:
                    continue
                loss = criterion(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_optimizers_in_a_list_that_are_cleared_in_a_loop_are_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        optimizers = [torch.optim.Adam(m.parameters()) for m in models]
        for x, y in loader:
            for opt in optimizers:
                opt.zero_grad()
            sum(m(x).sum() for m in models).backward()
            for opt in optimizers:
                opt.step()
        """,
    )
    assert found == []


def test_a_step_in_a_helper_that_main_calls_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from torch import nn

        def train(model, loader, criterion, optimizer):
            for images, labels in loader:
                loss = criterion(model(images), labels)
                loss.backward()
                optimizer.step()

        def main():
            model = nn.Linear(8, 2)
            optimizer = torch.optim.Adam(model.parameters())
            for epoch in range(9):
                train(model, loader, nn.CrossEntropyLoss(), optimizer)

        main()
        """,
    )
    assert found == [9]


def test_a_function_that_a_loop_calls_makes_its_optimizer_anew(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from torch import nn

        def one_step(batch):
            model = nn.Linear(8, 2)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            model(batch).sum().backward()
            optimizer.step()

        for batch in loader:
            one_step(batch)
        """,
    )
    assert found == []


def test_a_wrapper_of_the_file_that_clears_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch

        class NoamOpt:
            def __init__(self, optimizer, step):
                self.optimizer = optimizer
                self._step = step

            def step(self):
                self._step += 1
                self.optimizer.step()

            def zero_grad(self):
                self.optimizer.zero_grad()

        def train(model, optimizer, loader, scaler):
            for batch in loader:
                optimizer.zero_grad()
                if scaler is not None:
                    scaler.scale(model(batch)).backward()
                    scaler.step(optimizer)
                    scaler.update()
                else:
                    model(batch).backward()
                    optimizer.step()

        def main():
            model = torch.nn.Linear(8, 1)
            optimizer = NoamOpt(torch.optim.Adam(model.parameters(), lr=0), 0)
            for epoch in range(9):
                train(model, optimizer, loader, torch.amp.GradScaler())

        main()
        """,
    )
    assert found == []


FABRIC = """
from lightning.fabric import Fabric
import torch
fabric = Fabric({given})
model, optimizer = fabric.setup(net, torch.optim.SGD(net.parameters(), lr=0.1))
for x, y in loader:
    fabric.backward(criterion(model(x), y))
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", [8]),
        ('devices=2, strategy="ddp"', [8]),
        ('strategy="deepspeed_stage_2"', []),
        ("strategy=chosen", []),
        ("**settings", []),
    ],
)
def test_fabric_leaves_clearing_to_the_loop_unless_deepspeed_may_run_it(
    lines: Callable[..., list[int]], given: str, expected: list[int]
) -> None:
    assert lines("missing-zero-grad", FABRIC.format(given=given)) == expected


def test_a_fabric_that_comes_from_elsewhere_is_left_alone(lines: Callable[..., list[int]]) -> None:
    source = FABRIC.format(given="").replace("fabric = Fabric()\n", "")
    assert lines("missing-zero-grad", source) == []


def test_a_schedule_of_averaged_weights_is_no_optimizer(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "missing-zero-grad",
        """
        import torch
        from torch.optim.swa_utils import SWALR, AveragedModel
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        averaged, swa = AveragedModel(net), SWALR(optimizer, swa_lr=0.05)
        for epoch in range(9):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(net(x), y).backward()
                optimizer.step()
            averaged.update_parameters(net)
            swa.step()
        """,
    )
    assert found == []


def test_what_a_test_steps_on_is_not_meant_to_learn(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    loop = """
        import torch
        def run(model, batches):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for batch in batches:
                model(batch).sum().backward()
                optimizer.step()
    """
    assert diagnoses("missing-zero-grad", loop, path="runs.py") != []
    assert diagnoses("missing-zero-grad", loop, path="test_runs.py") == []
