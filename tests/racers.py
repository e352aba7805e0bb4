"""Runs `dtm` many times at once, with a state in a bucket.

`python -m tests.racers OPTIONS ARGUMENT... COMMAND` is started in the folder of the runs; OPTIONS are those of the
backend s3, as JSON. It imports the command once, and runs it in forks of itself that wait for each other before they
begin: each line of its standard input says how many; each line of its standard output is how the next one `Ended`.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from dtm_sdk.backends import open_backend
from tests.warm import command, import_what_it_needs


class Ended(msgspec.Struct):
    """How one of them ended.

    Attributes:
        pid: its process.
        code: its exit code.
        said: what it printed.
    """

    pid: int
    code: int
    said: str


def _started(arguments: list[str], pipe: tuple[int, int], output: Path) -> int:
    """A fork that runs the command once nobody holds the end of a pipe that is written to."""
    pid = os.fork()
    if pid:
        return pid
    try:
        opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, 1)
        os.dup2(opened, 2)
        os.close(pipe[1])
        os.read(pipe[0], 1)
        os._exit(command(arguments))
    except BaseException:  # noqa: BLE001  # it must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(70)


def race(count: int, arguments: list[str], folder: Path) -> Iterator[Ended]:
    """Run the command so many times at once, each printing to a file in a folder; they come in the order they end."""
    pipe = os.pipe()
    outputs = {_started(arguments, pipe, path): path for path in (folder / f"{number}" for number in range(count))}
    for end in pipe:
        os.close(end)
    while outputs:
        pid, status = os.wait()
        yield Ended(pid, os.waitstatus_to_exitcode(status), outputs.pop(pid).read_text())


def main() -> None:
    """Serve."""
    options, arguments = msgspec.json.decode(sys.argv[1]), sys.argv[2:]
    import_what_it_needs([*arguments[:-1], "plan"], ".")
    open_backend("s3", options).load()  # the first client takes 0.2 s, because it reads what there is to S3
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    with TemporaryDirectory() as folder:
        for line in sys.stdin:
            for ended in race(int(line), arguments, Path(folder)):
                answers.write(msgspec.json.encode(ended).decode() + "\n")


if __name__ == "__main__":
    main()
