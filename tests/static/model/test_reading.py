"""Who reads what a variable holds, and the dicts that a value is put into."""


def reads(file):
    (call,) = file.method_calls("make")
    found = file.reads_of(call)
    return None if found is None else [one.line for one in found]


def beside(file):
    (call,) = file.method_calls("make")
    return [sorted(entries) for entries in file.entries_beside(call)]


def test_every_read_of_a_variable_is_told(model):
    assert reads(model("a = make()\nprint(a)\na.step()")) == [2, 3]
    assert reads(model("a = make()\ndef f():\n    a.step()\n")) == [3]
    assert reads(model("a = make()\n")) == []


def test_a_variable_of_the_same_name_elsewhere_is_another(model):
    assert reads(model("def f():\n    a = make()\ndef g():\n    a = 1\n    print(a)\n")) == []


def test_an_attribute_is_read_wherever_its_name_is(model):
    assert reads(model("self.a = make()\nother.a.step()\n")) == [2]


def test_a_value_that_is_not_kept_in_one_variable_has_no_answer(model):
    assert reads(model("make()")) is None
    assert reads(model("a = b = make()")) is None
    assert reads(model("f(make())")) is None
    assert reads(model("a = [make()]")) is None


def test_the_dicts_around_a_value_are_told_from_the_inside_out(model):
    file = model("def f():\n    return {'o': x, 's': {'scheduler': make(), 'monitor': 'a'}}")
    assert beside(file) == [["monitor", "scheduler"], ["o", "s"]]


def test_the_dicts_around_the_variable_of_a_value_are_told(model):
    assert beside(model("s = make()\nf([{'scheduler': s, 'monitor': 'a'}])")) == [
        ["monitor", "scheduler"]
    ]
    assert beside(model("s = make()\nreturned = dict(scheduler=s)")) == [["scheduler"]]


def test_a_value_that_goes_into_a_call_is_not_put_into_its_dict(model):
    assert beside(model("f({'scheduler': wrap(make())})")) == []


def test_what_a_name_is_the_owner_of_and_the_key_of_an_item_are_told(asked):
    expr = asked("ask(net)\n")
    assert expr.attribute_around is None
    assert asked("ask(config['epochs'])").key == "epochs"
    assert asked("ask(config[0])").key is None
    assert asked("ask(config.epochs)").key is None


def test_what_a_length_is_taken_of_is_told_through_variables(asked):
    assert [one.text for one in asked("n = 3 * len(loader)\nask(n)").measured] == ["loader"]
    assert list(asked("n = 3 * m\nask(n)").measured) == []


def test_an_attribute_around_a_name_is_told(model):
    (read,) = model("s = make()\ns.step()").names_read("s")
    assert read.attribute_around.text == "s.step"
