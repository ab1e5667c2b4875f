"""`trainlint run` runs a script as `python` would, and watches what trains in it."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest

TRAINING = """
    import sys
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 64)
            self.head = nn.Linear(64, 3)

        def forward(self, inputs):
            return self.head(torch.relu(self.fc(inputs)))

    torch.manual_seed(0)
    model = Net()
    nn.init.constant_(model.fc.bias, {bias})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(40):
        inputs = torch.randn(128, 8)
        loss = nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(step, float(loss.detach()), model.fc.weight.sum().item())
"""


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a script and returns its path."""

    def write(text, name="train.py", **values):
        path = tmp_path / name
        path.write_text(dedent(text.format(**values) if values else text))
        return path

    return write


def python(*arguments, cwd, **env):
    without_pytest = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**without_pytest, "OMP_NUM_THREADS": "1", **env},
    )


def run(*arguments, cwd, **env):
    return python("-m", "trainlint", "run", "--no-recording", *arguments, cwd=cwd, **env)


ABOUT_ITSELF = """
    import sys, pickle, __main__
    class Own: pass
    print(sys.argv, sys.path[0], __name__, __file__, __main__.__name__, "trainlint" in __file__)
    assert type(pickle.loads(pickle.dumps(Own()))) is Own
    print(input())
"""


def test_a_script_sees_what_it_would_see_with_python(script, tmp_path):
    script(ABOUT_ITSELF)
    done = [
        subprocess.run(
            [sys.executable, *how, "train.py", "--lr", "-m", "x"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            input="typed\n",
            check=True,
        )
        for how in ((), ("-m", "trainlint", "run"))
    ]
    assert done[0].stdout == done[1].stdout


@pytest.mark.parametrize(
    "ending",
    ["raise SystemExit(7)", "raise SystemExit('why')", "import sys; sys.exit()", "1 / 0", "x ="],
)
def test_a_script_ends_as_it_would_with_python(ending, script, tmp_path):
    script(f"print('before')\n{ending}\n" if ending != "x =" else "x =\n")
    plain, watched = python("train.py", cwd=tmp_path), run("train.py", cwd=tmp_path)
    assert watched.returncode == plain.returncode
    assert watched.stdout == plain.stdout
    assert watched.stderr.startswith(plain.stderr)


def test_a_module_runs_with_m(script, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    script("import sys\nprint(sys.argv[1:], __name__, __package__)\n", "package/train.py")
    plain = python("-m", "package.train", "a", "--b", cwd=tmp_path)
    watched = run("-m", "package.train", "a", "--b", cwd=tmp_path)
    assert watched.stdout == plain.stdout == "['a', '--b'] __main__ package\n"


def test_a_training_is_watched_and_its_results_are_the_same(script, tmp_path):
    script(TRAINING, bias=-30.0)
    plain = python("train.py", cwd=tmp_path)
    watched = run("--every", "1", "train.py", cwd=tmp_path)
    assert watched.returncode == 0
    assert watched.stdout == plain.stdout
    assert "dead-relu" in watched.stderr
    assert "train.py:13" in watched.stderr


def test_a_healthy_training_has_no_diagnosis(script, tmp_path):
    script(TRAINING, bias=0.0)
    watched = run("--every", "1", "train.py", cwd=tmp_path)
    assert "TL" not in watched.stderr
    assert "40 steps" in watched.stderr


def test_halting_ends_with_1_and_says_why(script, tmp_path):
    script(TRAINING, bias=-30.0)
    watched = run("-q", "--every", "1", "--halt-on", "dead-relu", "train.py", cwd=tmp_path)
    assert watched.returncode == 1
    assert watched.stdout == ""
    (line,) = watched.stderr.splitlines()
    assert line.startswith("trainlint halted the training at step 11: TL250 dead-relu")


def test_a_training_ends_after_so_many_steps(script, tmp_path):
    script(TRAINING, bias=0.0)
    watched = run("--max-steps", "5", "train.py", cwd=tmp_path)
    assert (watched.returncode, watched.stdout) == (0, "")
    assert "5 steps" in watched.stderr


def test_a_second_optimizer_joins_the_first(script, tmp_path):
    script("""
        import torch
        from torch import nn
        generator, critic = nn.Linear(4, 8), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
        first = torch.optim.Adam(generator.parameters())
        second = torch.optim.Adam(critic.parameters())
        for _ in range(5):
            fake = generator(torch.randn(16, 4))
            second.zero_grad()
            critic(fake.detach()).mean().backward()
            second.step()
            first.zero_grad()
            (-critic(fake).mean()).backward()
            first.step()
    """)
    watched = run("--every", "1", "train.py", cwd=tmp_path)
    assert watched.returncode == 0
    assert "does not watch" not in watched.stderr
    assert "Traceback" not in watched.stderr


def test_a_script_without_torch_runs_and_torch_is_not_imported(script, tmp_path):
    script("import sys\nprint('torch' in sys.modules)\n")
    assert run("train.py", cwd=tmp_path).stdout == "False\n"


def test_a_script_is_linted_first_where_that_is_asked(script, tmp_path):
    script(
        "import torch\nfrom torch import nn\nnet = nn.Sequential(nn.ReLU(), nn.ReLU())\nprint(1)\n"
    )
    watched = run("--lint", "train.py", cwd=tmp_path)
    assert watched.stdout == "1\n"
    assert "double-activation" in watched.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.py"], "missing.py: cannot be read: No such file"),
        ([], "name a script"),
        (["-m", "no.such.module"], "no module is called `no.such.module`"),
        (["--halt-on", "eror", "train.py"], "--halt-on: expects a severity or a rule"),
        (["--select", "dead-rleu", "train.py"], "dead-relu"),
        (["--max-steps", "0", "train.py"], "--max-steps"),
    ],
)
def test_bad_input_is_one_line(arguments, words, script, tmp_path):
    script("print('ran')\n")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
