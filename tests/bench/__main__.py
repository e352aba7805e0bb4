"""`python -m tests.bench`: run everything, print the tables.

The exit code is 0, whatever was measured, and 1 if something didn't run.
"""

import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench import tables
from tests.bench.contenders import ALL, BARE, DTM, HELP, SERIAL, SQLITE, VERSION, YAML
from tests.bench.measure import BenchError, Sample, run
from tests.bench.tables import Target
from tests.bench.turns import Entry, take_turns

SMALL: Final = 100
"""Up to so many files, the start is most of the time; from there on, the work."""
STARTS: Final = 15
"""Rounds of the commands that only start."""
STORES: Final = (DTM, SERIAL, SQLITE, YAML)


def main(arguments: list[str]) -> int:
    """Run what was asked for."""
    asked = _arguments(arguments)
    targets: list[Target] = []
    with TemporaryDirectory(prefix="dtm-bench-", dir=asked.folder) as place:
        try:
            for line in _facts(Path(place)):
                print(line)
            if "files" in asked.parts:
                targets += _files(asked, Path(place))
            if "start" in asked.parts:
                targets += _start(Path(place))
            if "stores" in asked.parts:
                _stores(asked, Path(place))
        except BenchError as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    if targets:
        print(f"\n### Targets\n\n{tables.target_table(targets)}")
    return 0


def _arguments(arguments: list[str]) -> Namespace:
    parser = ArgumentParser("python -m tests.bench", description="Measure dtm beside its peers and plain loops.")
    parser.add_argument("parts", nargs="*", default=[], help="files, start, stores; all of them by default")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="numbers of files [100 10000]")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each runs [21 for few files, 5 for many]")
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 files, fewer rounds")
    parser.add_argument("--folder", metavar="PATH", help="where the files are made; on a disk, or fsync costs nothing")
    asked = parser.parse_args(arguments)
    if not set(asked.parts) <= {"files", "start", "stores"}:
        parser.error("the parts are files, start and stores")
    asked.parts = asked.parts or ["files", "start", "stores"]
    asked.sizes = asked.sizes or ([100, 1000] if asked.quick else [100, 10_000])
    return asked


def _rounds(asked: Namespace, count: int) -> int:
    rounds: int = asked.rounds or (5 if asked.quick or count > SMALL else 21)
    return rounds


def _facts(place: Path) -> Iterator[str]:
    from importlib.metadata import version

    cores = os.cpu_count()
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
    peers = ", ".join(f"{name} {version(name)}" for name in ("dtm-sdk", "doit", "ansible-core-rs"))
    load = f"load {os.getloadavg()[0]:.1f} before the run"
    yield f"{cores} cores, {platform.system()}, files on {_file_system(place)}, {load}."
    yield f"Python {platform.python_version()}, {peers}."
    yield "Whole processes, in turn; the least of each figure, since what else the machine does only adds to it."
    yield "A peak can't read below that of the benchmark itself; `~` is scaled up from 100 of the writings.\n"
    yield tables.table([["", "make a file", "nothing to do"], *([one.title, one.makes, one.checks] for one in ALL)])


def _file_system(place: Path) -> str:
    """The kind of file system that a folder is on, where the system tells."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "an unknown file system"
    found = (line.split()[1:3] for line in mounts.read_text().splitlines())
    return max((len(point), kind) for point, kind in found if place.resolve().is_relative_to(point))[1]


def _files(asked: Namespace, place: Path) -> list[Target]:
    targets: list[Target] = []
    for count in asked.sizes:
        many = count > SMALL
        grown = [Entry(DTM, 0), Entry(DTM, count // 10)] if many else []
        turns = take_turns([*grown, *(Entry(one, count) for one in ALL)], _rounds(asked, count), place)
        print(f"\n### {count:,} files, create\n\n{tables.side_table(turns, count, tables.create)}")
        print(f"\n### {count:,} files, nothing to do\n\n{tables.side_table(turns, count, tables.again)}")
        targets += tables.large_targets(turns, count) if many else tables.small_targets(turns, count)
        targets += tables.growth_targets(turns, count // 10, count) if many else []
    return targets


def _start(place: Path) -> list[Target]:
    commands = {BARE.title: BARE.create(0), "dtm --help": HELP(0), "dtm version": VERSION(0)}
    samples: dict[str, list[Sample]] = {title: [] for title in commands}
    folder = place / "start"
    folder.mkdir()
    for number in range(STARTS + 1):
        for title, command in commands.items():
            sample = run(command, folder)
            if number:  # the first reads from the disk and compiles
                samples[title].append(sample)
    print(f"\n### Start\n\n{tables.start_table(samples)}")
    return tables.start_targets(samples)


def _stores(asked: Namespace, place: Path) -> None:
    count = max(asked.sizes)
    turns = take_turns([Entry(one, count) for one in STORES], _rounds(asked, count), place)
    print(f"\n### {count:,} files, create, against other ways to keep a state\n")
    print(tables.table([["", "what it does for a file"], *([one.title, one.makes] for one in STORES)]))
    print(f"\n{tables.side_table(turns, count, tables.create, STORES)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
