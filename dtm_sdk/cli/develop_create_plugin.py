"""`dtm develop create-plugin`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.output import answer
from dtm_sdk.errors import UsageError
from dtm_sdk.registry import find

NEXT = """\
{name} is there, in {folder}. What comes next:

  1. cd {folder} && git init && git add -A && git status
     shows what was made; {package}/__init__.py puts it together, leave it as it is.
  2. Fill each of the {left} places marked TODO(dtm): `dtm develop doctor` lists them.
     Mind what the operations return: State is what was recorded, Resource what Read finds; dtm compares the two.
  3. pip install -e '.[dev]' && pytest --dtm-conformance
     says whether it keeps every rule; `dtm develop docs` brings the docs in step with the options.
  4. dtm -y apply
     makes what config.yaml says. The docs are yours to write: docs/{name}.md, docs/{name}.zh.md."""


@click.command()
@shared()
@click.option("--name", metavar="NAME", help="Name of the plugin, as configs will have it, e.g. my-plugin.")
@click.option("--dir", "folder", metavar="PATH", type=click.Path(path_type=Path), help="Where to. [./NAME]")
@click.option("--defaults", is_flag=True, help="Ask nothing: what isn't answered here is as the template has it.")
@click.option("--data", metavar="KEY=VALUE", multiple=True, help="Answer a question of the template, e.g. world=http.")
def command(name: str | None, folder: Path | None, data: Sequence[str], *, defaults: bool) -> int:
    """Make the project of a new plugin: bodies to fill, docs, tests, a workflow, a config.

    Where stdin is no terminal, nothing is asked.
    """
    from dtm_sdk.scaffold import create_plugin
    from dtm_sdk.testing.todos import todos

    answers = dict(map(_pair, data))
    if name is not None:
        answers["name"] = name
    ask = not defaults and sys.stdin is not None and sys.stdin.isatty()
    if ask and "name" not in answers:
        answers["name"] = click.prompt("Name of the plugin", value_proc=_usable_name, err=True)
    name = answers.get("name", "")
    if not name:
        raise UsageError("the plugin has no name", "give it one, as in --name=my-plugin")
    there = next((entry for entry in find() if entry.name == name), None)
    if there:
        raise UsageError(f"there is a plugin {name} already, in {there.distribution}", "choose another name")
    where = folder or Path(name)
    create_plugin(where, answers, ask=ask)
    package = f"src/dtm_{name.replace('-', '_')}"
    return answer(NEXT.format(name=name, folder=where, package=package, left=len(todos(where))))


def _usable_name(text: str) -> str:
    """A name that the template takes; else it is asked again."""
    from dtm_sdk.scaffold import create_plugin

    try:
        create_plugin(Path("name-of-the-plugin-that-is-asked-for"), {"name": text}, ask=False, pretend=True)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    return text


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.BadParameter(f"{text!r} is no KEY=VALUE", param_hint="--data")
    return key, value
