"""A probe in a terminal: the layers by their depth, with a picture of the signal and the gradient."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Final

from trainlint.output.style import Style, printable
from trainlint.output.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.runtime.trials.probed import Effect, LayerReport, ProbeReport, Scale

NARROWEST: Final = 60
WIDEST: Final = 130
MOST_LAYERS: Final = 40
"""Of deeper models layers are left out, evenly; all are in the JSON."""
NARROWEST_PICTURE: Final = 13
WIDEST_PICTURE: Final = 33
WIDEST_NAME: Final = 32
WIDEST_KIND: Final = 30
PICTURE: Final = "picture"
NEAR: Final = 0.1
"""What is predicted to this share counts as near."""
_SQUEEZED: Final = (
    ("layer", 24),
    ("", 14),
    ("ratio / theory", 0),
    ("", 10),
    ("layer", 16),
    ("", 0),
    ("gain", 0),
    ("units", 0),
)
"""The columns that become narrower, or go, where there is little room."""
LEAST_SPAN: Final = 2.0
"""How many powers of ten the picture shows to each side, at least."""
MOST_SPAN: Final = 45.0
FORWARD: Final = "●"
BACKWARD: Final = "○"
BOTH: Final = "◉"
GOOD: Final = 2.0
LEAST_SHARE: Final = 0.005
"""Of dead or saturated units: smaller ones would be told as 0 %."""
_NAMED: Final = 8


def lines(report: ProbeReport, *, colours: bool, width: int | None = None) -> Iterator[str]:
    """Yield a report as lines of text."""
    if width is None:
        width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    style = Style(colours)
    yield from head(report, style)
    yield ""
    yield from _table(report, width, style)
    yield from other(report, width, style)
    if report.effect is not None:
        yield ""
        yield from _effect(report.effect, width, style)


def number(value: float | None) -> str:
    """Return a number in a few characters; a dash where there is none."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.1e}" if abs(math.log10(abs(value))) >= 3 else f"{value:.3g}"  # noqa: PLR2004


def decades(value: float | None) -> float | None:
    """Return the power of ten of a ratio; None where it has none."""
    if value is None or math.isnan(value):
        return None
    if value <= 0:
        return -math.inf
    return math.log10(value)


def head(report: ProbeReport, style: Style) -> Iterator[str]:
    """Yield what is known of the model as a whole."""
    count = len(report.weighted)
    facts = [f"{count} layer{'' if count == 1 else 's'} with weights"]
    if report.batch_size:
        facts.append(f"a batch of {report.batch_size}")
    if report.seeds > 1:
        facts.append(f"{report.seeds} seeds")
    yield f"{style.paint(printable(report.name), 'bold')}: {', '.join(facts)}"
    parts = []
    if report.loss is not None:
        parts.append(f"initial loss {number(report.loss)}")
        if report.expected_loss is not None:
            parts[-1] += f", guessing gives {number(report.expected_loss)}"
    if report.output_rms is not None:
        parts.append(f"output RMS {number(report.output_rms)}, mean {number(report.output_mean)}")
    if parts:
        yield "; ".join(parts)


def _table(report: ProbeReport, width: int, style: Style) -> Iterator[str]:
    """Yield a line for each layer with weights, and the picture beside it."""
    shown, left_out = _chosen(report)
    if not shown:
        return
    cells = {
        "layer": [printable(one.layer.name) or "the model" for one in shown],
        "": [_kind(one) for one in shown],
        "ratio / theory": [ratio(one) for one in shown],
        "gain": [gain(one) for one in shown],
        "forward": [number(one.running) for one in shown],
        "gradient": [number(one.backward_running) for one in shown],
        "units": [units(report, one) for one in shown],
    }
    wanted = {name: max(map(len, each)) for name, each in cells.items() if any(map(_says, each))}
    room = _fitted({name: max(each, len(name)) for name, each in wanted.items()}, width)
    span = _span(shown)
    titles = {name: _cell(name, name, each) for name, each in room.items()}
    titles[PICTURE] = _axis(span, room[PICTURE])
    yield style.paint("  ".join(titles.values()).rstrip(), "bold")
    for at, one in enumerate(shown):
        row = {
            name: _cell(name, cells.get(name, [""] * len(shown))[at], room[name]) for name in room
        }
        row[PICTURE] = _picture(one, span, room[PICTURE], style)
        if one.non_finite > 0 or _is_far(one):
            row["layer"] = style.paint(row["layer"], "yellow")
        if "" in row:
            row[""] = style.paint(row[""], "dim")
        yield "  ".join(row.values()).rstrip()
    if left_out:
        yield style.paint(f"and {left_out:,} layers between them", "dim")
    for told in _legend(report, room):
        for line in _wrapped(told, width):
            yield style.paint(line, "dim")


def _says(text: str) -> bool:
    """Say whether a cell has something in it."""
    return text not in {"", "-"}


