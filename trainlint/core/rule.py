"""A rule: one thing that can go wrong, with a code, a name and a page."""

from __future__ import annotations

import sys
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from trainlint.core.diagnosis import Diagnosis, Moment, Related, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trainlint.core.diagnosis import Evidence
    from trainlint.core.fix import Fix, Safety

Check = TypeVar("Check", bound="Callable[..., Iterable[Diagnosis]]")
Detecting = TypeVar("Detecting", bound="type[Detector]")

TARGET: Final = "target_torch"
"""The keyword-only parameter by which a check asks for the oldest PyTorch that the code is for."""


class Family(StrEnum):
    """The subjects by which rules are sorted."""

    LINT = "lint"
    INIT = "init"
    ACTIVATION = "activation"
    LOSS = "loss"
    OPTIMIZER = "optimizer"
    LOOP = "loop"
    LAYERS = "layers"
    DATA = "data"
    SCALING = "scaling"
    DYNAMICS = "dynamics"

    @property
    def digit(self) -> str:
        """The first digit of the codes of this family."""
        return str(tuple(Family).index(self))


class Located(Protocol):
    """Anything that stands somewhere in a source file."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""

    @property
    def span(self) -> Span:
        """The stretch of the file."""


class Subject(Protocol):
    """Anything in a training that a diagnosis can be about: a layer, a parameter, the run."""

    @property
    def name(self) -> str:
        """Its path in the model; nothing for the run."""

    @property
    def what(self) -> str:
        """What it is, as a person would say it: `Linear 256→256`."""

    @property
    def path(self) -> str:
        """The file in which it is made."""

    @property
    def line(self) -> int:
        """The line on which it is made."""


class Detector(Protocol):
    """The run-time half of a rule: a dataclass whose fields are its thresholds."""

    needs: ClassVar[tuple[str, ...]]
    """The signals without which a step says nothing to it; it is shown only steps with all of them."""

    def observe(self, step: Any, /) -> Iterable[Diagnosis]:
        """Look at a step and yield what is wrong; once per streak."""


class Rule:
    """One thing that can go wrong.

    A rule module makes exactly one, named ``rule``; family and name come from the path of the
    module, the summary from its docstring::

        rule = Rule(__name__, "TL301", Severity.ERROR)

        @rule.check
        def check(file: FileModel, *, limit: int = 3) -> Iterator[Diagnosis]:
            ...

    ``fixable`` is the safety of the fix that the rule offers, None where it has only a remedy.
    ``judges_configs`` says that the check is also right about a configuration file, of which the model
    knows what it constructs and with which numbers, but no loop and no code around it. The
    keyword-only parameters of the check are its thresholds; a configuration may set them.
    ``explained_by`` names the rules that are the cause of this one's defect in a training: once one of
    them has spoken in a run, this one is silent.

    The run-time half is a detector, a dataclass whose fields are thresholds in the same way::

        @rule.detector
        @dataclass
        class Detector:
            needs: ClassVar = (Signal.GRADIENT_RMS,)
            patience: int = 5

            def observe(self, step: Step) -> Iterator[Diagnosis]:
                ...

    One of a check's parameters has a reserved name and is no threshold: a check with ``target_torch:
    tuple[int, ...] | None = None`` gets the version that the configuration calls ``target-torch``,
    ``(2, 6)`` for ``"2.6"``, and None where it is not set: then nothing is known of it, and a rule
    that needs it stays silent. Compare it with two numbers: ``target_torch < (2, 6)``.
    """

    def __init__(
        self,
        module: str,
        code: str,
        severity: Severity,
        *,
        fixable: Safety | None = None,
        judges_configs: bool = False,
        explained_by: tuple[str, ...] = (),
    ) -> None:
        letters = code.rstrip("0123456789")
        if letters == code or not (letters.isalpha() and letters.isascii() and letters.isupper()):
            # Comments and selectors know a code by its form.
            msg = f"`{code}` is no code: it must be capital letters and then digits"
            raise ValueError(msg)
        *package, family, name = module.split(".")
        self.package = ".".join(package)
        self.family = Family(family)
        self.name = name.replace("_", "-")
        self.code = code
        self.severity = severity
        self.fixable = fixable
        self.judges_configs = judges_configs
        self.explained_by = explained_by
        self.summary = (getattr(sys.modules.get(module), "__doc__", "") or "").partition("\n")[0]
        self._check: Callable[..., Iterable[Diagnosis]] | None = None
        self._detector: type[Detector] | None = None

    def __repr__(self) -> str:
        """Show the rule by its two names."""
        return f"<Rule {self.code} {self.name}>"

    def load(self) -> None:
        """Import what the rule needs to run: it is here already."""

    def check(self, function: Check) -> Check:
        """Make the decorated function the static half of this rule."""
        self._check = function
        return function

    @property
    def has_check(self) -> bool:
        """Say whether the rule has a static half."""
        return self._check is not None

    def detector(self, kind: Detecting) -> Detecting:
        """Make the decorated dataclass the run-time half of this rule."""
        self._detector = kind
        return kind

    @property
    def has_detector(self) -> bool:
        """Say whether the rule has a run-time half."""
        return self._detector is not None

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the run-time half needs."""
        return () if self._detector is None else self._detector.needs

    def new_detector(self, thresholds: Mapping[str, Any]) -> Detector:
        """Make a detector that has seen nothing yet; thresholds of the check are left alone."""
        assert self._detector is not None
        own = self.detector_fields
        return self._detector(**{key: value for key, value in thresholds.items() if key in own})

    @property
    def thresholds(self) -> Mapping[str, Any]:
        """The names and default values of what a configuration may set."""
        own = {name: value for name, value in self.parameters.items() if name != TARGET}
        return {**own, **self.detector_fields}

    @property
    def asks_for_target(self) -> bool:
        """Say whether the check wants to know the oldest PyTorch that the code is for."""
        return TARGET in self.parameters

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The keyword-only parameters of the check, with their defaults."""
        return getattr(self._check, "__kwdefaults__", None) or {}

    @property
    def detector_fields(self) -> Mapping[str, Any]:
        """The thresholds of the run-time half, with their defaults; its other fields are its memory."""
        kind: Any = self._detector
        if kind is None:
            return {}
        return {one.name: one.default for one in fields(kind) if one.init}

    def diagnose(
        self,
        file: object,
        thresholds: Mapping[str, Any],
        target_torch: tuple[int, ...] | None = None,
    ) -> Iterable[Diagnosis]:
        """Yield the diagnoses of the static half; nothing where the rule has none.

        ``thresholds`` are those that differ from the defaults; what is the detector's is left alone.
        """
        if self._check is None:
            return ()
        own = self.parameters
        given = {key: value for key, value in thresholds.items() if key in own}
        if self.asks_for_target:
            given[TARGET] = target_torch
        return self._check(file, **given)

    def at(
        self,
        place: Located,
        message: str,
        *,
        remedy: str,
        label: str = "",
        related: Iterable[tuple[Located, str]] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Diagnosis:
        """Make a diagnosis of this rule.

        ``message`` says in one sentence what is wrong, with the user's expression in backticks;
        ``remedy`` what to do. ``label`` names the marked code in a few words, and each pair of
        ``related`` a second place with its label. ``severity`` differs from the rule's own only
        where the rule's page says so.
        """
        return Diagnosis(
            rule=self.name,
            code=self.code,
            severity=severity or self.severity,
            path=place.path,
            span=place.span,
            message=message,
            remedy=remedy,
            label=label,
            related=tuple(
                Related(other.span, what, "" if other.path == place.path else other.path)
                for other, what in related
            ),
            fix=fix,
        )

    def seen(
        self,
        step: int,
        subject: Subject,
        message: str,
        *,
        remedy: str,
        evidence: Iterable[Evidence] = (),
        severity: Severity | None = None,
        rank: int | None = None,
    ) -> Diagnosis:
        """Make a diagnosis of this rule in a training.

        ``message`` says in one sentence what was measured, with its bound; ``remedy`` what to do,
        with the name of the user's own layer. It stands at the line where the subject is made, or
        where the training is watched.
        """
        line = max(subject.line, 1)
        return Diagnosis(
            rule=self.name,
            code=self.code,
            severity=severity or self.severity,
            path=subject.path,
            span=Span(line, 1, line, 1),
            message=message,
            remedy=remedy,
            moment=Moment(step, subject.name, subject.what, tuple(evidence), rank),
        )
