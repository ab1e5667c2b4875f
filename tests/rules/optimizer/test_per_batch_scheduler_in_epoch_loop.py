"""Edge cases of per-batch-scheduler-in-epoch-loop."""

import pytest

RULE = "per-batch-scheduler-in-epoch-loop"


def test_one_cycle_with_steps_per_epoch_stepped_per_epoch_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.1, epochs=10, steps_per_epoch=len(loader)
        )
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
    ) == [12]


def test_a_total_over_all_batches_stepped_per_epoch_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch.optim.lr_scheduler import OneCycleLR
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        total = len(loader) * epochs
        scheduler = OneCycleLR(optimizer, 0.1, total_steps=total)
        for epoch in range(epochs):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
    ) == [12]


def test_an_epoch_that_trains_through_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch.optim.lr_scheduler import OneCycleLR
        def train(net, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
        def main():
            optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
            scheduler = OneCycleLR(optimizer, 1e-3, epochs=9, steps_per_epoch=len(loader))
            for epoch in range(9):
                train(net, loader, optimizer)
                scheduler.step()
    """,
    ) == [14]


def test_a_cycle_of_two_thousand_steps_stepped_per_epoch_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=1e-3, max_lr=0.1)
        for epoch in range(20):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
    ) == [10]


def test_a_trainer_with_methods_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, model, loader, epochs):
                self.model, self.loader, self.epochs = model, loader, epochs
                self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
                    self.optimizer, 0.1, epochs=epochs, steps_per_epoch=len(loader)
                )
            def train_epoch(self):
                for x, y in self.loader:
                    self.optimizer.zero_grad()
                    loss_fn(self.model(x), y).backward()
                    self.optimizer.step()
            def fit(self):
                for epoch in range(self.epochs):
                    self.train_epoch()
                    self.scheduler.step()
    """,
    ) == [18]


def test_one_cycle_stepped_per_batch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.1, epochs=10, steps_per_epoch=len(loader)
        )
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
                scheduler.step()
    """,
        )
        == []
    )


def test_one_cycle_over_the_epochs_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=epochs)
        for epoch in range(epochs):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_one_step_per_epoch_said_so_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1, epochs=30, steps_per_epoch=1
        )
        for epoch in range(30):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_a_cycle_of_five_epochs_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 1e-3, 0.1, step_size_up=5)
        for epoch in range(20):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_other_schedules_count_epochs(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
        for epoch in range(30):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_a_loop_over_steps_is_a_batch_loop(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=1000)
        batches = iter(loader)
        for step in range(1000):
            x, y = next(batches)
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_an_accumulation_loop_inside_a_step_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1, epochs=1, steps_per_epoch=len(loader)
        )
        for batch in loader:
            optimizer.zero_grad()
            for x, y in batch:
                loss_fn(net(x), y).backward()
            optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_a_schedule_handed_to_the_function_that_trains_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from engine import train_one_epoch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1, epochs=9, steps_per_epoch=len(loader)
        )
        for epoch in range(9):
            train_one_epoch(net, loader, optimizer, scheduler)
    """,
        )
        == []
    )


def test_a_schedule_chosen_at_run_time_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = make_scheduler(name, optimizer, steps=len(loader))
        for epoch in range(9):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_a_class_of_the_same_name_has_its_own_clock(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from mine import OneCycleLR
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = OneCycleLR(optimizer, 0.1, epochs=9, steps_per_epoch=len(loader))
        for epoch in range(9):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_a_total_over_a_list_of_batches_of_known_length_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        batches = [(x1, y1), (x2, y2), (x3, y3)]
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9 * len(batches))
        for epoch in range(9):
            for x, y in batches:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
    ) == [11]


CYCLE = """
import torch
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
scheduler = torch.optim.lr_scheduler.{made}
for epoch in range({epochs}):
    for x, y in loader:
        optimizer.zero_grad()
        loss_fn(net(x), y).backward()
        optimizer.step()
    scheduler.step()
"""


@pytest.mark.parametrize(
    ("made", "epochs", "found"),
    [
        ("CyclicLR(optimizer, 0.01, 0.1, step_size_up=1000)", "50", [10]),
        ("OneCycleLR(optimizer, 0.1, total_steps=20_000)", "90", [10]),
        ("CyclicLR(optimizer, 0.01, 0.1, step_size_up=100)", "50", []),
        ("CyclicLR(optimizer, 0.01, 0.1, step_size_up=1000)", "epochs", []),
        ("CyclicLR(optimizer, 0.01, 0.1, step_size_up=15)", "1", []),
        ("OneCycleLR(optimizer, 0.1, total_steps=90)", "90", []),
    ],
)
def test_a_horizon_far_beyond_all_epochs_counts_batches(lines, made, epochs, found):
    assert lines(RULE, CYCLE.format(made=made, epochs=epochs)) == found


LIGHTNING = """
import torch
import lightning as L
class Net(L.LightningModule):
    def configure_optimizers(self):
        adam = torch.optim.Adam(self.parameters(), lr=1e-3)
        cycle = torch.optim.lr_scheduler.OneCycleLR(adam, 1e-3, total_steps={total})
        return {returned}
    {more}
"""
BATCHES = "self.trainer.estimated_stepping_batches"


@pytest.mark.parametrize(
    "returned",
    [
        "[adam], [cycle]",
        "([adam], [{'scheduler': cycle}])",
        "{'optimizer': adam, 'lr_scheduler': cycle}",
        "{'optimizer': adam, 'lr_scheduler': {'scheduler': cycle, 'interval': 'epoch'}}",
        "dict(optimizer=adam, lr_scheduler=dict(scheduler=cycle, name='rate'))",
    ],
)
@pytest.mark.parametrize("total", [BATCHES, "len(self.data) * 9"])
def test_lightning_steps_what_names_no_interval_once_per_epoch(lines, returned, total):
    assert lines(RULE, LIGHTNING.format(total=total, returned=returned, more="")) == [8]


@pytest.mark.parametrize(
    ("returned", "total", "more"),
    [
        ("[adam], [{'scheduler': cycle, 'interval': 'step'}]", BATCHES, ""),
        ("[adam], [{'scheduler': cycle, 'interval': self.unit}]", BATCHES, ""),
        ("[adam], [{'scheduler': cycle, **self.more}]", BATCHES, ""),
        ("{'optimizer': adam, 'lr_scheduler': configured(cycle)}", BATCHES, ""),
        ("[adam], [cycle]", "self.trainer.max_epochs", ""),
        ("[adam], [cycle]", BATCHES, "automatic_optimization = False"),
        ("adam", BATCHES, ""),
        ("adam, cycle", BATCHES, ""),
    ],
)
def test_what_lightning_may_step_per_batch_is_fine(lines, returned, total, more):
    assert lines(RULE, LIGHTNING.format(total=total, returned=returned, more=more)) == []
