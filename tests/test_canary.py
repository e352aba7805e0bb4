"""No secret gets out: all that the command writes anywhere is searched for each of them, in each way to write it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.backends import servers
from tests.backends.servers import BUCKET, ENVIRONMENT, REGION, SECRET_KEY
from tests.canary import Watch, canary, forms, leaks

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")

LEAKY = r'''
"""A plugin that says all it knows, wherever it can; its resources are files that hold no secret."""

import base64
import json
import logging
import os
import sys
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from dtm_sdk import Identity, Options, Plugin, PluginError, Secret, State, TransientError, Tuning

LOG = logging.getLogger(__name__)
tries = {}


class Inner(Options):
    key: Secret


class LeakyOptions(Options):
    name: Identity[str]
    token: Secret
    nested: Inner | None = None
    listed: list[Secret] = []
    mapped: dict[str, Inner] = {}
    login: Tuning[Secret | None] = None
    does: str = ""
    note: str = ""

    def __post_init__(self):
        if self.does == "refuse":
            raise ValueError(f"no good: {' '.join(known(self))}")


def known(options):
    inner = [options.nested, *options.mapped.values()]
    secrets = [options.token, *options.listed, *(each.key for each in inner if each)]
    return [secret.reveal() for secret in [*secrets, options.login] if secret]


def written(options):
    for text in known(options):
        data = text.encode()
        yield text
        yield f"in it: {text}, {text!r}"
        yield from (base64.b64encode(b"x" * before + data).decode() for before in range(3))
        yield from (base64.urlsafe_b64encode(b"x" * before + data).decode() for before in range(3))
        yield quote(text, safe="")
        yield quote(text)
        yield json.dumps(text)
        yield json.dumps(json.dumps({"a": text}))
        yield json.dumps(text, ensure_ascii=False)
        yield "'" + text.replace("'", "''") + "'"
        yield data.hex()
        yield data.hex().upper()


def say(options):
    if options.does == "quiet":
        return
    text = " ".join(written(options))
    print(text)
    print(text, file=sys.stderr)
    print("and", text, end="; ")
    sys.stdout.buffer.write(text.encode())
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        LOG.log(level, "logged %s", text)
    warnings.warn(f"warned of {text}")
    try:
        raise ValueError(known(options))
    except ValueError:
        LOG.exception("caught")


def path(options):
    return Path(f"{options.name}.thing")


def state(options):
    held = json.loads(path(options).read_text())
    texts = list(written(options))
    return {**held, "texts": texts, "objects": {text: [{text: text}] for text in texts}, "outputs": {"login": texts[0]}}


def write(options, operation):
    say(options)
    tries[options.name] = tries.get(options.name, 0) + 1
    if options.does == "later" and tries[options.name] < 3:
        raise TransientError(f"not yet: {' '.join(written(options))}", retry_after=0.01)
    if options.does == "fail":
        raise PluginError(f"refused: {' '.join(written(options))}", f"try {known(options)[0]}")
    if options.does == "bug":
        try:
            raise KeyError(known(options)[0])
        except KeyError as error:
            raise RuntimeError(*written(options)) from error
    if options.does == "wrong":
        return {"texts": {text: object() for text in written(options)}}
    held = sha256("".join(known(options)).encode()).hexdigest()
    path(options).write_text(json.dumps({"name": options.name, "note": options.note, "of": held}))
    if options.does == "die":
        os.kill(os.getpid(), 9)
    return state(options)


def validate(options):
    if options.does == "raise":
        raise KeyError(*known(options))
    return [f"no good: {' '.join(written(options))}"] if options.does == "invalid" else []


def create(options) -> State:
    return write(options, "create")


def update(options) -> State:
    return write(options, "update")


def read(options) -> State | None:
    say(options)
    if options.does == "unreadable":
        raise PluginError(f"can't: {' '.join(written(options))}")
    return state(options) if path(options).exists() else None


def delete(options) -> bool:
    say(options)
    if options.note == "keep":
        raise PluginError(f"stays: {' '.join(written(options))}")
    path(options).unlink(missing_ok=True)
    return True


plugin = Plugin(
    name="leaky", options=LeakyOptions, validate=validate, create=create, read=read, update=update, delete=delete,
)
'''

SECRETS = {name: canary(name) for name in ("token", "nested", "listed", "mapped", "login", "env", "variable", "newer")}


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """A folder with the plugin."""
    folder = tmp_path / "place"
    info = folder / ".devstream" / "dtm_leaky-1.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[dtm.plugins]\nleaky = dtm_leaky:plugin\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-leaky\nVersion: 1\n")
    (folder / ".devstream" / "dtm_leaky.py").write_text(LEAKY)
    (folder / "temporary").mkdir()
    return Watch(folder, SECRETS, {"CANARY": SECRETS["env"], "TMPDIR": str(folder / "temporary"), "HOME": str(folder)})


def tool(name: str, does: str = "", *, new: bool = False, **more: object) -> dict[str, object]:
    """A tool with every kind of secret."""
    options = {
        "name": name,
        "token": SECRETS["newer" if new else "token"],
        "nested": {"key": SECRETS["nested"]},
        "listed": [SECRETS["listed"], "[[ env CANARY ]]"],
        "mapped": {"one": {"key": "[[ secret ]]"}},
        "login": SECRETS["login"],
        "does": does,
        **more,
    }
    return {"name": name, "plugin": "leaky", "options": options}


def configure(watch: Watch, *tools: dict[str, object], **config: object) -> None:
    """Write the config; it may hold secrets, and nothing else may."""
    document = {"vars": {"secret": SECRETS["variable"]}, "tools": list(tools), "config": config}
    (watch.folder / "config.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))


def made(watch: Watch) -> set[str]:
    """The names of the resources."""
    return {path.stem for path in watch.folder.glob("*.thing")}


@pytest.mark.parametrize("form", forms(""))
def test_the_search_finds_a_secret_however_it_is_written(form: str) -> None:
    found = leaks(b"before" + forms(SECRETS["token"])[form] + b"after", SECRETS)
    assert f"token ({form})" in found
    assert all(each.startswith("token ") for each in found)


def test_the_plugin_knows_every_secret(watch: Watch) -> None:
    configure(watch, tool("a", "quiet"))
    watch.run(0, "apply", "-y")
    known = "".join(SECRETS[name] for name in ("token", "listed", "env", "nested", "variable", "login"))
    assert json.loads((watch.folder / "a.thing").read_text())["of"] == hashlib.sha256(known.encode()).hexdigest()


# The scenes: each is followed by the search


def well(watch: Watch) -> None:
    """It is made, told in every detail, drifts, changes, and goes."""
    configure(watch, tool("a"), tool("b"))
    watch.run(0, "plan", "--output", "json")
    watch.run(0, "apply", "-d", stdin="y\n")
    configure(watch, tool("a", new=True, note="changed"), tool("b"))
    (watch.folder / "b.thing").write_text(json.dumps({"name": "b", "note": "drifted", "of": ""}))
    watch.run(3, "verify", "-d")
    watch.run(0, "apply", "-d", "--output", "json", stdin="y\n")
    watch.run(0, "show", "status", "-a", "-d")
    watch.run(0, "state", "show", "a.leaky", "b.leaky")
    configure(watch, tool("b"))
    watch.run(1, "apply", "-d", "-y")  # the secrets of `a` can't be had
    configure(watch, tool("a", "quiet", new=True), tool("b"))
    watch.run(0, "delete", "-y", "-d")
    assert made(watch) == set()


def badly(watch: Watch) -> None:
    """It is refused, fails, has bugs, takes several tries, can't be read, can't be deleted."""
    for does in ("refuse", "invalid", "raise"):
        configure(watch, tool("a", does))
        watch.run(2, "apply", "-y", "-d", "--output", "json")
    for wrong in (
        {"token": [SECRETS["token"]], "listed": SECRETS["listed"], "nested": SECRETS["nested"]},
        {"token": {SECRETS["token"]: 1}, "toke": SECRETS["token"]},
        {"token": f"${{{{ a.leaky.outputs.x }}}} {SECRETS['token']}"},
    ):
        configure(watch, {"name": "a", "plugin": "leaky", "options": {"name": "a", **wrong}})
        watch.run(2, "apply", "-y", "-d")
    tools = [tool(does, does) for does in ("fail", "bug", "later", "wrong", "unreadable")]
    configure(watch, *tools)
    watch.run(1, "apply", "-y", "-d")
    watch.run(1, "apply", "-y", "--output", "json")
    assert made(watch) == {"later"}
    configure(watch, tool("later", note="keep"))
    watch.run(0, "apply", "-y")
    watch.run(1, "delete", "-y", "-d")


def killed(watch: Watch) -> None:
    """It is killed in its create, and found by the next run."""
    configure(watch, tool("a", "die"))
    watch.run(-9, "apply", "-y", "-d")
    watch.run(0, "state", "show", "a.leaky")
    configure(watch, tool("a"))
    watch.run(0, "apply", "-y", "-d")


ANCESTORS: dict[str, dict[str, object]] = {
    f"{name}_leaky": {
        "name": name,
        "plugin": "leaky",
        "dependsOn": [],
        "options": {
            "name": name,
            "token": SECRETS["token"],
            "nested": {"key": SECRETS["nested"]},
            "listed": [SECRETS["listed"], SECRETS["env"]],
        },
        "resourceStatus": {"note": f"of {SECRETS['token']}, {SECRETS['listed']}", "outputs": {"login": SECRETS["env"]}},
    }
    for name in ("a", "b")
}


def write_as_ancestor(path: Path) -> None:
    """Write a state file as the ancestor does, which holds secrets as they are."""
    path.write_text(yaml.safe_dump(ANCESTORS, allow_unicode=True))


def taken_over(watch: Watch) -> None:
    """A state of the ancestor lies there; one tool is shown and forgotten, then all is applied."""
    state = watch.folder / "devstream.state"
    write_as_ancestor(state)
    configure(watch, tool("a", "quiet"), tool("b", "quiet"))
    watch.run(0, "state", "list")
    watch.run(0, "state", "show", "a.leaky")
    watch.run(0, "plan")
    watch.run(0, "show", "status", "-a")
    watch.run(0, "state", "forget", "b.leaky", "-y")
    write_as_ancestor(state)  # it comes by once more
    watch.run(1, "apply", "-y")
    watch.run(0, "state", "accept", stdin="y\n")
    watch.run(0, "state", "history")
    watch.run(0, "state", "restore", "0", "-y")
    watch.run(0, "apply", "-y")
    watch.run(0, "state", "restore", "0", stdin="y\n")


def moved(watch: Watch) -> None:
    """A state of the ancestor is copied to other places, where it lies and from where it lay."""
    write_as_ancestor(watch.folder / "devstream.state")
    write_as_ancestor(watch.folder / "old.state")
    configure(watch, tool("a"))
    for name in ("there", "other"):
        place = {"config": {"state": {"backend": "local", "options": {"stateFile": f"{name}.state"}}}}
        (watch.folder / f"{name}.yml").write_text(yaml.safe_dump(place))
    watch.run(0, "state", "migrate", "--to", "there.yml", stdin="y\n")
    watch.run(0, "state", "migrate", "-f", "other.yml", "--from-file", "old.state", "-y")
    (watch.folder / "devstream.state").unlink()
    (watch.folder / "old.state").unlink()


SCENES = (well, badly, killed, taken_over, moved)


@pytest.mark.parametrize("scene", SCENES)
def test_no_secret_gets_out(watch: Watch, scene: Callable[[Watch], None]) -> None:
    scene(watch)
    assert watch.leaks("config.yaml") == []


OWN = ("snapshot.json", "key", "lock", "backups/0.yaml", "backups/1.yaml")


def test_no_secret_gets_into_a_bucket(watch: Watch, tmp_path: Path) -> None:
    watch = replace(watch, secrets={**SECRETS, "of the bucket": SECRET_KEY}, env={**watch.env, **ENVIRONMENT})
    (tmp_path / "server").mkdir()
    with servers.moto(tmp_path / "server") as endpoint, closing(servers.client(endpoint)) as client:
        options = {"bucket": BUCKET, "region": REGION, "key": "devstream.state", "endpoint": endpoint}
        state = {"backend": "s3", "options": options}
        client.put_object(Bucket=BUCKET, Key="devstream.state", Body=yaml.safe_dump(ANCESTORS, allow_unicode=True))
        configure(watch, tool("a"), tool("b", "die"), state=state)
        watch.run(-9, "apply", "-y", "-d")
        client.delete_object(Bucket=BUCKET, Key="devstream.state.d/lock")
        configure(watch, tool("a", new=True), tool("b", "fail", note="new"), tool("c"), state=state)
        watch.run(1, "apply", "-y", "-d")
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
        objects = {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
    assert {"devstream.state", *(f"devstream.state.d/{name}" for name in OWN)} <= objects.keys()
    assert [f"{key}: {leak}" for key, data in objects.items() for leak in leaks(data, watch.secrets)] == []
    assert watch.leaks("config.yaml") == []
