"""Secrets: the rule S1."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json
from dtm_sdk.plugin import State
from dtm_sdk.shape import full
from dtm_sdk.testing.canary import KINDS, canary, found_in, hidden_in
from dtm_sdk.testing.disturbed import disturbed
from dtm_sdk.testing.overheard import Overheard, overhearing
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.stage import Stage
from dtm_sdk.testing.subject import Raw, Subject, describe
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.worlds.world import Place

Secrets = dict[Place, str]
"""The keys that lead to a secret in plain options -> its text; the index of an item of a list as text."""


@check("S1", rests_on=("C1", "C2", "U1", "D1"))
def test_s1_canaries_are_not_said(subject: Subject) -> None:
    """A canary in each `Secret` option never shows, raw or encoded (base64, URL, JSON, YAML, hex).

    Not in state, journal, log at any level, output, report, traceback, exception, argv of children or file names.
    A secret that the world must know, such as a token for it, is its own canary. What is in the world is exempt. That
    a text is derived from a secret, such as its hash or its length, is not looked for.

    Why: states are kept in buckets, logs in other people's systems, and arguments of processes are seen by everyone on
    the machine. The runner masks what it writes; it can't mask what a plugin says past it, or in a form of its own.

    Wrong:
        raise PluginError(f"{options.url} refuses the token {options.token.reveal()}")

    Mend: call `reveal()` only where the text is handed to the service. Leave it out of states, messages and file names;
    give it to a child by a file, its standard input or its environment.
    """
    secrets, first, second = _planted(subject)

    def look(text: str | bytes, where: str) -> None:
        for leak in found_in(text, secrets, where):
            shown = hidden_in(text if isinstance(text, str) else text.decode("utf-8", "replace"), secrets.values())
            around = _around(shown)
            subject.fail(f"the secret option {leak.option} stands in {leak.where}, {leak.form}: {around}")

    def told(error: BaseException) -> None:
        look(_told(error), f"the exception {type(error).__name__}")
        look("".join(traceback.format_exception(error)), f"the traceback of {type(error).__name__}")

    subject.fresh()
    with overhearing(subject.scratch) as heard:
        for where, state in _states(subject, first, second):
            look(_dumped(state), where)
    _look_at(heard, look)
    with overhearing(subject.scratch) as heard:
        for _ in disturbed(subject, first, second, told):
            pass
    _look_at(heard, look)


def _look_at(heard: Overheard, look: Callable[[str, str], None]) -> None:
    for where, text in heard.texts:
        look(text, where)


def _states(subject: Subject, first: Raw, second: Raw) -> Iterator[tuple[str, State | None]]:
    made = subject.create(first)
    yield "the state that create returns", made
    yield "the state that read returns", subject.read(first, made)
    changed = subject.update(second, made)
    yield "the state that update returns", changed
    yield "the state that read returns", subject.read(second, changed)
    subject.delete(second, changed)


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _told(error: BaseException) -> str:
    """All that an exception says of itself, and what it comes from."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(told) < 20:
        told += [describe(seen), repr(seen), str(getattr(seen, "hint", "")), *getattr(seen, "__notes__", ())]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(told)


def _around(text: str) -> str:
    """What stands around the first place that was hidden."""
    at = max(text.find("***"), 0)
    return " ".join(text[max(at - 60, 0) : at + 60].split())


@check("S1", rests_on=("C1", "C2", "U1", "D1", "L1"))
def test_s1_canaries_are_not_written(subject: Subject) -> None:
    """Nor does it show in what the runner writes and reports while the plugin is at work."""
    secrets, first, second = _planted(subject)

    def look(text: str | bytes, where: str) -> None:
        for leak in found_in(text, secrets, where):
            subject.fail(f"the secret option {leak.option} stands in {leak.where}, {leak.form}")

    subject.fresh()
    with overhearing(subject.scratch) as heard:
        stage = Stage(subject)
        runs = [stage.apply(stage.tool("one", raw), debug=True, detail=True) for raw in (first, second)]
        runs.append(stage.apply(stage.tool("one", second), debug=True))
        files = {path: path.read_bytes() for path in stage.folder.rglob("*") if path.is_file()}
        runs.append(stage.run("delete"))
    for path, data in files.items():
        look(data, f"the file {path.relative_to(stage.folder)}")
    for ran in runs:
        look("\n".join([*ran.messages, *ran.problems, ran.trace, *ran.said]), "the report")
    _look_at(heard, look)


# --- the canaries ----------------------------------------------------------------------------------------------------


def _planted(subject: Subject) -> tuple[dict[str, str], Raw, Raw]:
    """The secrets by the dotted paths of their options, and an update pair that holds them.

    Raises:
        Unsupported: no option is a Secret.
    """
    if not subject.plugin.shape.secret:
        unsupported("no option is a Secret")
    first, second = (_with_all(subject, raw) for raw in (subject.pairs or [(subject.an_example(),) * 2])[0])
    held = [_secrets_of(subject, raw) for raw in (first, second)]
    secrets: Secrets = {**held[0], **held[1]}
    for number, path in enumerate(sorted(secrets)):
        for kind in range(len(KINDS)):
            text = canary(number, kind)
            raws = [_with(subject, raw, path, text) for raw in (first, second)]
            if _works(subject, raws, ".".join(path), text):
                secrets[path] = text
                first, second = raws
                break
        else:
            subject.notes.append(f"{'.'.join(path)}: the world takes its own value only, that is looked for")
    return {".".join(path): text for path, text in secrets.items()}, first, second


def _with_all(subject: Subject, raw: Raw) -> Raw:
    """The options, and those with a secret that only other examples have, as far as they go together."""
    for example in subject.examples:
        for key in {path[0] for path in _secrets_of(subject, example)} - raw.keys():
            with suppress(DtmError):
                subject.plugin.parse({**raw, key: example[key]})
                raw = {**raw, key: example[key]}
    return raw


def _works(subject: Subject, raws: Sequence[Raw], option: str, text: str) -> bool:
    """Whether plugin and world take these options, which hold a secret."""
    for raw in raws:
        try:
            subject.plugin.parse(raw)
        except DtmError as error:
            for leak in found_in(_told(error), {option: text}, "the message that refuses it"):
                subject.fail(f"the secret option {leak.option} stands in {leak.where}, {leak.form}")
            return False
    for raw in raws:
        subject.fresh()
        try:
            subject.call("create", raw)
        except Exception:  # noqa: BLE001  # the boundary to an author's code
            return False
    return True


def _secrets_of(subject: Subject, raw: Raw) -> Secrets:
    """The secrets in plain options."""
    found: Secrets = {}
    texts: list[str] = []

    def named(text: str) -> str:
        texts.append(text)
        return f"{_MARK}{len(texts) - 1}"

    def walk(value: Json, path: Place) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                walk(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, (*path, str(index)))
        elif isinstance(value, str) and value.startswith(_MARK):
            found[path] = texts[int(value.removeprefix(_MARK))]

    walk(full(subject.parse(raw), named), ())
    return found


_MARK = "\0canary\0"


def _with(subject: Subject, raw: Raw, path: Place, text: str) -> Raw:
    """Plain options with another secret at a path; as they are where they have none there."""
    if path not in _secrets_of(subject, raw):
        return raw

    def put(value: Json, keys: Sequence[str]) -> Json:
        if not keys:
            return text
        if isinstance(value, list):
            return [put(item, keys[1:]) if str(index) == keys[0] else item for index, item in enumerate(value)]
        return {**value, keys[0]: put(value[keys[0]], keys[1:])}

    changed: Raw = put(raw, path)
    return changed
