r"""Variables `[[ name ]]` and `[[ env NAME ]]` in plain values: replaced by what they stand for. Pure.

A value that is one variable as a whole takes its type; inside a longer text it becomes text. `[[ a.b ]]`, which the
ancestor writes `[[ .a.b ]]`, looks into a variable that is an object. A backslash before a variable makes it text; any
other `[[` is text anyway.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct, field

from dtm_sdk.document import CONFIG, shown, weigh
from dtm_sdk.options import Json

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

Suggest: TypeAlias = Callable[[str, Mapping[str, object]], str]
"""Gives a hint that names the nearest of what is known to a word; an empty string where nothing is near."""

EXPANSION: Final = 8 * 2**20
"""What variables may add to a config, as `document.weigh` counts it: 200,000 short values, or 8 million characters.

Without it, ten variables that repeat one another stand for 10 billion values. Python takes up to 32 MiB for as much.
"""
_NAME: Final = r"[^\W\d][\w-]*"
_TOKEN: Final = re.compile(
    rf"""(?P<text>\\?)\[\[[ \t]*(?:
        env[ \t]+(?P<quote>["']?)(?P<env>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)
        |\.?(?P<name>{_NAME}(?:\.[\w-]+)*)
    )[ \t]*\]\]""",
    re.VERBOSE,
)


class Wrong(NamedTuple):
    """One variable that can't be replaced.

    Attributes:
        path: of the text that it stands in.
        what: what is wrong; never the value of an environment variable.
        hint: what to do, or an empty string.
    """

    path: Path
    what: str
    hint: str


class Replaced(Struct):
    """A value with its variables replaced.

    Attributes:
        value: the value; parts without a variable are shared with the one before, not copied.
        sources: path of a value that came from the environment as a whole -> name of the environment variable.
        wrong: the variables that can't be replaced.
        left: the texts that are in the value as they were, because of those, or of a variable that is itself wrong.
    """

    value: Json
    sources: dict[Path, str] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    left: set[str] = field(default_factory=set)


class _UnknownError(Exception):
    """What a variable stands for isn't known: (what, hint); an empty `what` where that is reported elsewhere."""


class Variables:
    """The variables of a config.

    Attributes:
        seen: the values of the environment variables that were used: no message may show them.
    """

    __slots__ = ("_budget", "_complete", "_done", "_environ", "_level", "_open", "_raw", "_suggest", "seen")

    def __init__(
        self, raw: Mapping[str, Json], environ: Mapping[str, str], suggest: Suggest, *, complete: bool = True
    ) -> None:
        """Takes what is written below `vars:`, and the environment; not `complete`: names may be missing, no error."""
        self._raw = raw
        self._environ = environ
        self._suggest = suggest
        self._complete = complete
        self._budget = EXPANSION
        self._level = 0
        self._open: list[str] = []
        self._done: dict[str, Replaced] = {}
        self.seen: set[str] = set()

    def check(self) -> Iterator[Wrong]:
        """What is wrong in the variables themselves, used or not; each path starts with the variable's name."""
        for name in self._raw:
            if not re.fullmatch(_NAME, name):
                hint = "a name is letters, digits, _ and -, and starts with a letter or _"
                yield Wrong((name,), f"the variable {shown(name)} can't be used", hint)
            for wrong in self._variable(name, ()).wrong:
                yield wrong._replace(path=(name, *wrong.path))

    def replace(self, value: Json) -> Replaced:
        """A value with its variables replaced."""
        found = Replaced(value)
        if _holds_mark(value):
            found.value = self._value(value, (), found)
        return found

    def _value(self, value: Json, path: Path, found: Replaced) -> Json:
        if isinstance(value, str):
            return self._text(value, path, found) if "[[" in value else value
        if isinstance(value, dict):
            return {key: self._value(item, (*path, key), found) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, (*path, index), found) for index, item in enumerate(value)]
        return value

    def _text(self, text: str, path: Path, found: Replaced) -> Json:
        def known(match: re.Match[str]) -> Replaced | None:
            try:
                return self._known(match, path)
            except _UnknownError as error:
                found.left.add(text)
                if error.args[0]:
                    found.wrong.append(Wrong(path, *error.args))
                return None

        def inside(match: re.Match[str]) -> str:
            if match["text"]:
                return match[0][1:]
            part = known(match)
            if part and isinstance(part.value, dict | list):
                found.left.add(text)
                kind = "an object" if isinstance(part.value, dict) else "a list"
                found.wrong.append(Wrong(path, f"{match[0]} is {kind} inside a longer text", "let it stand alone"))
            return _as_text(part.value) if part else ""

        whole = _TOKEN.fullmatch(text)
        if not whole or whole["text"]:
            replaced = _TOKEN.sub(inside, text)
            return text if text in found.left else replaced
        part = known(whole)
        if not part:
            return text
        found.sources.update({path + inner: name for inner, name in part.sources.items()})
        return part.value

    def _known(self, match: re.Match[str], path: Path) -> Replaced:
        part = self._from_environment(match["env"]) if match["env"] else self._from_variable(match["name"], path)
        weight, levels = weigh(part.value, self._budget)
        if weight > self._budget:
            first, self._budget = self._budget >= 0, -1
            hint = "write fewer or shorter ones"
            raise _UnknownError(f"variables stand for more than {EXPANSION} characters" if first else "", hint)
        if self._level + len(path) + levels > CONFIG.depth:
            raise _UnknownError(
                f"lists and mappings are more than {CONFIG.depth} deep with {match[0]}", "write it flatter"
            )
        self._budget -= weight
        return part

    def _from_environment(self, name: str) -> Replaced:
        value = self._environ.get(name)
        if value is None:
            hint = self._suggest(name, self._environ) or f"set it before the command: {name}=... dtm apply"
            raise _UnknownError(f"the environment variable {shown(name)} is not set", hint)
        if not value:
            raise _UnknownError(f"the environment variable {shown(name)} is empty", "give it a value")
        self.seen.add(value)
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise _UnknownError(f"the environment variable {shown(name)} is no UTF-8", "give it a value that is text")
        if "${{" in value:
            what = f"the environment variable {shown(name)} holds ${{{{, which would be read as a reference"
            raise _UnknownError(what, "write such text into the config itself")
        return Replaced(value, {(): name})

    def _from_variable(self, dotted: str, path: Path) -> Replaced:
        name, *keys = dotted.split(".")
        known = self._variable(name, path)
        if known.left:
            raise _UnknownError("", "")
        value = known.value
        for depth, key in enumerate(keys):
            if not isinstance(value, dict) or key not in value:
                hint = self._suggest(key, value) if isinstance(value, dict) else "it is no object"
                raise _UnknownError(f"the variable {shown('.'.join((name, *keys[:depth])))} has no {shown(key)}", hint)
            value = value[key]
        prefix, start = tuple(keys), len(keys)
        return Replaced(value, {at[start:]: env for at, env in known.sources.items() if at[:start] == prefix})

    def _variable(self, name: str, path: Path) -> Replaced:
        """A variable of the config, its own variables replaced, for use at a path."""
        if name in self._done:
            return self._done[name]
        if name in self._open:
            chain = [*self._open[self._open.index(name) :], name]
            raise _UnknownError(
                f"the variable {shown(name)} uses itself: {shown(' -> '.join(chain))}", "break the circle"
            )
        if name not in self._raw:
            hint = self._suggest(name, self._raw) or r"define it below vars:, or write \[[ if it is text"
            raise _UnknownError(f"the variable {shown(name)} is not defined" if self._complete else "", hint)
        levels = len(path) + 1
        if self._level + levels > CONFIG.depth:
            raise _UnknownError(f"variables use one another more than {CONFIG.depth} deep", "write it flatter")
        self._open.append(name)
        self._level += levels
        self._done[name] = self.replace(self._raw[name])
        self._level -= levels
        self._open.pop()
        return self._done[name]


def _holds_mark(value: Json) -> bool:
    if isinstance(value, str):
        return "[[" in value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if _holds_mark(item):
            return True
    return False


def _as_text(value: Json) -> str:
    """A plain scalar as JSON writes it, text as it is."""
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else repr(value)
