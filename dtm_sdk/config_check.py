"""The tools of a config against one another and their plugins: dependencies, references, options, identities."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from dtm_sdk.config_files import Place, Report
from dtm_sdk.config_tools import WRITE_KEY, Draft
from dtm_sdk.errors import DtmError, OptionsError, UnresolvedError
from dtm_sdk.options import Json
from dtm_sdk.plugin import Plugin
from dtm_sdk.references import Reference, find, holds_reference, resolve
from dtm_sdk.variables import Path

_CYCLE: Final = 10
"""How many tools of a cycle are shown."""
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Checker:
    """Checks the tools of a config, and completes their drafts."""

    __slots__ = ("_drafts", "_keys", "_report", "_swapped")

    def __init__(self, drafts: Sequence[Draft], report: Report) -> None:
        self._drafts = drafts
        self._report = report
        self._keys: dict[str, Draft] = {}
        self._swapped: dict[str, Draft] = {}

    def check(self) -> Iterable[Draft]:
        """The drafts, completed; of those with the same key the first. What is wrong is reported."""
        for draft in self._drafts:
            first = self._keys.setdefault(draft.key, draft) if draft.key else draft
            if first is not draft:
                self._report.add(draft.place, f"{draft} is there already, at {first.place}", "give it another name")
            if draft.swapped:
                self._swapped[f"{draft.plugin}.{draft.name}"] = draft
        for draft in self._drafts:
            self._depend(draft)
            if draft.options is not None:
                self._refer(draft, draft.options)
        self._check_identities()
        self._check_cycles()
        return self._keys.values()

    def _depend(self, draft: Draft) -> None:
        for index, entry in draft.listed:
            key = self._target(entry, draft.place.at("dependsOn", index), f"{draft} depends on {entry}")
            if key and key not in draft.depends_on:
                draft.depends_on.append(key)
        draft.needs = list(draft.depends_on)

    def _target(self, written: str, place: Place, what: str) -> str:
        """The key of the tool that is meant; empty where that isn't known.

        The ancestor's later form writes a key as `plugin.name`: that will do for tools in that form.
        """
        draft, swapped = self._keys.get(written), self._swapped.get(written)
        if draft and swapped and swapped is not draft:
            self._report.add(place, f"{what}, which may be {draft} or {swapped}", "give one of them another name")
            return ""
        found = draft or swapped
        if not found and self._report.complete:
            hint = self._report.suggest(written, self._keys) or WRITE_KEY
            self._report.add(place, f"{what}, which isn't in the config", hint)
        return found.key if found else ""

    def _refer(self, draft: Draft, options: dict[str, Json]) -> None:
        """Follow the references in the options of a tool, then check the options."""
        texts: list[tuple[Path, str]] = []
        if not draft.place.file.is_plain:
            _collect(options, (), texts)
        renamed: dict[str, str] = {}
        for path, text in texts:
            place = draft.place.at("options", *path)
            try:
                for reference in find(text):
                    self._follow(reference, draft, place, renamed)
            except UnresolvedError as error:
                self._report.add(place, error.message, error.hint)
        is_known = not draft.left and not any(holds_reference(text) for _, text in texts)
        if renamed:
            draft.options = options = _renamed(options, renamed)
        if is_known and texts:  # there is no reference: what looks like one is escaped
            draft.options = options = resolve(options, lambda reference: reference.text)
        if draft.found:
            self._check_options(draft, draft.found, options, is_known=is_known)

    def _follow(self, reference: Reference, draft: Draft, place: Place, renamed: dict[str, str]) -> None:
        key = self._target(reference.key, place, f"{draft} refers to {reference.key}")
        if key and key == draft.key:
            self._report.add(place, f"{draft} refers to itself", "refer to another tool")
        elif key and key not in draft.needs:
            draft.needs.append(key)
        if key and key != reference.key:
            renamed[reference.text] = f"${{{{ {'.'.join((key, 'outputs', *reference.path))} }}}}"

    def _check_options(self, draft: Draft, plugin: Plugin, options: dict[str, Json], *, is_known: bool) -> None:
        try:
            if is_known:
                draft.typed = plugin.parse(options)
                return
            problems = plugin.problems(options, draft.is_open)
        except OptionsError as error:
            problems = list(error.problems)
        except DtmError as error:
            self._report.add(draft.place.at("options"), f"{draft}: {error.message}", error.hint)
            return
        for path, message in problems:
            what = f"option {path} {message}" if path else message
            self._report.add(draft.place.at("options", *_steps(path, options)), f"{draft}: {what}")

    def _check_identities(self) -> None:
        owners: dict[tuple[str, bytes], Draft] = {}
        for draft in self._keys.values():
            identity = _identity(draft, draft.found) if draft.found else b""
            first = owners.setdefault((draft.plugin, identity), draft) if identity else draft
            if first is not draft and draft.found:
                same = " and ".join(".".join(path) for path in draft.found.shape.identity)
                what = f"{draft} is the same resource as {first} at {first.place}: they have the same {same}"
                self._report.add(draft.place, what, "change it, or remove one of the two")

    def _check_cycles(self) -> None:
        for cycle in cycles({key: draft.needs for key, draft in self._keys.items()}):
            first = self._keys[cycle[0]]
            if len(cycle) == 1:
                what = f"{first} depends on itself"
            else:
                shown = cycle if len(cycle) <= _CYCLE else [*cycle[: _CYCLE - 1], f"... ({len(cycle)} tools)"]
                what = f"tools depend on one another: {' -> '.join([*shown, cycle[0]])}"
            self._report.add(first.place, what, "remove one of these entries of dependsOn or references")


def cycles(graph: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Cycles in a graph of what needs what: each node of one needs the next, the last needs the first.

    Of cycles that share a node, which could be very many, at least one is given.
    """
    done: set[str] = set()
    given: set[str] = set()
    for start in graph:
        stack = [] if start in done else [(start, iter(graph[start]))]
        depth = {start: 0}
        while stack:
            node, needs = stack[-1]
            need = next(needs, None)
            if need is None:
                stack.pop()
                del depth[node]
                done.add(node)
            elif need in depth:
                if need not in given:
                    cycle = [name for name, _ in stack[depth[need] :]]
                    given.update(cycle)
                    yield cycle
            elif need in graph and need not in done:
                depth[need] = len(stack)
                stack.append((need, iter(graph[need])))


