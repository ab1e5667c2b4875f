"""The events of training loops, in order, through helpers, and told apart by who drives the step."""

from __future__ import annotations

import pytest

from trainlint.core.loop import LoopEvent
from trainlint.static.model import Driver

HEAD = "import torch\nfrom torch import nn, optim\n"


def told(file):
    return [
        [(event.kind.value, event.call.line) for event in routine.events]
        for routine in file.routines()
    ]


def test_a_plain_loop_is_told_in_order(model):
    file = model("""
        import torch
        net = torch.nn.Linear(1, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        sched = torch.optim.lr_scheduler.StepLR(opt, 1)
        crit = torch.nn.MSELoss()
        net.train()
        for epoch in range(3):
            for x, y in loader:
                opt.zero_grad()
                loss = crit(net(x), y)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                opt.step()
            sched.step()
        net.eval()
    """)
    (routine,) = file.routines()
    assert [(event.kind.value, len(event.loops)) for event in routine.events] == [
        ("train mode", 0),
        ("zero grad", 2),
        ("forward", 2),
        ("loss", 2),
        ("backward", 2),
        ("clip", 2),
        ("step", 2),
        ("scheduler step", 1),
        ("eval mode", 0),
    ]
    assert routine.is_plain


def test_helpers_and_methods_are_part_of_the_routine_that_calls_them(model):
    file = model("""
        import torch
        class Trainer:
            def __init__(self, net):
                self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            def fit(self, loader):
                for batch in loader:
                    self.clear()
                    self.update(batch)
            def clear(self):
                self.optimizer.zero_grad()
            def update(self, batch):
                loss = self.loss(batch)
                loss.backward()
                self.optimizer.step()
    """)
    assert told(file) == [[("zero grad", 11), ("backward", 14), ("step", 15)]]
    assert all(len(event.loops) == 1 for event in file.routines()[0].events)


def test_a_closure_runs_where_it_is_handed_to_the_step(model):
    file = model("""
        import torch
        opt = torch.optim.LBFGS(net.parameters())
        for x in data:
            def closure():
                opt.zero_grad()
                loss = f(x)
                loss.backward()
                return loss
            opt.step(closure)
    """)
    assert told(file) == [[("zero grad", 6), ("backward", 8), ("step", 10)]]


def test_a_scaler_scales_the_backward_and_steps_the_optimizer(model):
    file = model("""
        import torch
        scaler = torch.cuda.amp.GradScaler()
        for x in loader:
            optimizer.zero_grad()
            scaler.scale(f(x)).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
    """)
    (routine,) = file.routines()
    backward = routine.of(LoopEvent.BACKWARD)[0]
    step = routine.of(LoopEvent.STEP)[0]
    assert backward.scaled
    assert (step.scaled, step.subject.text) == (True, "optimizer")
    assert [event.kind.value for event in routine.events[2:]] == [
        "unscale",
        "step",
        "scaler update",
    ]


@pytest.mark.parametrize(
    "line",
    ["env.step(action)", "prof.step()", "vec_env.step(a)", "bar.update(1)", "parser.train()[0]"],
)
def test_what_only_sounds_like_a_step_is_none(model, line):
    file = model(f"import torch\nfor x in y:\n    {line}\n    loss.backward()")
    assert [event.kind for event in file.routines()[0].events if event.kind is LoopEvent.STEP] == []


@pytest.mark.parametrize(
    ("source", "driver"),
    [
        (
            "from accelerate import Accelerator\na = Accelerator()\nfor x in l:\n    a.backward(loss)",
            Driver.ACCELERATE,
        ),
        ("def f(accelerator, loss):\n    accelerator.backward(loss)", Driver.ACCELERATE),
        (
            "import lightning as L\nfabric = L.Fabric()\nfor x in l:\n    fabric.backward(loss)",
            Driver.FABRIC,
        ),
        (
            "import deepspeed\nengine, *_ = deepspeed.initialize()\nfor x in l:\n    engine.backward(loss)\n    engine.step()",
            Driver.DEEPSPEED,
        ),
        (
            "import lightning as L\nclass M(L.LightningModule):\n    def training_step(self, b):\n        self.manual_backward(loss)",
            Driver.LIGHTNING,
        ),
    ],
)
def test_a_framework_that_drives_the_step_is_recognised(model, source, driver):
    file = model("import torch\n" + source)
    assert any(driver in routine.drivers for routine in file.routines())


def test_train_of_a_trainer_is_no_mode(model):
    file = model("""
        import torch
        class Trainer:
            def train(self):
                loss.backward()
                optimizer.step()
        Trainer().train()
    """)
    assert told(file) == [[("backward", 5), ("step", 6)]]


def test_train_false_is_evaluation_mode(model):
    file = model("import torch\nmodel.train(False)\nmodel.eval()\nmodel.train()")
    assert [kind for kind, _ in told(file)[0]] == ["eval mode", "eval mode", "train mode"]


def test_arms_of_one_if_exclude_each_other(model):
    file = model("""
        import torch
        for x in loader:
            if amp:
                scaler.scale(loss).backward()
                scaler.step(optimizer)
            else:
                loss.backward()
                optimizer.step()
    """)
    first, one, second, other = file.routines()[0].events
    assert first.excludes(second)
    assert one.excludes(other)
    assert not first.excludes(one)
    assert first.conditional_in(first.loop)


def test_a_step_of_a_scheduler_knows_which_one_it_may_be(model):
    file = model("""
        import torch
        from torch.optim import lr_scheduler
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        one = lr_scheduler.StepLR(opt, 3) if coarse else lr_scheduler.ExponentialLR(opt, 0.9)
        scheduler = make_scheduler(opt)
        loss.backward()
        one.step()
        scheduler.step()
    """)
    steps = file.routines()[0].of(LoopEvent.SCHEDULER_STEP)
    assert [[made.kind for made in step.schedulers] for step in steps] == [
        ["StepLR", "ExponentialLR"],
        [],
    ]


def test_a_function_that_nothing_calls_is_a_routine_of_its_own(model):
    file = model("""
        import torch
        def one(loss): loss.backward()
        def two(optimizer): optimizer.step()
    """)
    assert told(file) == [[("backward", 3)], [("step", 4)]]


def test_recursion_and_mutual_calls_end(model):
    file = model("""
        import torch
        def a(loss):
            loss.backward()
            b(loss)
        def b(loss):
            a(loss)
        a(loss)
    """)
    assert told(file) == [[("backward", 4)]]


def test_no_grad_is_seen_as_context_and_as_decorator(model):
    file = model("""
        import torch
        with torch.no_grad():
            ask(1)
        @torch.inference_mode()
        def f():
            ask(2)
        def g():
            ask(3)
    """)
    assert [call.without_gradient for call in file.method_calls("ask")] == [True, True, False]


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("model(x)", True),
        ("model(**batch)", True),
        ("self.net(input_ids=x, labels=y)", True),
        ("model()", False),
        ("model_class(**config)", False),
        ("self.net_type(8, 2)", False),
        ("build_model(depth=3)", False),
        ("ModelClass(x)", False),
    ],
)
def test_a_model_is_called_with_data_and_not_by_what_builds_it(model, called, expected):
    file = model(
        f"import torch\ndef f(self, model_class, build_model):\n    out = {called}\n    out.backward()\n"
    )
    kinds = [event.kind for routine in file.routines() for event in routine.events]
    assert (LoopEvent.FORWARD in kinds) is expected