def _kind(one: LayerReport) -> str:
    """Return what a layer is, and the activation behind it."""
    behind = one.layer.followed_by
    return printable(one.layer.what) + (f" → {behind}" if behind else "")


def gain(one: LayerReport) -> str:
    """Return the effective gain of a layer beside the one that keeps the scale."""
    told = number(one.gain)
    return told if one.ideal is None or one.gain is None else f"{told} / {one.ideal:.2f}"


def ratio(one: LayerReport) -> str:
    """Return the mean square of a layer's output over its input's, beside what theory predicts."""
    return "-" if one.predicted is None else f"{number(one.forward)} / {number(one.predicted)}"


def _fitted(wanted: dict[str, int], width: int) -> dict[str, int]:
    """Return how wide each column is: what has no room is left out, the least important first."""
    names = [*wanted]
    names.insert(names.index("units") if "units" in wanted else len(names), PICTURE)
    room = {name: wanted.get(name, NARROWEST_PICTURE) for name in names}
    if "layer" in room:
        room["layer"] = min(room["layer"], WIDEST_NAME)
    if "" in room:
        room[""] = min(room[""], WIDEST_KIND)

    def over() -> int:
        return sum(room.values()) + 2 * (len(room) - 1) - width

    for name, least in _SQUEEZED:
        if over() > 0 and room.get(name, 0) > least:
            room[name] = max(least, room[name] - over())
            if not least:
                del room[name]
    if "" in room:
        room[""] += min(max(-over(), 0), min(wanted[""], WIDEST_KIND) - room[""])
    room[PICTURE] += min(max(-over(), 0), WIDEST_PICTURE - NARROWEST_PICTURE)
    return room


def _cell(name: str, text: str, room: int) -> str:
    """Return a text as wide as its column: of a name the end is kept, of what a layer is the beginning."""
    if name == "layer":
        return f"{text if len(text) <= room else f'…{text[1 - room :]}':<{room}}"
    if name in {"", "units"}:
        short = text[: room - 1].rstrip(" →") + "…"
        return f"{text if len(text) <= room else short:<{room}}"
    return f"{text:>{room}}"


def _legend(report: ProbeReport, room: Mapping[str, int]) -> Iterator[str]:
    """Yield what the marks and the columns mean, and how near theory comes."""
    yield (
        f"{FORWARD} forward: mean square of the output over that of the input;"
        f" {BACKWARD} gradient: its RMS over that at the last layer; the axis is log10"
    )
    if "gain" in room:
        yield "gain: effective / the one that keeps the scale through the activation"
    yield from theory(report)


def theory(report: ProbeReport) -> Iterator[str]:
    """Yield how near the ratios that theory predicts come to the measured ones."""
    pairs = [
        (abs(math.log(one.forward / one.predicted)), one)
        for one in report.weighted
        if one.forward and one.predicted and math.isfinite(one.forward / one.predicted)
    ]
    if not pairs:
        return
    near = sum(error <= math.log(1 + NEAR) for error, _ in pairs)
    _, furthest = max(pairs, key=lambda pair: pair[0])
    told = (
        "ratio: mean square of a layer's output over that of its input. Theory, fan-in × mean square of the"
        f" weights, predicts it within {NEAR:.0%} for {near:,} of {len(pairs):,} layers"
    )
    if near < len(pairs):
        name = printable(furthest.layer.name) or "the model"
        told += (
            f"; furthest is {name}: {number(furthest.forward)} measured,"
            f" {number(furthest.predicted)} predicted"
        )
    yield told


def _chosen(report: ProbeReport) -> tuple[Sequence[LayerReport], int]:
    """Return the layers that are shown, and how many are not."""
    found = report.weighted
    if len(found) <= MOST_LAYERS:
        return found, 0
    places = {round(at * (len(found) - 1) / (MOST_LAYERS - 1)) for at in range(MOST_LAYERS)}
    return [found[at] for at in sorted(places)], len(found) - len(places)


def _is_far(one: LayerReport) -> bool:
    """Say whether a ratio has left the middle of the picture."""
    seen = (decades(one.running), decades(one.backward_running))
    return any(value is not None and abs(value) > GOOD for value in seen)


def _span(shown: Sequence[LayerReport]) -> float:
    """Return how many powers of ten are shown to each side."""
    seen = [
        abs(value)
        for one in shown
        for value in (decades(one.running), decades(one.backward_running))
        if value is not None and math.isfinite(value)
    ]
    return min(max(math.ceil(max(seen, default=0)), LEAST_SPAN), MOST_SPAN)


def _axis(span: float, room: int) -> str:
    """Return the axis: its ends and its middle."""
    left, right = f"-{span:g}", f"+{span:g}"
    middle = room // 2
    return f"{left:<{middle}}0{right:>{room - middle - 1}}"


