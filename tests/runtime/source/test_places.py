"""Where a module was built is found for the many ways in which people write models.

In a snippet each line that builds modules says in a comment which: ``# <- fc1, fc2``; ``.`` is the model.
All modules that no line names must be unknown, and of torch's own modules inside of others the nearest
line around them is right.
"""

from __future__ import annotations

import importlib
import linecache
import sys
import time
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from trainlint.runtime.signals import Origin  # noqa: E402
from trainlint.runtime.source.places import Places  # noqa: E402

PRELUDE = "import torch\nfrom torch import nn\nfrom collections import OrderedDict\n"


def executed(source, path):
    code = PRELUDE + dedent(source).lstrip("\n")
    linecache.cache[path] = (len(code), None, code.splitlines(keepends=True), path)
    names = {"__name__": "__main__", "__file__": path, "trainlint": Watcher()}
    exec(compile(code, path, "exec"), names)  # noqa: S102 - the snippets are ours
    return code, names


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    """Let `linecache` know nothing of the snippets of other tests."""
    monkeypatch.setattr(linecache, "cache", {})


class Watcher:
    """Stands for the package: what is watched is kept."""

    def watch(self, model, *_):
        """Keep the model."""
        self.model = model


def line_of(code, text):
    return next(at for at, line in enumerate(code.splitlines(), start=1) if text in line)


def places_of(source, path="/nowhere/train.py"):
    code, names = executed(source, path)
    model = names["trainlint"].model
    caller = Origin(path, line_of(code, "trainlint.watch("))
    return code, model, Places({"": model}, caller)


def marked(code):
    found: dict[str, int] = {}
    for at, line in enumerate(code.splitlines(), start=1):
        _, arrow, names = line.partition("# <- ")
        if arrow:
            found |= {name.strip().removeprefix("."): at for name in names.split(",")}
    return found


def check(source, path="/nowhere/train.py"):
    """Compare the lines of all modules with the marks."""
    code, model, places = places_of(source, path)
    expected = marked(code)
    assert expected
    names = [name for name, _ in model.named_modules()]
    assert set(expected) <= set(names)
    got = {name: places.of(name) for name in names}
    assert {name: one.line for name, one in got.items() if one.line} == expected
    assert {one.path for one in got.values() if one.line} == {path}


NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
{body}

    def forward(self, x):
        return x

model = Net()  # <- .{also}
trainlint.watch(model)
"""


def net(body, also=""):
    indented = "\n".join(8 * " " + line for line in dedent(body).strip().splitlines())
    return NET.format(body=indented, also=also)


def test_plain_attributes():
    check(
        net("""
        self.fc1 = nn.Linear(2, 3)  # <- fc1
        self.fc2: nn.Module = nn.Linear(  # <- fc2
            3,
            4,
        )
        self.norm = (
            nn.LayerNorm(4)  # <- norm
        )
        """)
    )


def test_attributes_in_pairs_in_chains_and_by_walrus():
    check(
        net("""
        self.a, self.b = nn.Linear(1, 1), nn.ReLU()  # <- a, b
        self.c, self.d = (nn.Linear(1, 1) for _ in range(2))  # <- c, d
        self.e = (one := nn.Linear(1, 1))  # <- e
        two = nn.Linear(1, 1)  # <- f
        self.f = two
        """)
    )


def test_attributes_by_name():
    check(
        net("""
        self.add_module("a", nn.Linear(1, 1))  # <- a
        setattr(self, "b", nn.Linear(1, 1))  # <- b
        for at in range(2):
            setattr(self, f"fc{at}", nn.Linear(1, 1))  # <- fc0, fc1
            self.add_module("norm%d" % at, nn.LayerNorm(1))  # <- norm0, norm1
            self.register_module("act" + str(at), nn.ReLU())  # <- act0, act1
            self.add_module("drop{}".format(at), nn.Dropout())  # <- drop0, drop1
        """)
    )


def test_attributes_that_are_made_in_other_methods():
    check(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self._make()

            def _make(self):
                self.fc = nn.Linear(1, 1)  # <- fc

        model = Net()  # <- .
        trainlint.watch(model)
        """
    )


