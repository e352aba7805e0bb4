"""Calls to plugins: their options made whole, what they say and return masked, what they raise kept to their tool."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol

from msgspec import Struct

from dtm_sdk.capture import Capture, captured
from dtm_sdk.changes import title
from dtm_sdk.decide import Seen, known_state, output_in
from dtm_sdk.errors import DtmError, OptionsError, PluginError, UnresolvedError
from dtm_sdk.events import Said
from dtm_sdk.invoke import PluginBug, invoke
from dtm_sdk.operations import Op
from dtm_sdk.options import SECRET_MIN, Json, Options
from dtm_sdk.plan import Question
from dtm_sdk.plugin import Operation, Plugin, State
from dtm_sdk.references import resolve
from dtm_sdk.secret_text import Mask, fingerprint, is_fingerprint, reveal_all, unmasked
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool
from dtm_sdk.workers import Stop, Workers

AskSecret = Callable[[str], str]
"""Asks a person for a secret, by a one-line question; an empty answer means that there is none."""


class Environment(Protocol):
    """Where variables are looked up; `os.environ` is one."""

    def get(self, name: str, /) -> str | None:
        """The value of a variable, or None."""


class Sources(Struct, frozen=True):
    """Where the secrets of a recorded tool are looked for when the config no longer has them.

    Attributes:
        environment: by the recorded name of a variable.
        ask: the terminal; None where there is none.
        records: key -> record: what a reference that is a secret of the config's tool names.
    """

    environment: Environment
    ask: AskSecret | None = None
    records: Mapping[str, Record] = {}


class PluginCalls:
    """Calls the plugins of one run, from several threads."""

    def __init__(
        self,
        find_plugin: Callable[[str], Plugin],
        key: bytes,
        tools: Mapping[str, Tool],
        sources: Sources,
        capture: Capture,
        stop: Stop,
    ) -> None:
        """Take what the calls need.

        Args:
            find_plugin: gives the plugin of a name, or raises DtmError.
            key: the key of the fingerprints.
            tools: key -> tool of the config: the first place where the secrets of a recorded tool are looked for.
            sources: the other places.
            capture: makes what a plugin says lines of its tool.
            stop: set by an interrupt: a retry no longer waits.
        """
        self._find_plugin = find_plugin
        self._tools = tools
        self._sources = sources
        self._capture = capture
        self._stop = stop
        self._key = key
        self._mask = Mask(key, ())

    def read(self, question: Question) -> Seen:
        """What Read says of a tool, masked; an error where it can't be said."""
        desired, record = question
        tool = desired.tool
        try:
            resource = self._invoke(tool.key, desired.plugin, "read", desired.typed, known_state(record))
        except DtmError as error:
            if isinstance(error, PluginBug) and error.trace:
                self._capture.tell(Said(tool.key, "debug", error.trace))
            return Seen(error=str(error))
        return Seen(resource)

    def operate(self, op: Op, options: Options) -> dict[str, Json]:
        """Call one operation; the resource it returns, masked; empty for a Delete.

        Raises:
            DtmError: it failed; its text is masked. A `PluginBug` carries the traceback, masked too.
        """
        plugin = self._find_plugin(op.change.plugin)
        return self._invoke(op.change.key, plugin, op.operation, options, known_state(op.record)) or {}

    def _invoke(
        self, key: str, plugin: Plugin, operation: Operation, options: Options, state: State | None
    ) -> State | None:
        """What an operation returns, its own secrets masked.

        Those of others stay: what is the id of one resource may be the secret of another, and without its id a plugin
        would take its resource for gone. In what is said, no secret of the run is told.
        """
        mask, own = self._mask, reveal_all(options) if plugin.shape.secret else []
        mask.add(own)
        if state and own:
            state = unmasked(state, {fingerprint(self._key, text): text for text in own})

        def say(text: str) -> None:
            self._capture.tell(Said(key, "warning", mask.text(text)))

        try:
            with self._capture.attribute(key, mask):
                resource = invoke(plugin, operation, options, state, say=say, interrupted=self._stop)
        except PluginBug as error:
            raise PluginBug(_writable(mask.text(error.message)), _writable(mask.text(error.trace))) from None
        except DtmError as error:
            raise PluginError(_writable(mask.text(error.message)), _writable(mask.text(error.hint))) from None
        masked: State | None = Mask(self._key, own).value(resource) if own else resource
        return masked

    def options(self, op: Op) -> Options:
        """The typed options of an operation; those of a recorded resource get their secrets back.

        Raises:
            DtmError: the plugin isn't installed, or no longer takes the options; or a secret can't be had.
        """
        if op.desired:
            return op.desired.typed
        record, plugin = op.record, self._find_plugin(op.change.plugin)
        if record is None:
            raise ValueError(f"{op.change.key}: an operation without options")
        try:
            return plugin.convert(self._with_secrets(record) if plugin.shape.secret else record.options)
        except OptionsError as error:
            hint = f"`dtm state forget {record.key}` forgets it and leaves the resource"
            name = title(record.name, record.plugin)
            what = f"{name} was recorded with options that its plugin no longer takes: {error}"
            raise PluginError(what, hint) from None

    def _with_secrets(self, record: Record) -> dict[str, Json]:
        tool = self._tools.get(record.key)

        def restore(value: Json, wanted: Json, path: str) -> Json:
            if isinstance(value, dict):
                inner = wanted if isinstance(wanted, dict) else {}
                return {
                    key: restore(item, inner.get(key), f"{path}.{key}" if path else key) for key, item in value.items()
                }
            if isinstance(value, list):
                items = wanted if isinstance(wanted, list) and len(wanted) == len(value) else [None] * len(value)
                pairs = zip(value, items, strict=True)
                return [restore(item, inner, f"{path}[{index}]") for index, (item, inner) in enumerate(pairs)]
            hidden = isinstance(value, str) and is_fingerprint(value)
            return self._secret(record, path, wanted) if hidden else value

        restored: dict[str, Json] = restore(record.options, tool.options if tool else None, "")
        return restored

    def _secret(self, record: Record, path: str, wanted: Json) -> str:
        """The text of a recorded secret: from the config's tool, its recorded source, or a person."""
        with suppress(UnresolvedError):
            given = resolve(wanted, partial(output_in, self._sources.records)) if isinstance(wanted, str) else None
            if isinstance(given, str):
                return given
        sources = record.meta.get("secrets")
        name = sources.get(path, "") if isinstance(sources, dict) else ""
        question = f"{title(record.name, record.plugin)} needs its secret {path}"
        found, where = self._sources.environment.get(name) if name else None, f"the environment variable {name}"
        if not found and self._sources.ask:
            found, where = self._sources.ask(f"{question}: "), "what was given"
        if found and len(found) < SECRET_MIN:
            raise PluginError(question, f"{where} is too short: a secret has at least {SECRET_MIN} characters")
        if found:
            return found
        back = "put the tool back into the config, or run in a terminal"
        raise PluginError(question, f"set the environment variable {name}" if name else back)


def _writable(text: str) -> str:
    """A text without half surrogate pairs, as of a file name that isn't UTF-8: no journal takes them."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def calling(
    find_plugin: Callable[[str], Plugin],
    key: bytes,
    tools: Mapping[str, Tool],
    sources: Sources,
    stop: Stop,
    *,
    parallelism: int,
    debug: bool,
) -> Iterator[tuple[Workers, PluginCalls]]:
    """Threads, and what they call plugins with; all that plugins print and log meanwhile is put where results are."""
    workers = Workers(parallelism)
    stop.wake = lambda: workers.put(None)
    with captured(workers.put, debug=debug) as capture:
        yield workers, PluginCalls(find_plugin, key, tools, sources, capture, stop)
        workers.close()
