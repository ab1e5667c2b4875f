"""Edge cases of ddp-module-bypassed."""

RULE = "ddp-module-bypassed"


def test_a_training_step_through_module_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net, device_ids=[rank])
        optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(ddp.module(x), y)
            loss.backward()
            optimizer.step()
    """,
    ) == [8]


def test_an_output_kept_in_a_variable_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        def train(rank, net, loader, optimizer):
            model = torch.nn.parallel.DistributedDataParallel(net, device_ids=[rank])
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                output = model.module(x)
                loss = torch.nn.functional.cross_entropy(output, y)
                loss.backward()
                optimizer.step()
    """,
    ) == [8]


def test_a_trainer_with_attributes_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.nn.parallel import DistributedDataParallel as DDP
        class Trainer:
            def __init__(self, model, rank):
                self.model = DDP(model, device_ids=[rank])
            def _run_batch(self, x, y):
                self.optimizer.zero_grad()
                loss = self.loss_fn(self.model.module(x), y)
                loss.backward()
                self.optimizer.step()
    """,
    ) == [8]


def test_forward_called_by_name_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        model = nn.parallel.DistributedDataParallel(model)
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model.module.forward(x), y)
            loss.backward()
            optimizer.step()
    """,
    ) == [7]


def test_a_module_bound_to_a_name_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        raw = ddp.module
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(raw(x), y).backward()
            optimizer.step()
    """,
    ) == [8]


def test_the_mend_drops_the_attribute(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ddp.module(x), y).backward()
            optimizer.step()
    """,
    )
    assert one.fix is not None


def test_the_wrapper_called_itself_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ddp(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_saving_the_module_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ddp(x), y).backward()
            optimizer.step()
        torch.save(ddp.module.state_dict(), "net.pt")
        raw_model = ddp.module
    """,
        )
        == []
    )


def test_an_evaluation_through_module_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        def evaluate(loader):
            ddp.eval()
            with torch.no_grad():
                for x, y in loader:
                    print(loss_fn(ddp.module(x), y))
    """,
        )
        == []
    )


def test_a_sample_under_no_grad_inside_the_training_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ddp(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                show(ddp.module(x))
    """,
        )
        == []
    )


def test_the_other_parallel_has_no_gradients_to_share(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.DataParallel(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model.module(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_module_attribute_of_something_else_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        class Ema(torch.nn.Module):
            def __init__(self, net):
                super().__init__()
                self.module = net
            def forward(self, x):
                return self.module(x)
        ema = Ema(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ema.module(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_gradients_shared_by_hand_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.distributed as dist
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(ddp.module(x), y).backward()
            for p in ddp.parameters():
                dist.all_reduce(p.grad)
            optimizer.step()
    """,
        )
        == []
    )


def test_an_inner_step_of_a_step_without_sync_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            with ddp.no_sync():
                loss_fn(ddp.module(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_model_of_unknown_making_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        def step(model, x, y, optimizer):
            optimizer.zero_grad()
            loss_fn(model.module(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_target_that_needs_no_gradient_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            target = ddp.module(x).detach()
            loss_fn(ddp(x), target).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_the_wrapper_called_for_the_same_loss_prepares_the_sharing(lines):
    assert (
        lines(
            RULE,
            """
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(ddp(x), y) + penalty(ddp.module(x))
            loss.backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_result_that_is_unpacked_is_followed(lines):
    source = """
        from torch.nn.parallel import DistributedDataParallel as DDP
        ddp = DDP(net)
        for x, y in loader:
            one, two = ddp.module(x).chunk(2)
            loss_fn(one, two).backward()
            optimizer.step()
    """
    assert lines(RULE, source) == [5]
