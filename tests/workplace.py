"""A folder with a config and plugins, and the real command in it: what the tests of the command line share."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROBE = r'''
"""A plugin that does what its options say, and keeps its resources as files in the working directory."""

import json
import logging
import subprocess
from pathlib import Path
from typing import Annotated

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, Secret, State


class ProbeOptions(Options):
    name: Annotated[Identity[str], Meta(description="Name of the file.")]
    says: Annotated[str, Meta(description="What it prints.")] = ""
    fails: Annotated[str, Meta(description="What it fails with.")] = ""
    token: Annotated[Secret | None, Meta(description="A secret.")] = None


def write(options: ProbeOptions) -> State:
    if options.says == "token" and options.token:
        print(options.token.reveal())
    elif options.says == "child":
        subprocess.run(["echo", "said by a child"], check=True)
    elif options.says:
        print(options.says.replace("ESC", "\x1b"))
        logging.getLogger(__name__).warning("logged %s", options.says)
    if options.fails == "bug":
        raise KeyError("a bug")
    if options.fails:
        raise PluginError(options.fails)
    state: State = {"name": options.name, "outputs": {"id": options.name.upper()}}
    Path(f"{options.name}.probe").write_text(json.dumps(state))
    return state


def read(options: ProbeOptions) -> State | None:
    if options.fails == "bug in read":
        raise KeyError("a bug")
    if options.says in ("read", "hang"):
        print(f"{options.name} is read")
    if options.says == "hang" and Path("hang").exists():
        Path("hang").read_text()
    path = Path(f"{options.name}.probe")
    return json.loads(path.read_text()) if path.exists() else None


def delete(options: ProbeOptions) -> bool:
    Path(f"{options.name}.probe").unlink(missing_ok=True)
    return True


print("the probe is imported")
plugin = Plugin(
    name="probe", options=ProbeOptions, examples=[{"name": "ä", "token": "not-a-secret"}],
    create=write, read=read, update=write, delete=delete,
)
'''


class Workplace:
    """A folder to run the command in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plugins = folder / ".devstream"
        shutil.copytree(ROOT / "example_plugins" / "localfile" / "src" / "dtm_localfile", plugins / "dtm_localfile")
        (plugins / "dtm_probe.py").write_text(PROBE)
        for name in ("localfile", "probe"):
            info = plugins / f"dtm_{name}-0.1.0.dist-info"
            info.mkdir()
            (info / "entry_points.txt").write_text(f"[dtm.plugins]\n{name} = dtm_{name}:plugin\n")
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dtm-{name}\nVersion: 0.1.0\n")

    def config(self, text: str) -> None:
        """Write config.yaml."""
        (self.folder / "config.yaml").write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        """That of this process, with the package to be found from anywhere."""
        return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": ""}

    def run(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "dtm_sdk", *arguments],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command, with pipes to its three streams."""
        return subprocess.Popen(
            [sys.executable, "-m", "dtm_sdk", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def files(self) -> set[str]:
        """The names of the files made by plugins."""
        return {path.name for path in self.folder.iterdir() if path.suffix in (".txt", ".probe")}


def run_without_reader(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose output nobody reads any more: the reader of the pipe has left."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(command, cwd=cwd, env=env, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    finally:
        os.close(writer)
