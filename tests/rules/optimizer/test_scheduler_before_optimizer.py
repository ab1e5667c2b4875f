"""Edge cases of scheduler-before-optimizer."""

RULE = "scheduler-before-optimizer"


def test_a_schedule_stepped_at_the_top_of_the_epoch_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch.optim import lr_scheduler
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = lr_scheduler.StepLR(optimizer, step_size=10)
        for epoch in range(30):
            scheduler.step()
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
    ) == [7]


def test_two_lines_in_the_wrong_order_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            scheduler.step()
            optimizer.step()
    """,
    ) == [8]


def test_an_epoch_that_trains_through_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        def train(net, loader, optimizer):
            net.train()
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
        def main():
            optimizer = optim.SGD(net.parameters(), lr=0.1)
            scheduler = optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])
            for epoch in range(90):
                scheduler.step()
                train(net, loader, optimizer)
    """,
    ) == [13]


def test_a_trainer_with_attributes_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
            def _run_batch(self, x, y):
                self.optimizer.zero_grad()
                loss_fn(self.model(x), y).backward()
                self.scheduler.step()
                self.optimizer.step()
    """,
    ) == [11]


def test_a_schedule_that_waits_for_a_plateau_is_not_excluded(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            plateau.step(loss)
            optimizer.step()
    """,
    ) == [9]


def test_the_step_of_the_optimizer_is_shown(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            scheduler.step()
            optimizer.step()
    """,
    )
    assert [other.span.line for other in one.related] == [9]


def test_a_scaler_that_steps_the_optimizer_counts(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up)
        scaler = torch.amp.GradScaler("cuda")
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda"):
                loss = loss_fn(net(x), y)
            scaler.scale(loss).backward()
            scheduler.step()
            scaler.step(optimizer)
            scaler.update()
    """,
    ) == [11]


def test_the_usual_order_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
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


def test_the_usual_order_through_functions_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def train(net, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
        def main():
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
            for epoch in range(30):
                train(net, loader, optimizer)
                scheduler.step()
    """,
        )
        == []
    )


def test_a_schedule_stepped_only_after_the_first_epoch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for epoch in range(30):
            if epoch > 0:
                scheduler.step()
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_schedule_told_the_epoch_has_its_own_clock(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from timm.scheduler import CosineLRScheduler
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = CosineLRScheduler(optimizer, t_initial=10)
        for epoch in range(30):
            scheduler.step(epoch)
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_schedule_of_ones_own_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        class Warmup:
            def step(self): ...
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = Warmup()
        for x, y in loader:
            scheduler.step()
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_schedules_of_another_optimizer_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        opt_d = torch.optim.Adam(d.parameters(), lr=1e-4)
        opt_g = torch.optim.Adam(g.parameters(), lr=1e-4)
        sched_d = torch.optim.lr_scheduler.StepLR(opt_d, 10)
        sched_g = torch.optim.lr_scheduler.StepLR(opt_g, 10)
        for x in loader:
            opt_d.zero_grad()
            d_loss(d, g, x).backward()
            opt_d.step()
            sched_d.step()
            opt_g.zero_grad()
            g_loss(d, g).backward()
            opt_g.step()
            sched_g.step()
    """,
        )
        == []
    )


def test_a_schedule_wound_forward_on_resume_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for _ in range(start_epoch):
            scheduler.step()
        for epoch in range(start_epoch, 30):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_both_in_the_batch_loop_in_order_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=100)
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
                scheduler.step()
            validate(net)
    """,
        )
        == []
    )


def test_an_accumulation_that_steps_both_in_order_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for i, (x, y) in enumerate(loader):
            (loss_fn(net(x), y) / 4).backward()
            if (i + 1) % 4 != 0:
                continue
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    """,
        )
        == []
    )


def test_a_warm_up_step_before_training_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        optimizer.step()
        scheduler.step()
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


def test_schedules_in_a_list_are_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizers = make_optimizers(net)
        schedulers = make_schedulers(optimizers)
        for epoch in range(30):
            for s in schedulers:
                s.step()
            for o in optimizers:
                o.step()
    """,
        )
        == []
    )


def test_a_metric_told_before_the_epoch_is_that_of_the_last_one(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        for epoch in range(30):
            plateau.step(evaluate(net))
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_second_training_with_the_same_optimizer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
        for x, y in warm_up_loader:
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
        for epoch in range(30):
            scheduler.step()
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )
