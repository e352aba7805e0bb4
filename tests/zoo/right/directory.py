"""A real OpenLDAP server on the loopback, for the entry plugin: `slapd`, and the tools of `ldap-utils`."""

import atexit
import base64
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from dtm_sdk.testing import ProcessWorld, Tree
from tests.zoo.zoo import Unavailable

SUFFIX = "dc=zoo,dc=example"
ADMIN = f"cn=admin,{SUFFIX}"
PASSWORD = "secret-of-the-directory"
NO_SUCH_OBJECT = 32
"""Exit status of the tools where an entry isn't there (RFC 4511, section 4.1.9)."""
Entries = dict[str, dict[str, list[str]]]

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory "{folder}/data"
dbnosync
"""
START: Entries = {
    SUFFIX: {"objectClass": ["dcObject", "organization"], "o": ["zoo"], "dc": ["zoo"]},
    f"ou=people,{SUFFIX}": {"objectClass": ["organizationalUnit"], "ou": ["people"]},
    f"cn=somebody,ou=people,{SUFFIX}": {"objectClass": ["inetOrgPerson"], "cn": ["somebody"], "sn": ["Else"]},
}
"""What is there at first."""


class Server(Struct):
    """A server that runs.

    Attributes:
        url: where.
        pid: its process.
    """

    url: str
    pid: int


@cache
def server() -> Server:
    """The one of this process, started when it is first asked for; it ends with the process.

    Raises:
        Unavailable: there is no slapd here, or it doesn't start.
    """
    program = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/libexec")
    if not program or not shutil.which("ldapmodify"):
        raise Unavailable("slapd and ldap-utils are not installed")
    folder = Path(tempfile.mkdtemp(prefix="dtm-slapd-"))
    (folder / "data").mkdir()
    config = folder / "slapd.conf"
    config.write_text(CONFIG.format(suffix=SUFFIX, admin=ADMIN, password=PASSWORD, folder=folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{free.getsockname()[1]}"
    command = [program, "-f", str(config), "-h", url, "-d", "none"]
    log = (folder / "log").open("w")
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    log.close()
    atexit.register(_end, running, folder, os.getpid())
    end = time.monotonic() + 20
    while running.poll() is None and time.monotonic() < end:
        if asked(url, "ldapsearch", "-b", "", "-s", "base").returncode == 0:
            return Server(url, running.pid)
    raise Unavailable(f"slapd did not start: {(folder / 'log').read_text()}")


def _end(running: subprocess.Popen[bytes], folder: Path, started_by: int) -> None:
    if os.getpid() == started_by:
        running.kill()
        running.wait()
        shutil.rmtree(folder, ignore_errors=True)


def asked(url: str, tool: str, *words: str, data: str = "") -> subprocess.CompletedProcess[str]:
    """One run of an LDAP tool as the administrator."""
    plain = ["-LLL", "-o", "ldif-wrap=no"] if tool == "ldapsearch" else []
    command = [tool, "-x", *plain, "-H", url, "-D", ADMIN, "-w", PASSWORD, *words]
    return subprocess.run(command, input=data, capture_output=True, text=True, check=False, timeout=20)


def parsed(ldif: str) -> Entries:
    """Entries as LDIF shows them unwrapped (RFC 2849): name -> attribute -> values, in order."""
    found: Entries = {}
    for block in ldif.split("\n\n"):
        lines = [line.partition(":") for line in block.strip("\n").split("\n") if line and not line.startswith("#")]
        pairs = [(key, _value(value)) for key, _, value in lines]
        if not pairs:
            continue
        (first, name), *rest = pairs
        if first != "dn":
            raise ValueError(f"no LDIF: {block[:80]!r}")
        entry = found.setdefault(name, {})
        for key, value in rest:
            entry.setdefault(key, []).append(value)
    return found


def _value(text: str) -> str:
    return base64.b64decode(text[1:]).decode() if text.startswith(":") else text.removeprefix(" ")


def line(key: str, value: str) -> str:
    """A line of LDIF; always in base64, which needs no rule for what is safe."""
    return f"{key}:: {base64.b64encode(value.encode()).decode()}\n"


def record(name: str, change: str, attributes: Mapping[str, list[str]]) -> str:
    """A change of LDIF: `add` with attributes, `delete` without, `modify` that replaces those that are given."""
    text = line("dn", name) + f"changetype: {change}\n"
    for key, values in attributes.items():
        text += f"replace: {key}\n" if change == "modify" else ""
        text += "".join(line(key, value) for value in values)
        text += "-\n" if change == "modify" else ""
    return f"{text}\n"


class DirectoryWorld(ProcessWorld):
    """The directory as a tree: name -> attribute -> its values, sorted, since they have no order."""

    name = "directory"

    def __init__(self) -> None:
        found = server()
        self.url = found.url
        super().__init__(pid=found.pid, commands=["ldapsearch", "ldapmodify", "ldapdelete"])

    def bind(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the address of the server."""
        return {**options, "url": self.url}

    def prepare(self) -> None:
        """What is there at first, whatever the last check left."""
        self.restore({name: dict(entry) for name, entry in START.items()})

    def snapshot(self) -> Tree:
        """Every entry."""
        ran = asked(self.url, "ldapsearch", "-b", SUFFIX)
        if ran.returncode not in {0, NO_SUCH_OBJECT}:
            raise RuntimeError(f"the directory can't be seen: {ran.stderr}")
        return {
            name: {key: sorted(values) for key, values in entry.items()} for name, entry in parsed(ran.stdout).items()
        }

    def restore(self, tree: Tree) -> None:
        """Add, change and remove what differs, in one run."""
        now = self.snapshot()
        gone = [name for name in now if name not in tree or tree[name].get("objectClass") != now[name]["objectClass"]]
        changes = [record(name, "delete", {}) for name in sorted(gone, key=len, reverse=True)]
        for name in sorted(tree, key=len):
            if name not in now or name in gone:
                changes.append(record(name, "add", tree[name]))
            elif tree[name] != now[name]:
                every = {**{key: [] for key in now[name]}, **tree[name]}
                differing = {key: values for key, values in every.items() if values != now[name].get(key)}
                changes.append(record(name, "modify", differing))
        if changes:
            ran = asked(self.url, "ldapmodify", data="".join(changes))
            if ran.returncode:
                raise RuntimeError(f"the directory can't be restored: {ran.stderr}")