def test_an_attribute_of_a_base_class_and_one_that_a_derived_class_makes_anew():
    check(
        """
        class Base(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.fc = nn.Linear(1, width)  # <- fc
                self.head = nn.Linear(width, 1)

        class Net(Base):
            def __init__(self):
                super().__init__(4)
                self.head = nn.Linear(4, 10)  # <- head

        model = Net()  # <- .
        trainlint.watch(model)
        """
    )


def test_branches_are_told_apart_by_the_class():
    check(
        net("""
        kind = "gelu"
        if kind == "relu":
            self.act = nn.ReLU()
        else:
            self.act = nn.GELU()  # <- act
        self.norm = nn.BatchNorm1d(1) if kind == "batch" else nn.LayerNorm(1)  # <- norm
        """)
    )


def test_two_lines_that_can_both_have_been_it_are_not_chosen_from():
    check(
        net("""
        self.known = nn.ReLU()  # <- known
        if torch.ones(1).item() > 0:
            self.act = nn.ReLU()
        else:
            self.act = nn.ReLU()
        """)
    )


def test_an_attribute_that_is_wrapped_is_where_it_was_built():
    check(
        net(
            """
        self.fc = nn.Linear(2, 2)  # <- fc
        self.fc = nn.utils.parametrizations.weight_norm(self.fc)
        """
        ).replace(
            "# <- fc\n",
            "# <- fc, fc.parametrizations, fc.parametrizations.weight, fc.parametrizations.weight.0\n",
        )
    )


def test_inline_children_of_a_sequential():
    check(
        net("""
        self.net = nn.Sequential(  # <- net
            nn.Linear(1, 2),  # <- net.0
            nn.Sequential(  # <- net.1
                nn.ReLU(),  # <- net.1.0
                nn.Dropout(0.1)  # <- net.1.1
            ),
            nn.Linear(2, 3).to("cpu"),  # <- net.2
        )
        """)
    )


def test_named_children_of_a_sequential():
    check(
        net("""
        self.net = nn.Sequential(OrderedDict([  # <- net
            ("in", nn.Linear(1, 2)),  # <- net.in
            ("act", nn.ReLU()),  # <- net.act
        ]))
        self.two = nn.Sequential(OrderedDict(  # <- two
            a=nn.Linear(1, 2),  # <- two.a
            b=nn.ReLU(),  # <- two.b
        ))
        layers = OrderedDict()
        layers["x"] = nn.Linear(1, 1)  # <- three.x
        layers["y"] = nn.ReLU()  # <- three.y
        self.three = nn.Sequential(layers)  # <- three
        """)
    )


def test_lists_and_dictionaries_of_modules():
    check(
        net("""
        self.layers = nn.ModuleList([  # <- layers
            nn.Linear(1, 2),  # <- layers.0
            nn.Linear(2, 3),  # <- layers.1
        ])
        self.heads = nn.ModuleDict({  # <- heads
            "a": nn.Linear(1, 2),  # <- heads.a
            "b": nn.Linear(1, 2),  # <- heads.b
        })
        self.acts = nn.ModuleDict([["relu", nn.ReLU()], ["gelu", nn.GELU()]])  # <- acts, acts.relu, acts.gelu
        """)
    )


def test_comprehensions():
    check(
        net("""
        self.layers = nn.ModuleList(  # <- layers
            nn.Linear(1, 1)  # <- layers.0, layers.1
            for _ in range(2)
        )
        self.heads = nn.ModuleDict({name: nn.Linear(1, 1) for name in "ab"})  # <- heads, heads.a, heads.b
        self.net = nn.Sequential(*[nn.Linear(1, 1) for _ in range(2)], nn.ReLU())  # <- net, net.0, net.1, net.2
        """)
    )


