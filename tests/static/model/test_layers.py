"""Layers, their order, and the activations they feed, in every form in which code writes them."""

from __future__ import annotations

import pytest

HEAD = "from torch import nn\nimport torch\nimport torch.nn.functional as F\n"


def kinds(stack):
    return [step.kind for step in stack.steps]


@pytest.mark.parametrize(
    "expression",
    [
        "nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))",
        "nn.Sequential(*[nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3)])",
        "nn.Sequential(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), nn.Linear(2, 3))",
        "nn.Sequential(OrderedDict([('a', nn.Linear(1, 2)), ('b', nn.ReLU()), ('c', nn.Linear(2, 3))]))",
        "nn.Sequential(OrderedDict(a=nn.Linear(1, 2), b=nn.ReLU(), c=nn.Linear(2, 3)))",
        "nn.Sequential(OrderedDict({'a': nn.Linear(1, 2), 'b': nn.ReLU(), 'c': nn.Linear(2, 3)}))",
    ],
)
def test_a_sequential_is_the_same_however_it_is_written(model, expression):
    file = model(f"{HEAD}from collections import OrderedDict\nnet = {expression}")
    (stack,) = file.sequentials()
    assert kinds(stack) == ["Linear", "ReLU", "Linear"]
    assert stack.is_plain


def test_a_list_that_grows_is_followed_in_order(model):
    file = model(f"""{HEAD}
layers = [nn.Linear(8, 8)]
layers.append(nn.ReLU())
layers += [nn.Linear(8, 8), nn.Tanh()]
layers.extend([nn.Linear(8, 2)])
net = nn.Sequential(*layers)
""")
    (stack,) = file.sequentials()
    assert kinds(stack) == ["Linear", "ReLU", "Linear", "Tanh", "Linear"]


def test_a_loop_over_a_literal_range_repeats_what_it_appends(model):
    file = model(f"""{HEAD}
def make():
    layers = []
    for i in range(3):
        layers.append(nn.Linear(8, 8))
        layers.append(nn.Sigmoid())
    layers.append(nn.Linear(8, 1))
    return nn.Sequential(*layers)
""")
    (stack,) = file.sequentials()
    assert kinds(stack) == ["Linear", "Sigmoid"] * 3 + ["Linear"]


def test_a_loop_of_unknown_length_leaves_an_unknown_step(model):
    file = model(f"""{HEAD}
def make(depth):
    layers = []
    for i in range(depth):
        layers += [nn.Linear(8, 8), nn.ReLU()]
    return nn.Sequential(*layers)
""")
    (stack,) = file.sequentials()
    assert kinds(stack) == ["Linear", "ReLU", "?"]
    assert not stack.is_complete


def test_a_name_that_is_given_another_container_grows_that_one(model):
    file = model(f"""{HEAD}
net = nn.Sequential(nn.Linear(20, 10))
net.add_module("act", nn.ReLU())
net = nn.Sequential()
net.add_module("fc", nn.Linear(2, 5))
layers = [nn.Linear(8, 8)]
layers += [nn.Tanh()]
first = nn.Sequential(*layers)
layers = [nn.Linear(4, 4)]
layers += [nn.Sigmoid()]
layers.append(nn.Linear(4, 4))
second = nn.Sequential(*layers)
""")
    assert [kinds(stack) for stack in file.sequentials()] == [
        ["Linear", "ReLU"],
        ["Linear"],
        ["Linear", "Tanh"],
        ["Linear", "Sigmoid", "Linear"],
    ]


def test_what_a_branch_appends_is_optional(model):
    file = model(f"""{HEAD}
def make(norm):
    layers = [nn.Linear(8, 8)]
    if norm:
        layers.append(nn.BatchNorm1d(8))
    layers.append(nn.ReLU())
    return nn.Sequential(*layers)
""")
    (stack,) = file.sequentials()
    assert [(step.kind, step.optional) for step in stack.steps] == [
        ("Linear", False),
        ("BatchNorm1d", True),
        ("ReLU", False),
    ]


def test_a_comprehension_over_a_literal_range_repeats_its_item(model):
    file = model(
        f"{HEAD}net = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(5)])"
    )
    (stack,) = file.sequentials()
    assert kinds(stack) == ["Linear", "Tanh"] * 5


def test_a_multiplied_list_repeats_its_items(model):
    file = model(f"{HEAD}net = nn.Sequential(*([nn.Linear(4, 4), nn.Tanh()] * 4))")
    assert kinds(next(file.sequentials())) == ["Linear", "Tanh"] * 4


def test_modules_added_to_a_sequential_are_part_of_it(model):
    file = model(f"""{HEAD}
net = nn.Sequential()
net.add_module("fc", nn.Linear(1, 2))
net.add_module("act", nn.ReLU())
""")
    assert kinds(next(file.sequentials())) == ["Linear", "ReLU"]