def _picture(one: LayerReport, span: float, room: int, style: Style) -> str:
    """Return a line of the picture."""
    middle = room // 2
    cells = [" "] * room
    cells[middle] = "┊"

    def place(value: float) -> int:
        if value == -math.inf:
            return 0
        if value == math.inf:
            return room - 1
        return min(max(middle + round(value / span * middle), 0), room - 1)

    forward, backward = decades(one.running), decades(one.backward_running)
    for value, mark, colour in ((backward, BACKWARD, "yellow"), (forward, FORWARD, "cyan")):
        if value is not None:
            at = place(value)
            is_both = cells[at] not in {" ", "┊"}
            cells[at] = style.paint(BOTH if is_both else mark, colour)
    return "".join(cells)


def units(report: ProbeReport, one: LayerReport) -> str:
    """Return what is known of the units of the activation behind a layer."""
    parts = []
    layers = report.layers
    at = next(place for place, other in enumerate(layers) if other is one)
    for other in layers[at : at + 4]:
        if other is not one and (other.layer.weight and not other.layer.is_norm):
            break
        for share, what in ((other.dead, "dead"), (other.saturated, "saturated")):
            if share is not None and share >= LEAST_SHARE:
                parts.append(f"{share:.0%} {what}")
        if other.non_finite:
            parts.append("NaN or infinite")
    return ", ".join(dict.fromkeys(parts))


def other(report: ProbeReport, width: int | None, style: Style) -> Iterator[str]:
    """Yield what is no table."""
    if report.without_gradient:
        title = "no gradient reaches:"
        names = ", ".join(map(printable, report.without_gradient[:_NAMED]))
        more = len(report.without_gradient) - _NAMED
        told = f"{title} {names}" + (f" and {more:,} more" if more > 0 else "")
        first, *others = _wrapped(told, width)
        yield style.paint(title, "bold") + first.removeprefix(title)
        yield from others
    for one in report.independent:
        yield style.paint("does not depend on the input: ", "bold") + printable(one)
    yield from _spread(report)
    for note in report.notes:
        for line in _wrapped(f"note: {printable(note)}", width):
            yield style.paint(line, "dim")


def _wrapped(told: str, width: int | None) -> list[str]:
    """Return a text as lines of a width, where there is one."""
    return [told] if width is None else wrapped(told, width)


def _spread(report: ProbeReport) -> Iterator[str]:
    """Yield where the seeds differ most, if there are several."""
    spreads = [
        (one.spread[1] / one.spread[0], one)
        for one in report.weighted
        if one.spread is not None and one.spread[0] > 0 and math.isfinite(one.spread[1])
    ]
    if spreads:
        _, widest = max(spreads, key=lambda pair: pair[0])
        assert widest.spread is not None
        low, high = map(number, widest.spread)
        yield (
            f"over {report.seeds} seeds, forward differs most at {printable(widest.layer.name)}:"
            f" {low} to {high}"
        )


def _effect(effect: Effect, width: int, style: Style) -> Iterator[str]:
    """Yield what the right initialisation of each layer changes."""
    title = "With the right initialisation"
    first, *others = _wrapped(f"{title} ({schemes(effect)}):", width)
    yield style.paint(title, "bold") + first.removeprefix(title)
    yield from others
    yield f"  {'':<34} {'before':>10} {'after':>10}"
    for what, before, after in effect_rows(effect):
        yield f"  {what:<34} {before:>10} {after:>10}"
    yield from shortfalls(effect)


def shortfalls(effect: Effect) -> Iterator[str]:
    """Say where the right initialisation mends nothing, and what it brings."""
    was, now = set(effect.before.diagnoses), set(effect.after.diagnoses)
    if was and was <= now:
        yield "it mends none of them by itself"
    if now - was:
        yield f"it brings {', '.join(sorted(now - was))}"


def schemes(effect: Effect) -> str:
    """Say which initialisation is right for how many layers."""
    kinds: dict[str, int] = {}
    for _, scheme in effect.schemes:
        kind = scheme.partition(",")[0]
        kinds[kind] = kinds.get(kind, 0) + 1
    told = ", ".join(f"{kind} for {count}" for kind, count in kinds.items())
    return f"{told} of the layers; measured, then undone"


def effect_rows(effect: Effect) -> Iterator[tuple[str, str, str]]:
    """Yield what is compared, before and after the right initialisation."""
    rows = (
        ("signal at the last hidden layer", "forward"),
        ("gradient at the first layer", "backward"),
        ("dead units in the worst layer", "dead"),
        ("saturated in the worst layer", "saturated"),
        ("initial loss", "loss"),
    )
    for what, name in rows:
        before, after = getattr(effect.before, name), getattr(effect.after, name)
        if before is None and after is None:
            continue
        is_share = name in {"dead", "saturated"}
        shown = _share if is_share else number
        yield what, shown(before), shown(after)
    yield "diagnoses", _rules(effect.before), _rules(effect.after)


def _share(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{value:.0%}"


def _rules(scale: Scale) -> str:
    """Return how many rules speak."""
    return str(len(scale.diagnoses)) if scale.diagnoses else "none"
