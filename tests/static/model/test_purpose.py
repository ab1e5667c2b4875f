"""What data is for, by the words around it."""

from __future__ import annotations

import pytest

from trainlint.static.model import Purpose


@pytest.mark.parametrize(
    "name", ["val", "test_loader", "valDataset", "testset", "X_test", "evalTf"]
)
def test_a_name_with_a_word_for_evaluation_is_of_evaluation(name):
    assert Purpose.of(name) is Purpose.EVALUATION


@pytest.mark.parametrize("name", ["train", "trainloader", "training_data", "retrieval_train"])
def test_a_name_with_a_word_for_training_is_of_training(name):
    assert Purpose.of(name) is Purpose.TRAINING


@pytest.mark.parametrize("name", ["train_val", "trainval_set"])
def test_a_name_with_both_words_is_of_both(name):
    assert Purpose.of(name) is Purpose.BOTH


@pytest.mark.parametrize("name", ["latest", "contest", "interval", "valued", "data", "", None])
def test_a_name_in_which_the_word_is_only_a_part_of_another_says_nothing(name):
    assert Purpose.of(name) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = make()", ("a",)),
        ("self.a = [1, make()]", ("self.a",)),
        ("a = {'x': [make()]}", ("x", "a")),
        ("a = dict(x=make())", ("x", "a")),
        ("a = {k: make() for k in ks}", ("a",)),
        ("a = make() if b else None", ("a",)),
        ("def f():\n    return make()", ("f",)),
        ("a, b = other(), make()", ("b",)),
        ("(a, b), c = [make(), other()], 1", ("a",)),
        ("a, *b = other(), make()", ("(a, *b)",)),
        ("a = use(make())", ()),
        ("a = make() + 1", ()),
    ],
)
def test_a_value_is_kept_under_its_keys_and_its_variable(model, source, expected):
    file = model(source)
    (call,) = file.method_calls("make")
    assert file.labels(call) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("data = make(train=False)", Purpose.EVALUATION),
        ("val_data = make(train=True)", Purpose.TRAINING),
        ("val_data = make(train=flag)", None),
        ("data = make(split='test')", Purpose.EVALUATION),
        ("data = make(valdir)", Purpose.EVALUATION),
        ("data = make(root)", None),
    ],
)
def test_a_data_set_says_what_it_is_for(model, source, expected):
    file = model(source)
    (call,) = file.method_calls("make")
    assert file.purpose_of_data(call) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("train_loader = DataLoader(data)", True),
        ("loader = DataLoader(data, shuffle=True)", True),
        ("loader = DataLoader(train_set)", True),
        ("test_loader = DataLoader(data, shuffle=True)", False),
        ("loader = DataLoader(val_set, shuffle=True)", False),
        ("def evaluate():\n    loader = DataLoader(data, shuffle=True)", False),
        ("loader = DataLoader(data)", False),
    ],
)
def test_a_loader_says_whether_it_feeds_a_training(model, source, expected):
    (loader,) = model(f"from torch.utils.data import DataLoader\n{source}").loaders()
    assert loader.is_for_training is expected


def test_calls_are_found_by_their_package_and_by_a_keyword(model):
    file = model("""
from torchvision import transforms as T
a = T.Resize(2)
b = make(transform=a)
""")
    assert [call.text for call in file.calls_under("torchvision.transforms")] == ["T.Resize(2)"]
    assert [call.text for call in file.calls_passing("transform")] == ["make(transform=a)"]