def test_a_helper_that_returns_layers_is_followed(model):
    file = model(f"""{HEAD}
def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3), nn.BatchNorm2d(o), nn.ReLU())
net = nn.Sequential(block(3, 8), block(8, 16), nn.Flatten())
""")
    stacks = list(file.sequentials())
    assert kinds(stacks[-1]) == ["Conv2d", "BatchNorm2d", "ReLU"] * 2 + ["Flatten"]


def test_a_forward_is_a_stack_of_layers_and_functions(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(8, 10)
    def forward(self, x):
        x = F.relu(self.conv(x))
        x = x.view(x.size(0), -1)
        x = F.dropout(x, training=self.training)
        return F.log_softmax(self.fc(x), dim=1)
""")
    (module,) = file.modules
    (stack,) = module.stacks
    assert kinds(stack) == ["Conv2d", "ReLU", "view", "Dropout", "Linear", "LogSoftmax"]


def test_a_residual_connection_is_a_join_at_which_the_stack_starts(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 8)
        self.b = nn.Linear(8, 8)
    def forward(self, x):
        x = x + self.a(x)
        return torch.relu(self.b(x))
""")
    (stack,) = file.modules[0].stacks
    assert kinds(stack) == ["add", "Linear", "ReLU"]
    assert not stack.is_plain


def test_an_added_identity_by_augmented_assignment_is_a_join(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 8)
    def forward(self, x):
        out = self.a(x)
        out += x
        return torch.relu(out)
""")
    assert kinds(file.modules[0].stacks[0]) == ["add", "ReLU"]


def test_a_loop_over_a_module_list_repeats_its_body(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(4)])
        self.head = nn.Linear(8, 2)
    def forward(self, x):
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return self.head(x)
""")
    assert kinds(file.modules[0].stacks[0]) == ["Linear", "Sigmoid"] * 4 + ["Linear"]


def test_a_module_of_the_file_inside_another_is_unfolded(model):
    file = model(f"""{HEAD}
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)
    def forward(self, x):
        return F.gelu(self.fc(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(Block(), Block())
        self.head = nn.Linear(8, 2)
    def forward(self, x):
        return self.head(self.body(x))
""")
    assert kinds(file.modules[1].stacks[0]) == ["Linear", "GELU"] * 2 + ["Linear"]


def test_a_branch_in_forward_makes_its_steps_optional(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.norm = norm
        self.fc = nn.Linear(8, 8)
        self.bn = nn.BatchNorm1d(8)
    def forward(self, x):
        x = self.fc(x)
        if self.norm:
            x = self.bn(x)
        return F.relu(x)
""")
    (stack,) = file.modules[0].stacks
    assert [(step.kind, step.optional) for step in stack.steps] == [
        ("Linear", False),
        ("BatchNorm1d", True),
        ("ReLU", False),
    ]


def test_an_activation_held_in_a_variable_or_given_as_a_class_is_known(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self, act_layer=nn.GELU):
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.act = act_layer()
    def forward(self, x):
        return self.act(self.fc(x))
""")
    assert kinds(file.modules[0].stacks[0]) == ["Linear", "GELU"]


def test_each_layer_meets_the_activation_that_it_feeds(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.fc1 = nn.Linear(8, 8)
        self.fc2 = nn.Linear(8, 2)
    def forward(self, x):
        h = torch.tanh(self.fc1(self.features(x)))
        return self.fc2(h)
""")
    pairs = [
        (pair.layer.kind, pair.activation.kind, pair.is_normalised) for pair in file.activated()
    ]
    assert pairs == [("Conv2d", "ReLU", True), ("Linear", "Tanh", False)]


def test_an_activation_off_the_way_to_the_result_is_paired_too(model):
    file = model(f"""{HEAD}
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 8)
        self.b = nn.Linear(8, 8)
    def forward(self, x):
        return torch.sigmoid(self.a(x)) * self.b(x)
""")
    assert [
        (
            pair.layer.line if hasattr(pair.layer, "line") else pair.layer.call.line,
            pair.activation.kind,
        )
        for pair in file.activated()
    ] == [(8, "Sigmoid")]


def test_sizes_and_fans_are_read_by_position_and_keyword(model):
    file = model(f"""{HEAD}
width = 64
nn.Linear(784, out_features=width)
nn.Conv2d(3, 16, kernel_size=(3, 5))
nn.Conv2d(16, 32, 3, groups=4)
nn.Linear(n, 2)
""")
    assert [(layer.fan_in, layer.width) for layer in file.all_layers()] == [
        (784, 64),
        (45, 16),
        (36, 32),
        (None, 2),
    ]


def test_a_class_with_a_base_from_elsewhere_is_a_module_if_it_looks_like_one(model):
    file = model("""
        from torch import nn
        from mylib import BaseModel, Mixin
        class Net(BaseModel):
            def forward(self, x): return x
        class Tool(Mixin):
            def run(self): pass
        class Child(Net): pass
    """)
    assert [module.name for module in file.modules] == ["Net", "Child"]


@pytest.mark.parametrize(
    "body",
    [
        "return F.softmax(self.fc(x), dim=1)",
        "x = self.fc(x)\n        return torch.softmax(x, 1)",
        "x = self.fc(x)\n        out = x.softmax(dim=-1)\n        return out",
        "return self.soft(self.fc(x))",
        "return nn.Softmax(dim=1)(self.fc(x))",
        "return self.head(x)",
        "y = F.softmax(self.fc(x), 1).squeeze(1)\n        return y.view(-1, 2)",
    ],
)
def test_a_loss_knows_what_the_forward_of_its_model_returns(model, body):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)
        self.soft = nn.Softmax(dim=1)
        self.head = nn.Sequential(nn.Linear(8, 2), nn.Softmax(dim=1))
    def forward(self, x):
        {body}
def train(model, loader, criterion):
    for x, y in loader:
        out = model(x)
        criterion(out, y).backward()
train(Net().to("cuda"), loader, nn.CrossEntropyLoss())
""")
    (loss,) = file.losses()
    assert loss.kind == "CrossEntropyLoss"
    assert {step.kind for step in file.producers(loss.input)} == {"Softmax"}


