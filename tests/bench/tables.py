"""What was measured, as Markdown tables, and each target with its verdict."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.bench.contenders import ALL, ANSIBLE, BARE, DOIT, DTM, DURABLE, FSYNC, WHOLE, Contender
from tests.bench.measure import Figure, Sample, least, ratio
from tests.bench.turns import Entry, Turn, Turns

Side = Callable[[Turn], Sample]
"""Which half of a turn."""


class Target(NamedTuple):
    """A promise, and what was measured.

    Attributes:
        text: what is compared.
        measured: the figure.
        most: what it may be at most.
        unit: of both; empty for a ratio.
    """

    text: str
    measured: float
    most: float
    unit: str = ""


def create(turn: Turn) -> Sample:
    """The making of the files."""
    return turn.create


def again(turn: Turn) -> Sample:
    """The run with nothing to do."""
    return turn.again


def wall(sample: Sample) -> float:
    """Seconds from start to end."""
    return sample.wall


def cpu(sample: Sample) -> float:
    """Seconds of the processors."""
    return sample.cpu


def peak(sample: Sample) -> float:
    """MiB."""
    return sample.peak


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned; the first row is its head, all columns but the first are right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(pairs)]
        for pairs in (list(zip(row, widths, strict=True)) for row in [rows[0], rule, *rows[1:]])
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: float) -> str:
    """A figure with three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _pick(turns: Sequence[Turn], side: Side) -> list[Sample]:
    return [side(turn) for turn in turns]


def _over(turns: Turns, one: Entry, other: Entry, side: Side, figure: Figure) -> float:
    return ratio(_pick(turns[one], side), _pick(turns[other], side), figure)


def side_table(turns: Turns, count: int, side: Side, contenders: Sequence[Contender] = ALL) -> str:
    """One step of so many files by everyone: the least of each figure, and the ratios of dtm's to theirs."""
    heads = ["", "wall s", "CPU s", "peak MiB", "dtm's wall / its", "dtm's CPU / its"]
    rows = [heads]
    for contender in contenders:
        entry = Entry(contender, count)
        if entry not in turns or (side is again and contender.again is None):
            continue
        samples = _pick(turns[entry], side)
        about = "~" if contender.estimates and count > WHOLE else ""
        row = [contender.title, *(f"{about}{_shown(least(samples, figure))}" for figure in (wall, cpu))]
        row.append(f"{least(samples, peak):.0f}")
        ratios = (_over(turns, Entry(DTM, count), entry, side, figure) for figure in (wall, cpu))
        rows.append(row + ([f"{about}{_shown(value)}" for value in ratios] if contender is not DTM else ["", ""]))
    return table(rows)


def start_table(samples: dict[str, list[Sample]]) -> str:
    """The commands that only start: the least in milliseconds, and the ratio of their CPU to the bare interpreter's."""
    rows = [["", "wall ms", "CPU ms", "CPU / bare"]]
    for title, taken in samples.items():
        figures = [f"{1000 * least(taken, figure):.0f}" for figure in (wall, cpu)]
        rows.append([title, *figures, f"{ratio(taken, samples[BARE.title], cpu):.2f}"])
    return table(rows)


def target_table(targets: Sequence[Target]) -> str:
    """Every target with its verdict."""
    rows = [["target", "measured", "at most", ""]]
    for target in targets:
        measured, most = (f"{value:.2f}{target.unit}" for value in (target.measured, target.most))
        rows.append([target.text, measured, most, _verdict(target)])
    return table(rows)


def _verdict(target: Target) -> str:
    if target.measured <= 0:  # more tools took less time than fewer: something else took it
        return "unclear: the machine is too busy"
    return "ok" if target.measured <= target.most else "MISSED"


def small_targets(turns: Turns, count: int) -> list[Target]:
    """Those of few files: the start counts."""
    dtm, doit = Entry(DTM, count), Entry(DOIT, count)
    return [
        Target(f"{count:,} files, create: wall / doit's", _over(turns, dtm, doit, create, wall), 1),
        Target(f"{count:,} files, nothing to do: wall / doit's", _over(turns, dtm, doit, again, wall), 1),
    ]


def large_targets(turns: Turns, count: int) -> list[Target]:
    """Those of many files."""
    dtm = Entry(DTM, count)
    targets = [
        Target(
            f"{count:,} files, create: wall / that of the {loop.title}",
            _over(turns, dtm, Entry(loop, count), create, wall),
            1.5,
        )
        for loop in (DURABLE, FSYNC)
    ]
    return targets + [
        Target(
            f"{count:,} files, nothing to do: wall / {peer.title}'s",
            _over(turns, dtm, Entry(peer, count), again, wall),
            1,
        )
        for peer in (DOIT, ANSIBLE)
    ]


def growth_targets(turns: Turns, few: int, many: int) -> list[Target]:
    """What a tool more costs, and what memory many take, both over a run without tools."""
    targets = []
    empty, fewer, more = (turns[Entry(DTM, count)] for count in (0, few, many))
    for side, step in ((create, "create"), (again, "nothing to do")):
        for figure, unit in ((wall, "wall"), (cpu, "CPU")):
            base, small, large = (least(_pick(taken, side), figure) for taken in (empty, fewer, more))
            grown = (large - base) / many / ((small - base) / few or -1)
            targets.append(Target(f"{step}: {unit} for each of {many:,} tools / each of {few:,}", grown, 1.2))
        rise = least(_pick(more, side), peak) - least(_pick(empty, side), peak)
        targets.append(Target(f"{step}: peak memory at {many:,} tools over an empty run", rise, 60, " MiB"))
    return targets


def start_targets(samples: dict[str, list[Sample]]) -> list[Target]:
    """Those of the commands that only start."""
    bare = samples[BARE.title]
    return [
        Target(f"{title}: CPU / the bare interpreter's", ratio(taken, bare, cpu), 5)
        for title, taken in samples.items()
        if title != BARE.title
    ]
