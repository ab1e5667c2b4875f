"""What a search for hyperparameters need not wait for: the diagnoses that never heal."""

from __future__ import annotations

from typing import Final

HOPELESS: Final = (
    "non-finite-loss",
    "non-finite-gradient",
    "non-finite-activation",
    "dead-relu",
    "vanishing-gradient",
)
"""The rules whose defects do not heal while a training goes on."""