def test_lists_that_loops_fill():
    check(
        net("""
        layers = []
        for at in range(3):
            layers.append(nn.Linear(1, 1))  # <- net.0, net.3, net.6
            if at:
                layers += [nn.BatchNorm1d(1)]  # <- net.4, net.7
            else:
                layers.extend((nn.LayerNorm(1),))  # <- net.1
            layers.append(
                nn.ReLU()  # <- net.2, net.5, net.8
            )
        layers = layers + [nn.Dropout(0.1)]  # <- net.9
        self.net = nn.Sequential(*layers, nn.Linear(1, 1))  # <- net, net.10
        """)
    )


def test_collections_that_are_filled_by_their_attribute():
    check(
        net("""
        self.layers = nn.ModuleList()  # <- layers
        self.named = nn.ModuleDict()  # <- named
        self.net = nn.Sequential()  # <- net
        for at in range(2):
            self.layers.append(nn.Linear(1, 1))  # <- layers.0, layers.1
            self.named[f"a{at}"] = nn.Linear(1, 1)  # <- named.a0, named.a1
            self.net.add_module(f"fc{at}", nn.Linear(1, 1))  # <- net.fc0, net.fc1
        self.layers.append(nn.ReLU())  # <- layers.2
        """)
    )


def test_a_list_that_is_made_anew_in_each_turn_of_a_loop():
    check(
        net("""
        stages = []
        for at in range(2):
            stage = [nn.Conv2d(1, 1, 1)]  # <- net.0.0, net.1.0
            stage.append(nn.ReLU())  # <- net.0.1, net.1.1
            stages.append(nn.Sequential(*stage))  # <- net.0, net.1
        self.net = nn.Sequential(*stages)  # <- net
        """)
    )


def test_a_choice_of_layers_that_an_argument_makes():
    check(
        """
        class Net(nn.Module):
            def __init__(self, norm, act=nn.GELU):
                super().__init__()
                layers = []
                for _ in range(2):
                    layers.append(nn.Linear(1, 1))  # <- net.0, net.3
                    if norm:
                        layers.append(norm(1))  # <- net.1, net.4
                    layers.append(act())  # <- net.2, net.5
                self.net = nn.Sequential(*layers)  # <- net

        model = Net(nn.LayerNorm)  # <- .
        trainlint.watch(model)
        """
    )


def test_helper_functions_and_methods():
    check(
        """
        def block(width):
            return nn.Sequential(
                nn.Linear(width, width),  # <- a.0, b.0
                nn.ReLU(),  # <- a.1, b.1
            )

        def stack(count):
            layers = [nn.Linear(1, 1)]  # <- c.0
            for _ in range(count):
                layers.append(nn.Tanh())  # <- c.1, c.2
            return layers

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = block(2)  # <- a
                self.b = block(3)  # <- b
                self.c = nn.Sequential(*stack(2))  # <- c
                self.d = self._make(2)  # <- d

            def _make(self, count):
                net = nn.Sequential()
                for at in range(count):
                    net.append(nn.Linear(1, 1))  # <- d.0, d.1
                return net

        model = Net()  # <- .
        trainlint.watch(model)
        """
    )


def test_classes_inside_of_classes():
    check(
        """
        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.fc = nn.Linear(width, width)  # <- blocks.0.fc, blocks.1.fc
                self.act = nn.ReLU()  # <- blocks.0.act, blocks.1.act

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.ModuleList([Block(4) for _ in range(2)])  # <- blocks, blocks.0, blocks.1

        model = Net()  # <- .
        trainlint.watch(model)
        """
    )


def test_a_class_that_is_a_sequential():
    check(
        """
        class ConvBlock(nn.Sequential):
            def __init__(self, width):
                super().__init__(
                    nn.Conv2d(width, width, 1),  # <- 0.0, 1.0
                    nn.BatchNorm2d(width),  # <- 0.1, 1.1
                )
                self.append(nn.ReLU())  # <- 0.2, 1.2

        class Net(nn.Sequential):
            pass

        model = Net(  # <- .
            ConvBlock(1),  # <- 0
            ConvBlock(2),  # <- 1
        )
        trainlint.watch(model)
        """
    )


