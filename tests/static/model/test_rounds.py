"""The loops that run a call again, and what their rounds make anew."""


def told(file):
    (call,) = file.method_calls("ask")
    return [(one.loop.targets, len(one.via)) for one in file.rounds_of(call)]


def made_anew(file):
    (call,) = file.method_calls("ask")
    found = next(file.rounds_of(call))
    return found.may_make(call.args[0])


def test_the_loops_around_a_call_are_told_from_the_innermost(model):
    file = model("for a in x:\n    for b in y:\n        ask(net)")
    assert told(file) == [(("b",), 0), (("a",), 0)]


def test_loops_in_callers_are_told_with_the_calls_that_lead_there(model):
    file = model("""
        def inner():
            ask(net)
        def outer():
            for b in y:
                inner()
        for a in x:
            outer()
    """)
    assert told(file) == [(("b",), 1), (("a",), 2)]


def test_an_if_on_the_way_ends_it(model):
    file = model("for a in x:\n    for b in y:\n        if a:\n            ask(net)")
    assert told(file) == []


def test_a_try_is_always_entered(model):
    file = model("for a in x:\n    try:\n        ask(net)\n    except ValueError:\n        pass")
    assert told(file) == [(("a",), 0)]


def test_a_function_that_calls_itself_ends(model):
    file = model("def f():\n    for a in x:\n        f()\n        ask(net)\nf()")
    assert (("a",), 0) in told(file)


def test_what_is_bound_outside_of_the_loop_stays(model):
    assert not made_anew(model("net = Net()\nfor a in x:\n    ask(net)"))
    assert not made_anew(model("for a in x:\n    ask(net)"))
    assert not made_anew(model("def f(net):\n    for a in x:\n        ask(net)"))


def test_what_is_bound_in_the_loop_is_made_anew(model):
    assert made_anew(model("for a in x:\n    net = Net()\n    ask(net)"))
    assert made_anew(model("for net in nets:\n    ask(net)"))
    assert made_anew(model("for i in x:\n    ask(nets[i])"))
    assert made_anew(model("import copy\nfor a in x:\n    net = copy.deepcopy(base)\n    ask(net)"))


def test_a_parameter_is_followed_to_the_call_in_the_loop(model):
    source = "def f(net):\n    ask(net)\n"
    assert not made_anew(model(source + "net = Net()\nfor a in x:\n    f(net)"))
    assert made_anew(model(source + "for a in x:\n    net = Net()\n    f(net)"))
    assert made_anew(model(source + "for a in x:\n    f(Net())"))
    assert made_anew(model("import copy\n" + source + "for a in x:\n    f(copy.deepcopy(base))"))


def test_what_a_function_makes_is_made_in_each_call(model):
    assert made_anew(model("def f():\n    net = Net()\n    ask(net)\nfor a in x:\n    f()"))


def test_a_further_name_is_no_further_object(model):
    source = "net = Net()\ndef f():\n    mine = net\n    ask(mine)\nfor a in x:\n    f()"
    assert not made_anew(model(source))


def test_an_attribute_of_self_is_made_anew_with_its_instance(model):
    source = """
        class T:
            def __init__(self):
                self.net = Net()
            def f(self):
                ask(self.net)
    """
    assert made_anew(model(source + "\n        for a in x:\n            T().f()"))
    assert not made_anew(
        model(source + "\n        t = T()\n        for a in x:\n            t.f()")
    )


def test_an_event_counts_the_rounds_since_its_subject_was_made(model):
    file = model("""
        import torch
        for fold in range(5):
            sched = torch.optim.lr_scheduler.StepLR(opt, 3)
            for epoch in range(4):
                for step in range(10):
                    sched.step()
    """)
    (routine,) = file.routines()
    (scheduler,) = file.schedulers()
    assert [event.times(scheduler.call) for event in routine.events] == [40]


def test_an_event_in_a_loop_of_unknown_length_is_not_counted(model):
    file = model("""
        import torch
        sched = torch.optim.lr_scheduler.StepLR(opt, 3)
        for batch in loader:
            sched.step()
    """)
    (routine,) = file.routines()
    (scheduler,) = file.schedulers()
    assert [event.times(scheduler.call) for event in routine.events] == [None]
