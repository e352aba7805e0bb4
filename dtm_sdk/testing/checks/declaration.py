"""Declaration: the rules A1 to A6. Nothing of the plugin is called but its validation, for its examples."""

import os
import re
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Final

import yaml

from dtm_sdk.config import load
from dtm_sdk.errors import ConfigError
from dtm_sdk.options import Json
from dtm_sdk.plugin import OPERATIONS, Plugin
from dtm_sdk.registry import Registry
from dtm_sdk.shape import declared, json_schema
from dtm_sdk.testing.docs_page import configs, differences
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.schema import objects, said
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.watch import Watch

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NO_REPOSITORY: Final = "only the installed package is known: run this in the plugin's repository"


@check("A1", calls=())
def test_a1_name(subject: Subject) -> None:
    """The plugin's name is a DNS-1123 label sequence, equal to its entry point's.

    Labels are `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, of at most 63 characters, with dots between; all is at most 253.

    Why: the name is what a config writes, part of the key of each record, and the name of a docs page. Some backends
    and shells take no other characters; two names for one plugin are two kinds of resource.

    Wrong:
        plugin = Plugin(name="My_Plugin", ...)

    Mend: write the name in lower case, with `-` between words, and the same in `[project.entry-points."dtm.plugins"]`.
    """
    name, entry = subject.plugin.name, subject.source.entry
    labels = name.split(".")
    if len(name) > 253 or not all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels):
        subject.fail(f"the name {name!r} is no sequence of DNS-1123 labels (a-z, 0-9, '-' inside, dots between)")
    if entry and entry != name:
        subject.fail(f"the plugin is called {name!r}, its entry point {entry!r}")


@check("A2", calls=())
def test_a2_options_are_described(subject: Subject) -> None:
    """The options refuse unknown keys and give a JSON Schema; every option has a description and a type.

    `Any` is refused, an object of free content (`dict[str, Any]`) is allowed.

    Why: editors complete and check a config by the schema, the docs are made from it, and this suite makes wrong values
    from it. An option that takes anything fails in mid-create; a typo in a key that is not refused is a setting lost.

    Wrong:
        class MyOptions(Options):
            size: Any = None

    Mend: give each option a type of JSON's and `Meta(description="What it is.")`; derive nested objects from `Options`
    as it is.
    """
    schema = json_schema(subject.plugin.options)
    wrong = [
        f"{path or 'the options'}: unknown keys are let through"
        for path, form in objects(schema)
        if form.get("additionalProperties") is not False
    ]
    for path, option in said(schema).items():
        if option.untyped:
            wrong.append(f"{path}: its type is Any: say what may stand there")
        if not all(option.descriptions):
            wrong.append(f"{path}: it has no description")
    if wrong:
        subject.fail("\n".join(wrong))


def _page(subject: Subject) -> tuple[str, str]:
    """Where the docs page is, from the repository, and its text."""
    repository = subject.source.repository
    if repository is None:
        skip(_NO_REPOSITORY)
    where = f"docs/{subject.plugin.name}.md"
    try:
        return where, (repository / where).read_text(encoding="utf-8")
    except FileNotFoundError:
        subject.fail(f"{where} is missing")
    except (OSError, UnicodeDecodeError) as error:
        subject.fail(f"{where} can't be read: {error}")


@check("A3", rests_on=("A1", "A2"), calls=())
def test_a3_docs_name_every_option(subject: Subject) -> None:
    """The docs page, `docs/<name>.md`, has a table of its options in which nothing differs from the schema.

    The table is `Option | Type | Required | Default | Description`. It names every option, nested ones as `a.b`, items
    as `a[].b`; the types are string, integer, number, boolean, array, object, secret; Required is yes or no; Default is
    JSON. None is missing, none is extra, none says another thing than the schema.

    Why: who writes a config reads this page, and believes it.

    Wrong:
        | `size` | string | no | `2` | How large it is. |     (the type says: integer, default 1)

    Mend: write what each line of the message says; the description is that of `Meta`, word for word.
    """
    where, page = _page(subject)
    wrong = list(differences(page, json_schema(subject.plugin.options)))
    if wrong:
        subject.fail("\n".join(f"{where}: {each}" for each in wrong))


@check("A3", rests_on=("A1", "A2"), calls=())
def test_a3_docs_example_is_valid(subject: Subject) -> None:
    """The docs page shows a config example that validates.

    Mend: show, in a block of ```yaml, a config with `tools:` and a tool of the plugin; `dtm plan` must take it as it is
    (a secret as `[[ env NAME ]]`).
    """
    where, page = _page(subject)
    shown = [(line, text) for line, text in configs(page) if subject.plugin.name in map(_plugin_of, _tools(text))]
    if not shown:
        subject.fail(f"{where} shows no config, in a block of ```yaml, with a tool of the plugin {subject.plugin.name}")
    for line, text in shown:
        _load(subject, where, line, text)


def _tools(text: str) -> list[Any]:
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return []
    found = [each["tools"] for each in documents if isinstance(each, dict) and isinstance(each.get("tools"), list)]
    return [tool for tools in found for tool in tools]