def test_two_returns_are_two_producers(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)
    def forward(self, x):
        x = self.fc(x)
        if self.training:
            return x
        return F.softmax(x, 1)
F.cross_entropy(Net()(x), y)
""")
    assert {step.kind for step in file.producers(file.losses()[0].input)} == {"Linear", "Softmax"}


def test_one_output_of_a_tuple_is_followed(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)
    def forward(self, x):
        h = self.fc(x)
        return h, F.softmax(h, dim=1)
net = Net()
logits, probabilities = net(x)
F.cross_entropy(logits, y)
F.nll_loss(probabilities, y)
""")
    first, second = file.losses()
    assert [step.kind for step in file.producers(first.input)] == ["Linear"]
    assert [step.kind for step in file.producers(second.input)] == ["Softmax"]


@pytest.mark.parametrize(
    "source", ["outputs.logits", "model(x)", "outputs['logits']", "mystery(x)"]
)
def test_what_an_unknown_model_gives_is_unknown(model, source):
    file = model(f"{HEAD}def f(model, x, y, outputs):\n    return F.cross_entropy({source}, y)")
    assert [step.kind for step in file.producers(file.losses()[0].input)] == ["?"]


def test_a_loop_over_different_modules_applies_each_in_turn(model):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)])
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return torch.sigmoid(x)
""")
    assert kinds(file.modules[0].stacks[0]) == ["Linear", "ReLU", "Linear", "Sigmoid"]


@pytest.mark.parametrize(
    "make",
    ["partial(nn.ReLU, inplace=True)()", "ACTS['relu']()", "ACTS[name]()", "ACTS.get(name)()"],
)
def test_an_activation_looked_up_or_partly_applied_is_known(model, make):
    file = model(f"""{HEAD}
from functools import partial
ACTS = {{"relu": nn.ReLU, "tanh": nn.Tanh}}
def build(name="relu"):
    return nn.Sequential(nn.Linear(8, 8), {make})
""")
    assert kinds(next(file.sequentials())) == ["Linear", "ReLU"]


def test_what_is_put_together_is_made_by_all_its_parts(model):
    file = model(
        """
        import torch
        from torch import nn
        first, second, loss = nn.Linear(4, 2), nn.Sequential(nn.Tanh()), nn.MSELoss()

        def f(x, y, parts):
            loss(torch.cat([first(x), second(x)], dim=1), y)
            loss(torch.cat(parts), y)
            loss(torch.stack([first(x), second(x)]), y)
        """
    )
    kinds = [{step.kind for step in file.producers(one.input)} for one in file.losses()]
    assert kinds == [{"Linear", "Tanh"}, {"cat"}, {"stack"}]


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("self.fc(x) * self.gamma", ["Linear", "gain"]),
        ("self.gamma * self.fc(x)", ["Linear", "gain"]),
        ("self.fc(x) / self.gamma.clamp(min=0.1)", ["Linear", "gain"]),
        ("self.fc(x) * torch.exp(self.log_scale)", ["Linear", "gain"]),
        ("self.fc(x) * F.softplus(self.gamma[0])", ["Linear", "gain"]),
        ("self.fc(x) * 0.5", ["Linear", "scale"]),
        ("self.gamma / self.fc(x)", ["mul"]),
        ("self.fc(x) * self.other(x)", ["mul"]),
        ("self.fc(x) * self.gamma.lerp(x, 0.5)", ["mul"]),
        ("self.fc(x) * self.given", ["mul"]),
        ("self.gamma * self.log_scale", ["mul"]),
        ("self.fc(x) + self.gamma", ["add"]),
    ],
)
def test_a_product_with_a_parameter_alone_is_no_join(model, product, expected):
    file = model(f"""{HEAD}
class Net(nn.Module):
    def __init__(self, given):
        super().__init__()
        self.fc, self.other = nn.Linear(8, 8), nn.Linear(8, 8)
        self.gamma = nn.Parameter(torch.ones(8))
        self.log_scale = torch.zeros(8, requires_grad=True)
        self.given = given
    def forward(self, x):
        return {product}
""")
    stack = next(file.stacks())
    assert kinds(stack) == expected