def _steps(path: str, value: Json) -> Path:
    """The path that `config_tools.dotted` writes so, as far as it exists; a key may hold dots itself."""
    steps: list[str | int] = []
    while isinstance(value, dict | list):
        names = (
            {f"[{index}]": index for index in range(len(value))} if isinstance(value, list) else {k: k for k in value}
        )
        found = [name for name in names if path == name or path.startswith((f"{name}.", f"{name}["))]
        if not found:
            break
        name = max(found, key=len)
        steps.append(names[name])
        value, path = value[names[name]], path[len(name) :].removeprefix(".")
    return tuple(steps)


def _collect(value: Json, path: Path, found: list[tuple[Path, str]]) -> None:
    """Append each text that has the mark of a reference."""
    if isinstance(value, str):
        if "${{" in value:
            found.append((path, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            _collect(item, (*path, key), found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _collect(item, (*path, index), found)


def _renamed(value: Json, names: Mapping[str, str]) -> Json:
    """A copy with other references in place of some."""
    if isinstance(value, str) and "${{" in value:
        pattern = "|".join(re.escape(name) for name in names)
        return re.sub(rf"(?<!\\)(?:{pattern})", lambda match: names[match[0]], value)
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _identity(draft: Draft, plugin: Plugin) -> bytes:
    """The values that name the resource of a tool; empty where they aren't known, or none do."""
    if not plugin.shape.identity:
        return b""
    if draft.typed is not None:
        return _encode(plugin.shape.identity_in(draft.typed))
    values = plugin.shape.identity_of(draft.options or {}) or ()
    texts: list[tuple[Path, str]] = []
    _collect(list(values), (), texts)
    return b"" if texts or draft.left or None in values else _encode(values)
