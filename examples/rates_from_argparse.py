"""Hyperparameters that come through argparse: their defaults are followed to where they are used.

Lint it, from the folder above::

    trainlint check examples/rates_from_argparse.py

It prints three diagnoses: TL401 lr-out-of-range (the default rate is 10), TL403 momentum-or-beta-out-of-range
(the default momentum is 1.5) and TL408 per-batch-scheduler-in-epoch-loop (a OneCycleLR that is stepped once an
epoch). Each marks the optimizer and shows the default as the second place. What comes
from elsewhere (`--width` has no default) is not guessed: `--show-unresolved` lists it.
"""

import argparse

import torch
from torch import nn


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=10)
    parser.add_argument("--momentum", type=float, default=1.5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--width", type=int, required=True)
    return parser.parse_args()


def main():
    args = arguments()
    model = nn.Sequential(nn.Linear(20, args.width), nn.ReLU(), nn.Linear(args.width, 1))
    batches = [(torch.randn(32, 20), torch.randn(32, 1)) for _ in range(50)]
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.lr, total_steps=args.epochs * len(batches)
    )
    for epoch in range(args.epochs):
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs), targets)
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
