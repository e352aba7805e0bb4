"""Who does the work, with what inputs, and what it does for it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.loops import name, text

Command = Callable[[int], list[str]]
"""The command line for a number of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One that makes the files.

    Attributes:
        title: how the tables name it.
        create: its command; it runs in a folder of its own.
        makes: what it does to a file, in a few words.
        again: the command where there is nothing to do; None where that makes no sense.
        checks: how it finds that there is nothing to do.
        inputs: writes what the command needs into the folder.
        works: whether there are files afterwards.
        estimates: whether `create` prints the seconds it takes, because it leaves out part of the work.
    """

    title: str
    create: Command
    makes: str
    again: Command | None = None
    checks: str = ""
    inputs: Callable[[Path, int], None] = lambda folder, count: None
    works: bool = True
    estimates: bool = False


def _program(program: str) -> str:
    """A program installed beside this Python, as a user would start it."""
    return str(Path(sys.executable).with_name(program))


def _script(file: str, *arguments: str) -> Command:
    path = str(Path(__file__).with_name(file))
    return lambda count: [sys.executable, path, *arguments, str(count)]


def _store(store: str) -> Command:
    root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.append({root!r}); from tests.bench.stores import main; main({store!r}, int(sys.argv[1]))"
    )
    return lambda count: [sys.executable, "-c", code, str(count)]


def _always(*command: str) -> Command:
    return lambda count: list(command)


def _dtm_inputs(folder: Path, count: int) -> None:
    with (folder / "config.yaml").open("w") as file:
        file.write("tools:\n" if count else "tools: []\n")
        for number in range(count):
            file.write(f"- name: file-{number:05}\n  plugin: localfile\n  options:\n    filename: {name(number)}\n")
            file.write(f'    content: "{text(number)[:-1]}\\n"\n')


def _doit_inputs(folder: Path, count: int) -> None:
    (folder / "dodo.py").write_text(f"""\
from pathlib import Path

from doit.tools import config_changed


def write(path, text):
    Path(path).write_text(text)


def task_files():
    for number in range({count}):
        path, text = f"file-{{number:05}}.txt", f"hello, world {{number}}\\n"
        yield {{
            "name": path,
            "actions": [(write, [path, text])],
            "targets": [path],
            "uptodate": [config_changed(text)],
        }}
""")


def _ansible_inputs(folder: Path, count: int) -> None:
    # One task a file: a loop over a list of 10,000 takes it minutes.
    with (folder / "playbook.yml").open("w") as file:
        file.write("- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n")
        for number in range(count):
            file.write(f'    - copy:\n        dest: {name(number)}\n        content: "{text(number)[:-1]}\\n"\n')


DTM: Final = Contender(
    title="dtm",
    create=_always(_program("dtm"), "-y", "apply"),
    makes="atomic, file and folder fsynced; intent and outcome journaled, fsynced",
    again=_always(_program("dtm"), "-y", "apply"),
    checks="reads every file, compares its text",
    inputs=_dtm_inputs,
)
DOIT: Final = Contender(
    title="doit",
    create=_always(_program("doit")),
    makes="written in place, not fsynced",
    again=_always(_program("doit")),
    checks="its own record; that each file exists, not its text",
    inputs=_doit_inputs,
)
ANSIBLE: Final = Contender(
    title="ansible-core-rs",
    create=_always(_program("ansible"), "playbook", "playbook.yml"),
    makes="written in place, not fsynced; no record is kept",
    again=_always(_program("ansible"), "playbook", "playbook.yml"),
    checks="reads every file, compares its text",
    inputs=_ansible_inputs,
)
DURABLE: Final = Contender(
    title="plain loop",
    create=_script("loops.py", "durable"),
    makes="atomic, file and folder fsynced",
    again=_script("loops.py", "read"),
    checks="reads every file, compares its text",
)
FSYNC: Final = Contender(
    title="plain loop, folder not fsynced",
    create=_script("loops.py", "fsync"),
    makes="atomic, file fsynced",
)
WRITE: Final = Contender(
    title="plain loop, nothing fsynced",
    create=_script("loops.py", "write"),
    makes="atomic, not fsynced",
)
BARE: Final = Contender(
    title="bare interpreter",
    create=_always(sys.executable, "-c", "pass"),
    makes="nothing",
    again=_always(sys.executable, "-c", "pass"),
    checks="nothing",
    works=False,
)
ALL: Final = (DTM, DOIT, ANSIBLE, DURABLE, FSYNC, WRITE, BARE)

SERIAL: Final = Contender(
    title="dtm --parallelism 1",
    create=_always(_program("dtm"), "-y", "--parallelism", "1", "apply"),
    makes=DTM.makes,
    inputs=_dtm_inputs,
)
SQLITE: Final = Contender(
    title="plain loop with SQLite",
    create=_store("sqlite"),
    makes="file as the plain loop; two transactions a file, WAL, synchronous=FULL",
)
YAML: Final = Contender(
    title="plain loop, YAML rewritten",
    create=_store("yaml"),
    makes="file as the plain loop; the whole state once a file, renamed, file and folder fsynced",
    estimates=True,
)
WHOLE: Final = 1000
"""Up to so many files, `YAML` writes its state after each one; of more, at 100 moments, and the time is scaled up."""

HELP: Final = _always(_program("dtm"), "--help")
VERSION: Final = _always(_program("dtm"), "version")
