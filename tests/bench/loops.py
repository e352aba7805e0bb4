"""Plain loops over the same files as the tools': the least that the work can cost. A script that imports next to none.

`python loops.py read COUNT` reads and compares. `write COUNT` writes each file beside its name and renames it; `fsync`
also fsyncs the file before; `durable` also fsyncs the folder after.
"""

import os
import sys


def name(number: int) -> str:
    """The name of a file."""
    return f"file-{number:05}.txt"


def text(number: int) -> str:
    """What is in the file."""
    return f"hello, world {number}\n"


def write(number: int, *, fsync: bool, folder: bool) -> None:
    """Make one file, wholly or not at all."""
    beside, path = f".{name(number)}.new", name(number)
    with open(beside, "wb") as file:  # noqa: PTH123  # pathlib is what a plain loop does without
        file.write(text(number).encode())
        if fsync:
            file.flush()
            os.fsync(file.fileno())
    os.replace(beside, path)  # noqa: PTH105  # see above
    if folder:
        here = os.open(".", os.O_RDONLY)
        os.fsync(here)
        os.close(here)


def read(number: int) -> None:
    """See that one file holds what it should."""
    with open(name(number), "rb") as file:  # noqa: PTH123  # see above
        if file.read().decode() != text(number):
            sys.exit(f"{name(number)} holds something else")


def main(work: str, count: int) -> None:
    """Do the work for so many files."""
    for number in range(count):
        if work == "read":
            read(number)
        else:
            write(number, fsync=work != "write", folder=work == "durable")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