def test_modules_that_are_given_as_arguments():
    check(
        """
        class Residual(nn.Module):
            def __init__(self, inner, act=None):
                super().__init__()
                self.inner = inner
                self.act = act or nn.ReLU()  # <- left.act

        class Pair(nn.Module):
            def __init__(self, left, right):
                super().__init__()
                self.left = left
                self.right = right

        encoder = nn.Sequential(  # <- right
            nn.Linear(1, 1),  # <- right.0
        )
        model = Pair(  # <- .
            Residual(nn.Linear(2, 2)),  # <- left, left.inner
            right=encoder,
        )
        trainlint.watch(model)
        """
    )


def test_torchs_own_inner_modules_are_where_the_user_builds_what_is_around_them():
    check(
        net("""
        layer = nn.TransformerEncoderLayer(8, 2, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)  # <- encoder
        self.attention = nn.MultiheadAttention(8, 2)  # <- attention
        """)
        .replace(
            "# <- encoder",
            "# <- encoder, encoder.layers, encoder.layers.0, encoder.layers.0.self_attn,"
            " encoder.layers.0.self_attn.out_proj, encoder.layers.0.linear1, encoder.layers.0.dropout,"
            " encoder.layers.0.linear2, encoder.layers.0.norm1, encoder.layers.0.norm2,"
            " encoder.layers.0.dropout1, encoder.layers.0.dropout2",
        )
        .replace("# <- attention", "# <- attention, attention.out_proj")
    )


def test_a_bare_sequential():
    check(
        """
        other = nn.Sequential(nn.Linear(1, 1))
        model = nn.Sequential(  # <- .
            nn.Linear(1, 2),  # <- 0
            nn.ReLU(),  # <- 1
        ).to("cpu")
        model = model.train()
        trainlint.watch(model)
        """
    )


def test_a_model_that_is_a_single_layer():
    check("model = nn.Linear(1, 2)  # <- .\ntrainlint.watch(model)\n")


def test_a_model_that_a_function_is_given_is_searched_for():
    check(
        """
        def train(net):
            trainlint.watch(net)

        def main():
            critic = nn.Sequential(nn.Linear(1, 1), nn.Tanh())
            actor = nn.Sequential(  # <- .
                nn.Linear(1, 2),  # <- 0
                nn.ReLU(),  # <- 1
            )
            train(actor)

        main()
        """
    )


def test_a_model_that_could_be_either_of_two_is_unknown():
    _, model, places = places_of(
        """
        def train(net):
            trainlint.watch(net)

        a = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        b = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        train(a)
        """
    )
    assert [places.of(name) for name, _ in model.named_modules()] == [Origin()] * 3


def test_a_model_that_a_function_makes():
    check(
        """
        def make(width):
            hidden = [nn.Linear(width, width) for _ in range(2)]  # <- 0, 1
            return nn.Sequential(*hidden, nn.Linear(width, 1))  # <- 2

        model = make(3)  # <- .
        trainlint.watch(model)
        """
    )


def test_a_layer_that_the_script_replaces():
    check(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Linear(1, 1)  # <- body
                self.fc = nn.Linear(1, 1000)
                self.tail = nn.Sequential(nn.ReLU(), nn.Linear(1, 1000))  # <- tail, tail.0

        model = Net()  # <- .
        model.fc = nn.Linear(1, 10)  # <- fc
        model.tail[-1] = nn.Linear(1, 10)  # <- tail.1
        trainlint.watch(model)
        """
    )


def test_lazy_layers_are_known_by_what_they_become():
    check(
        """
        model = nn.Sequential(  # <- .
            nn.LazyLinear(3),  # <- 0
            nn.ReLU(),  # <- 1
        )
        model(torch.ones(1, 2))
        trainlint.watch(model)
        """
    )


def test_other_names_for_classes_are_understood():
    check(
        """
        from torch.nn import Linear as Dense, Sequential
        import torch.nn as tnn

        model = Sequential(  # <- .
            Dense(1, 1),  # <- 0
            tnn.ReLU(),  # <- 1
        )
        trainlint.watch(model)
        """
    )


def test_a_compiled_model_leads_to_the_one_inside():
    check(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(1, 1)  # <- _orig_mod.fc

        net = Net()  # <- _orig_mod
        compiled = torch.compile(net, backend="eager")  # <- .
        trainlint.watch(compiled)
        """
    )


