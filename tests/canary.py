"""Secrets that must not get out, and a search for them in all that a command wrote, also in what is gone since."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import yaml

from tests.children import environment

TRACE = (
    "write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,openat,mkdirat,rename,renameat,renameat2,symlinkat,execve"
)
"""What gets bytes out of a process: into files, sockets, terminals, names, and the arguments of children."""
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})+)"')


def canary(name: str) -> str:
    """A secret with a name in it, and with what URLs, JSON, YAML, Python and base64 each write differently."""
    return f"{name}-canary \"é'\\/+&%: {name[::-1]}"


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may be written: by what names it, its bytes."""
    data = secret.encode()
    found = {
        "raw": data,
        "URL": quote(secret, safe="").encode(),
        "URL, slashes kept": quote(secret).encode(),
        "URL, as a form": quote_plus(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "JSON, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        "YAML, quoted": yaml.safe_dump(secret, default_style='"', width=1000).strip()[1:-1].encode(),
        "YAML, quoted once": yaml.safe_dump(secret, default_style="'", allow_unicode=True, width=1000)
        .strip()[1:-1]
        .encode(),
        "repr": repr(secret)[1:-1].encode(),
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
    }
    for before in range(3):
        # Without the characters that bits of what stands around it have a part in.
        whole = base64.b64encode(bytes(before) + data)[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        found[f"base64 after {before}"] = whole
        found[f"base64 for URLs after {before}"] = whole.replace(b"+", b"-").replace(b"/", b"_")
    return found


def leaks(data: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets are in the bytes, and how written."""
    return [f"{name} ({form})" for name, text in secrets.items() for form, raw in forms(text).items() if raw in data]


@dataclass
class Watch:
    """Runs the command under strace, and keeps all that it wrote.

    Attributes:
        folder: where it runs; its own files and what it says is temporary are looked at too.
        secrets: by their names.
        written: what it wrote, by what was written to.
    """

    folder: Path
    secrets: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)
    _runs: int = 0

    def run(self, code: int, *arguments: str, stdin: str = "") -> None:
        """Run the command to its end, which must be with that exit code."""
        self._runs += 1
        trace = self.folder.parent / f"trace-{self._runs}"
        before = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={TRACE}", "-o", str(trace)]
        done = subprocess.run(
            [*before, sys.executable, "-m", "dtm_sdk", *arguments],
            cwd=self.folder,
            env={**environment(), "NO_COLOR": "", "PYTHONDONTWRITEBYTECODE": "1", **self.env},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        what = f"run {self._runs}: {' '.join(arguments)}"
        self.written[f"{what}: the terminal"] = f"{done.stdout}\0{done.stderr}".encode()
        for target, data in _texts(trace.read_text("utf-8")):
            self.written[f"{what}: {target}"] = self.written.get(f"{what}: {target}", b"") + data
        assert done.returncode == code, f"{what}: {(done.stdout + done.stderr)[-2000:]}"

    def leaks(self, *given: str) -> list[str]:
        """Where a secret shows, and which one.

        Args:
            given: files that hold secrets because the test has written them there.
        """
        places = dict(self.written)
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            places[f"the name {name}"] = os.fsencode(name)
            if path.is_file() and name not in given and "__pycache__" not in name:
                places[f"the file {name}"] = path.read_bytes()
        return [f"{place}: {leak}" for place, data in places.items() for leak in leaks(data, self.secrets)]


def _texts(trace: str) -> Iterator[tuple[str, bytes]]:
    """What stands in each call of a trace, and what it was written to: the file descriptor with its path."""
    for line in trace.splitlines():
        call, _, rest = line.partition("(")
        target = f"{call.split()[-1]}({rest.partition(',')[0][:80]}" if call.split() else ""
        for match in _TEXT.finditer(line):
            yield target, bytes.fromhex(match[1].replace("\\x", ""))
