"""The docs page of a plugin, as far as its types say it: the table of its options, and a config. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from dtm_sdk.example import from_environment, json_type, sample
from dtm_sdk.options import Json, Secret, members
from dtm_sdk.plugin import Plugin
from dtm_sdk.shape import Option, declared
from dtm_sdk.yaml_text import block, scalar

HEADING: Final = "| Option | Type | Required | Default | Description |"


def options_table(plugin: Plugin) -> str:
    """The table of its options in Markdown (GitHub's), nested ones as `a.b`, `a[].b` or `a.*.b`.

    An option that several forms of one object share is one row: with the types of all, the rest as in the first form.
    """
    rows: dict[str, list[Option]] = {}
    for option in declared(plugin.options):
        rows.setdefault(option.path, []).append(option)
    return "\n".join([HEADING, "|---|---|---|---|---|", *(_row(forms) for forms in rows.values())])


def _row(forms: list[Option]) -> str:
    first = forms[0]
    types = dict.fromkeys(word for each in forms for word in json_type(each.type).split(" or "))
    cells = [
        f"`{first.path}`",
        " or ".join(types),
        "yes" if first.required else "no",
        "" if first.required else _code(scalar(first.default)),
        " ".join(first.description.split()),
    ]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _code(text: str) -> str:
    """A code span, whatever is in it (CommonMark, section 6.1)."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"


def config_example(plugin: Plugin) -> str:
    """A config with one tool, of the plugin's first example; its secrets come from the environment."""
    given: Json = dict(plugin.examples[0]) if plugin.examples else sample(plugin.options)
    for option in declared(plugin.options):
        if any(member is Secret for member, _ in members(option.type)):
            given = from_environment(given, option.path.split("."), plugin.name, option.path, [])
    tool = {"name": f"my-{plugin.name}", "plugin": plugin.name, "options": given}
    return "\n".join(block({"tools": [tool]}))


def page(plugin: Plugin) -> str:
    """The page: what is wanted of it by rule A3, for an author to go on from."""
    return "\n".join(_page(plugin))


def _page(plugin: Plugin) -> Iterator[str]:
    yield from (f"# {plugin.name}", "", "## Options", "", options_table(plugin), "")
    if plugin.shape.identity:
        names = ", ".join(f"`{'.'.join(path)}`" for path in plugin.shape.identity)
        yield from (f"What names the resource: {names}. A change of it means another resource.", "")
    yield from ("## Example", "", "```yaml", config_example(plugin), "```", "")