def test_several_models_have_prefixes():
    path = "/nowhere/gan.py"
    code, names = executed(
        """
        generator = nn.Sequential(nn.Linear(1, 1))
        discriminator = nn.Sequential(
            nn.Linear(1, 1)
        )
        trainlint.watch([generator, discriminator])
        """,
        path,
    )
    models = {"generator": names["generator"], "discriminator": names["discriminator"]}
    places = Places(models, Origin(path, line_of(code, "trainlint.watch")))
    assert places.of("generator").line == line_of(code, "generator = ")
    assert places.of("discriminator.0").line == line_of(code, "discriminator = ") + 1


def test_the_layout_of_a_tiny_gpt():
    check(
        """
        class Block(nn.Module):
            def __init__(self, config):
                super().__init__()
                self.ln = nn.LayerNorm(config["n"])  # <- transformer.h.0.ln, transformer.h.1.ln
                self.mlp = nn.ModuleDict(dict(  # <- transformer.h.0.mlp, transformer.h.1.mlp
                    fc=nn.Linear(4, 4),  # <- transformer.h.0.mlp.fc, transformer.h.1.mlp.fc
                    act=nn.GELU(),  # <- transformer.h.0.mlp.act, transformer.h.1.mlp.act
                ))

        class GPT(nn.Module):
            def __init__(self, config):
                super().__init__()
                self.transformer = nn.ModuleDict(dict(  # <- transformer
                    wte=nn.Embedding(9, config["n"]),  # <- transformer.wte
                    drop=nn.Dropout(0.1),  # <- transformer.drop
                    h=nn.ModuleList([Block(config) for _ in range(2)]),  # <- transformer.h, transformer.h.0, transformer.h.1
                ))
                self.lm_head = nn.Linear(config["n"], 9, bias=False)  # <- lm_head

        class Trainer:
            def __init__(self):
                self.model = GPT({"n": 4}).to("cpu")  # <- .
                trainlint.watch(self.model)

        Trainer()
        """
    )


def test_the_layout_of_a_residual_network():
    check(
        """
        def conv3x3(inputs, outputs, stride=1):
            return nn.Conv2d(inputs, outputs, 3, stride, 1)

        class BasicBlock(nn.Module):
            def __init__(self, inputs, outputs, downsample=None):
                super().__init__()
                self.conv1 = conv3x3(inputs, outputs)  # <- layer1.0.conv1, layer1.1.conv1
                self.bn1 = nn.BatchNorm2d(outputs)  # <- layer1.0.bn1, layer1.1.bn1
                self.relu = nn.ReLU(inplace=True)  # <- layer1.0.relu, layer1.1.relu
                self.downsample = downsample

        class ResNet(nn.Module):
            def __init__(self, block, layers):
                super().__init__()
                self.layer1 = self._make_layer(block, 8, layers[0])  # <- layer1

            def _make_layer(self, block, outputs, count):
                downsample = None
                if outputs != 4:
                    downsample = nn.Sequential(  # <- layer1.0.downsample
                        nn.Conv2d(4, outputs, 1),  # <- layer1.0.downsample.0
                        nn.BatchNorm2d(outputs),  # <- layer1.0.downsample.1
                    )
                layers = []
                layers.append(block(4, outputs, downsample))  # <- layer1.0
                for _ in range(1, count):
                    layers.append(block(outputs, outputs))  # <- layer1.1
                return nn.Sequential(*layers)

        model = ResNet(BasicBlock, [2])  # <- .
        trainlint.watch(model)
        """
    )


def test_a_model_of_another_cell_of_a_notebook_is_found_where_it_was_made_last():
    executed("model = nn.Sequential(nn.Linear(1, 1))", "cells/11.py")
    _, names = executed("\n# %matplotlib\nmodel = nn.Sequential(nn.Linear(1, 1))", "cells/22.py")
    code = PRELUDE + "%matplotlib inline\nmodel = nn.Sequential(nn.Linear(1, 1))\n"
    linecache.cache["cells/22.py"] = (len(code), None, code.splitlines(keepends=True), "")
    linecache.cache["cells/33.py"] = (23, None, ["trainlint.watch(model)\n"], "")
    places = Places({"": names["model"]}, Origin("cells/33.py", 1))
    assert places.of("0") == Origin("cells/22.py", 5)