def _plugin_of(tool: Any) -> Any:
    return tool.get("plugin") if isinstance(tool, dict) else None


def _load(subject: Subject, where: str, line: int, text: str) -> None:
    """Load a config as `dtm` does, with something in each variable of the environment that it takes."""
    for tool in _tools(text):
        for example in [*subject.examples, {}]:
            for name, value in _variables(tool.get("options") if isinstance(tool, dict) else None, example):
                os.environ.setdefault(name, value)
    path = subject.scratch / Path(where).name
    with Watch.here().unguarded():
        path.write_text("\n" * (line - 1) + text, encoding="utf-8")

    def find(name: str) -> Plugin:
        return subject.plugin if name == subject.plugin.name else Registry("plugins").get(name)

    try:
        load(str(path), find)
    except ConfigError as error:
        told = str(error).replace(str(path), where)
        subject.fail(f"the example in {where} is refused:\n{told}")


_VARIABLE: Final = re.compile(r"\[\[\s*env\s+(\w+)\s*\]\]")


def _variables(value: Json, example: Json) -> Iterator[tuple[str, str]]:
    """The variables of the environment in a value, each with what an example has at its place, or something."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _variables(item, example.get(key) if isinstance(example, Mapping) else None)
    elif isinstance(value, list):
        for item in value:
            yield from _variables(item, None)
    elif isinstance(value, str) and (isinstance(example, str) or not example):
        yield from ((name, example or "a-sample-of-a-secret") for name in _VARIABLE.findall(value))


@check("A4", calls=())
def test_a4_examples_are_valid(subject: Subject) -> None:
    """There are examples, each valid, and an update pair; if nothing can change, the plugin says so.

    An update pair are two examples with the same identity that differ in more than Tuning options. Nothing can change
    where every option is Identity or Tuning.

    Why: docs show them, editors offer them, and this suite runs them: without a pair no update is ever tried.

    Wrong:
        EXAMPLES = [{"filename": "foo.txt"}, {"filename": "bar.txt", "content": "changed"}]

    Mend: give two examples that name the same resource and differ in every other option.
    """
    wrong = [f"examples[{index}] is refused: {why}" for index, why in subject.refused]
    if wrong:
        subject.fail("\n".join(wrong))
    if not subject.bound:
        subject.fail("there are no examples")


@check("A4", calls=())
def test_a4_update_pair(subject: Subject) -> None:
    """Among the examples is an update pair, if anything can change."""
    fixed = {".".join(path) for path in (*subject.plugin.shape.identity, *subject.plugin.shape.tuning)}
    if all(_is_under(option.path, fixed) for option in declared(subject.plugin.options)):
        unsupported("nothing can change: every option is Identity or Tuning")
    if not subject.pairs:
        subject.fail("no two examples have the same identity and differ in an option that is no Tuning")


def _is_under(path: str, fixed: set[str]) -> bool:
    """Whether an option is one of those, or inside one; or holds one: what else it holds is asked by itself."""
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in fixed) or any(
        each.startswith(f"{path}.") for each in fixed
    )


@check("A5", calls=())
def test_a5_nothing_left_to_do(subject: Subject) -> None:
    """No `TODO(dtm)` is left; one line for each that is, with file and line; checks that it blocks name it.

    Why: the template marks with it what only the author can fill in. What is left there is a function that does
    nothing, or a page that says nothing.

    Wrong:
        def delete(options):
            return True  # TODO(dtm): remove the resource

    Mend: write what the line asks for, and remove the mark.
    """
    if subject.source.repository is None:
        skip(_NO_REPOSITORY)
    if subject.source.todos:
        subject.fail("\n".join(map(str, subject.source.todos)))


@check("A6", calls=())
def test_a6_operations_can_be_called(subject: Subject) -> None:
    """Every operation takes `(options)` or, but for create, `(options, state)`; recovery and identity fit.

    The declared recovery is one of identity, lookup, manual; `identity` and `lookup` have an Identity option.

    Why: the runner calls an operation with what its signature says, and a decorator may say another thing than it
    takes. Recovery decides what happens after a crash in mid-create: with nothing that names the resource, it can't be
    found again.

    Wrong:
        def logged(function):
            @wraps(function)
            def inner(options, client): ...     # says (options), takes two

    Mend: take `(options)` or `(options, state)`, in decorators too; mark what names the resource as `Identity[...]`, or
    declare `recovery="manual"`.
    """
    plugin = subject.plugin
    for name in OPERATIONS:
        given = ("options", "state") if subject.takes_state(name) else ("options",)
        try:
            signature(getattr(plugin, name), follow_wrapped=False).bind(*given)
        except (TypeError, ValueError) as error:
            subject.fail(f"{name} can't be called with ({', '.join(given)}): {error}")
    if plugin.recovery not in {"identity", "lookup", "manual"}:
        subject.fail(f"recovery={plugin.recovery!r} is none of identity, lookup, manual")
    if plugin.recovery != "manual" and not any(option.role == "identity" for option in declared(plugin.options)):
        subject.fail(f"recovery={plugin.recovery!r} needs an Identity option, there is none")
