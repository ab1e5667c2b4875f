"""What a search for a batch size has found, as plain numbers; nothing here knows torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class NoiseScale:
    """The batch at which the noise of the gradient is as large as the gradient."""

    estimate: float | None
    """tr(Σ) / \\|G\\|², in examples; None where the gradient was not told from its noise."""
    low: float
    high: float
    """The ends of a 95 % interval; `high` may be infinite."""
    examples: int
    """How many examples were looked at."""
    small: int
    """The smaller batch that was measured."""
    large: int
    """The larger one."""


@dataclass(frozen=True)
class BatchSizeReport:
    """The batch sizes that were tried, the largest that fits, and how large a useful one is."""

    USUAL: ClassVar[int] = 32
    """The craft's default, and its upper end: Masters and Luschi 2018, Bengio 2012."""
    NORMALISED: ClassVar[int] = 20
    """Batch normalisation wants over so many examples, for its statistics not to be noise."""

    sizes: tuple[int, ...]
    """In the order in which they were tried."""
    seconds: tuple[float | None, ...]
    """For one step with each; None where memory ran out."""
    largest: int | None
    """The largest that fits; None where not even one example does."""
    limit: int
    """No larger batch was tried."""
    given: int
    """The size of the loader's own batches, with which the noise was measured."""
    noise: NoiseScale | None = None
    """The gradient noise scale; None where it was not measured."""
    trained: int = 0
    """How many steps were made before it was measured."""
    normalised: bool = False
    """Whether there is batch normalisation in the model."""
    notes: tuple[str, ...] = field(default=())

    @property
    def suggestion(self) -> int | None:
        """The batch to begin with by the craft: not over 32, nor over what fits."""
        return None if self.largest is None else min(self.USUAL, self.largest)

    @property
    def useful(self) -> float | None:
        """The measured noise scale in examples: larger batches make hardly fewer steps."""
        return None if self.noise is None else self.noise.estimate

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        noise = self.noise
        return {
            "suggestion": self.suggestion,
            "largest": self.largest,
            "limit": self.limit,
            "given": self.given,
            "batch_normalisation": self.normalised,
            "noise_scale": None
            if noise is None
            else {
                "estimate": noise.estimate,
                "low": noise.low,
                "high": noise.high if math.isfinite(noise.high) else None,
                "examples": noise.examples,
                "small": noise.small,
                "large": noise.large,
                "trained": self.trained,
            },
            "sizes": list(self.sizes),
            "seconds": list(self.seconds),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return the report as plain text."""
        from trainlint.output.batch_size_text import lines  # noqa: PLC0415

        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        """Return the report as a notebook shows it."""
        from trainlint.output.fragment import batch_sizes  # noqa: PLC0415 - for notebooks alone

        return batch_sizes(self)