def test_paths_are_relative_below_the_current_directory(tmp_path, monkeypatch):
    file = tmp_path / "nets" / "one.py"
    file.parent.mkdir()
    file.write_text("from torch import nn\nmodel = nn.Sequential(nn.Linear(1, 1))\n")
    linecache.checkcache()
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)  # noqa: S102 - ours
    monkeypatch.chdir(tmp_path)
    assert Places({"": names["model"]}, Origin("nets/one.py", 1)).of("0") == Origin(
        "nets/one.py", 2
    )
    monkeypatch.chdir(file.parent)
    assert Places({"": names["model"]}, Origin("one.py", 1)).of("0") == Origin("one.py", 2)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Places({"": names["model"]}, Origin(str(file), 1)).of("0") == Origin(str(file), 2)


def test_a_helper_in_another_module_of_the_user_is_read(tmp_path, monkeypatch):
    (tmp_path / "their_blocks.py").write_text(
        "from torch import nn\n\ndef block():\n    return nn.Sequential(nn.Linear(1, 1),\n        nn.ReLU())\n\ndef watch(model):\n    pass\n"
    )
    script = tmp_path / "their_script.py"
    script.write_text("from their_blocks import block, watch\nmodel = block()\nwatch(model)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    their_script = importlib.import_module("their_script")

    try:
        places = Places({"": their_script.model}, Origin("their_script.py", 3))
        assert places.of("") == Origin("their_script.py", 2)
        assert places.of("0") == Origin("their_blocks.py", 4)
        assert places.of("1") == Origin("their_blocks.py", 5)
    finally:
        del sys.modules["their_script"], sys.modules["their_blocks"]


def test_without_sources_everything_is_unknown():
    names: dict = {}
    # Of a kind that no test builds: what a file that is loaded may have built is found in it.
    code = "from torch import nn\nmodel = nn.ModuleDict({'0': nn.FractionalMaxPool3d(2, 1)})\n"
    exec(compile(code, "<string>", "exec"), names)  # noqa: S102 - ours
    places = Places({"": names["model"]}, Origin("<string>", 2))
    assert places.of("0") == places.of("") == Origin()


@pytest.mark.parametrize("name", ["nothing", "fc.nothing", "..", "fc:relu"])
def test_a_name_that_is_no_module_is_unknown(name):
    _, _, places = places_of(net("self.fc = nn.Linear(1, 1)"))
    assert places.of(name) == Origin()


def test_sources_that_are_no_python_are_unknown():
    path = "/nowhere/broken.py"
    linecache.cache[path] = (1, None, ["def (:\n"], path)
    kind = nn.FractionalMaxPool3d  # that no test builds
    assert Places({"": kind(2, 1)}, Origin(path, 1)).of("") == Origin()


def test_code_that_goes_round_in_circles_comes_to_an_end():
    _, model, places = places_of(
        """
        def a(x):
            return b(x)

        def b(x):
            return x if isinstance(x, nn.Module) else a(x)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = a(nn.Sequential(nn.ReLU()))

        model = Net()
        trainlint.watch(model)
        """
    )
    assert places.of("net").line
    assert all(places.of(name) is not None for name, _ in model.named_modules())


def test_hundreds_of_modules_cost_milliseconds():
    body = """
        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.fc = nn.Linear(width, width)
                self.net = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.1))

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.ModuleList([Block(4) for _ in range(100)])

        model = Net()
        trainlint.watch(model)
        """
    _, model, places = places_of(body)
    names = [name for name, _ in model.named_modules()]
    start = time.process_time()
    assert all(places.of(name).line for name in names)
    assert len(names) > 600
    assert time.process_time() - start < 1.0
    start = time.process_time()
    assert all(places.of(name).line for name in names)
    assert time.process_time() - start < 0.05
