"""What stopping hopeless trials saves: a search of 40 networks, with and without the pruning.

How to run: python bench/tuning.py [--trials 40] [--epochs 12] [--every 5] [--seed 0]
Needs optuna and scikit-learn.

The same trials are trained each time, by a sampler that looks at no result: learning rate x activation x
initialisation x depth of a multilayer perceptron on handwritten digits (1,797 images, a quarter for
validation). Each trial has a seed of its own, so that one which is not stopped ends in the same bits.

Printed are the steps, the time and the best trial of each search, and the trials that were stopped, with
their rule and what they came to without being stopped. One was stopped falsely if it would have ended with
nine tenths of the best accuracy.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import optuna
import torch
from optuna.trial import TrialState
from sklearn.datasets import load_digits
from torch import nn

from trainlint.integrations.optuna import pruning

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIVATIONS: Final[dict[str, type[nn.Module]]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}
INITIALISATIONS: Final[dict[str, Callable[[torch.Tensor], object]]] = {
    "default": lambda _: None,
    "kaiming": nn.init.kaiming_normal_,
    "xavier": nn.init.xavier_normal_,
    "normal 0.01": lambda weight: nn.init.normal_(weight, std=0.01),
    "normal 1": nn.init.normal_,
}
DEPTHS: Final = (1, 2, 4, 8, 16)
WIDTH: Final = 64
BATCH: Final = 64
GOOD: Final = 0.9


@dataclass
class Search:
    """The objective of a search, and how many steps each of its trials has made."""

    epochs: int
    options: dict[str, Any] | None
    """How its trials are watched; None for not at all."""
    steps: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Load the digits."""
        inputs, labels = load_digits(return_X_y=True)
        inputs, labels = torch.tensor(inputs).float() / 16, torch.tensor(labels)
        order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
        self.inputs, self.labels = inputs[order], labels[order]
        self.count = len(order) * 3 // 4

    def __call__(self, trial: optuna.Trial) -> float:
        """Train a network and return its accuracy on the validation set."""
        rate = trial.suggest_float("learning rate", 1e-4, 10.0, log=True)
        activation = trial.suggest_categorical("activation", list(ACTIVATIONS))
        initialisation = trial.suggest_categorical("initialisation", list(INITIALISATIONS))
        depth = trial.suggest_categorical("depth", DEPTHS)
        torch.manual_seed(trial.number)
        layers: list[nn.Module] = []
        for number in range(depth):
            layers += [nn.Linear(WIDTH, WIDTH), ACTIVATIONS[activation]()]
            INITIALISATIONS[initialisation](layers[2 * number].weight)  # type: ignore[arg-type]
        model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
        if self.options is None:
            self.train(trial.number, model, optimizer)
        else:
            with pruning(trial, model, optimizer, **self.options):
                self.train(trial.number, model, optimizer)
        with torch.no_grad():
            guesses = model(self.inputs[self.count :]).argmax(1)
        return float((guesses == self.labels[self.count :]).float().mean())

    def train(self, number: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Train for some epochs."""
        self.steps[number] = 0
        for _ in range(self.epochs):
            for chosen in torch.randperm(self.count).split(BATCH):
                loss = nn.functional.cross_entropy(model(self.inputs[chosen]), self.labels[chosen])
                optimizer.zero_grad()
                loss.backward()
                self.steps[number] += 1
                optimizer.step()


def search(objective: Search, trials: int, seed: int) -> tuple[optuna.Study, float]:
    """Return a study and the seconds that it took."""
    sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    began = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return study, time.perf_counter() - began


def said(parameters: dict[str, Any]) -> str:
    """Return the parameters of a trial on one line."""
    return ", ".join(
        f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in parameters.items()
    )


def main() -> None:
    """Print what is saved, and what is lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ways = {
        "all trained to the end": None,
        f"stopped, every {options.every}th step measured": {"every": options.every},
        "stopped, measured as the budget allows": {},
    }
    searches = {name: Search(options.epochs, given) for name, given in ways.items()}
    print(f"{options.trials} trials of {options.epochs} epochs")
    print("| | steps | saved | seconds | stopped | falsely | best trial | its accuracy |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    studies = {}
    for name, objective in searches.items():
        studies[name], seconds = search(objective, options.trials, options.seed)
        plain = studies["all trained to the end"]
        assert [one.params for one in plain.trials] == [one.params for one in studies[name].trials]
        all_steps = sum(searches["all trained to the end"].steps.values())
        steps = sum(objective.steps.values())
        stopped = [one.number for one in studies[name].trials if one.state is TrialState.PRUNED]
        falsely = sum(plain.trials[one].value >= GOOD * plain.best_value for one in stopped)
        best = studies[name].best_trial
        print(
            f"| {name} | {steps:,} | {1 - steps / all_steps:.0%} | {seconds:.1f} | {len(stopped)} |"
            f" {falsely} | {best.number} ({said(best.params)}) | {best.value:.3f} |",
            flush=True,
        )
    for name, study in list(studies.items())[1:]:
        show(name, study, plain, searches[name])


def show(name: str, study: optuna.Study, plain: optuna.Study, objective: Search) -> None:
    """Print which trials were stopped, and which were not but might have been."""
    ended = [one for one in study.trials if one.state is TrialState.COMPLETE]
    alike = sum(one.value == plain.trials[one.number].value for one in ended)
    print(f"\n{name}: {alike} of {len(ended)} that ended are as without watching.\n")
    print("| stopped | at step | because of | without stopping | falsely | what it is |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in study.trials:
        if one.state is not TrialState.PRUNED:
            continue
        would = plain.trials[one.number].value or 0.0
        rule = one.user_attrs["trainlint"].split(": ")[1].split()[1]
        falsely = "yes" if would >= GOOD * plain.best_value else "no"
        step = objective.steps[one.number]
        print(f"| {one.number} | {step} | {rule} | {would:.3f} | {falsely} | {said(one.params)} |")
    bad = [one for one in ended if (one.value or 0.0) < GOOD * plain.best_value]
    print(f"\n{len(bad)} of those that were not stopped ended with less than that, too:")
    for one in bad:
        print(f"- {one.number}: {one.value:.3f} ({said(one.params)})")


if __name__ == "__main__":
    main()
