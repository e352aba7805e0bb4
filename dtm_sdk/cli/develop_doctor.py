"""`dtm develop doctor`."""

from collections.abc import Iterator
from pathlib import Path

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.develop import ROOT, own_plugins
from dtm_sdk.cli.develop_validate_plugin import verdict
from dtm_sdk.cli.output import answer, aside
from dtm_sdk.errors import DtmError


@click.command()
@shared()
@ROOT
def command(root: Path) -> int:
    """Say what is left to do in the project of a plugin; exit code 1 where there is something.

    Places to fill, docs that are out of step, a template that has moved on, rules of the contract that are broken.
    """
    with aside():
        found = list(_left(root))
    answer("\n".join(found) if found else "Nothing is left to do.")
    return 1 if found else 0


def _left(root: Path) -> Iterator[str]:
    from dtm_sdk.docs_pages import pages
    from dtm_sdk.scaffold import behind
    from dtm_sdk.testing.todos import todos

    left = todos(root)
    yield from map(str, left)
    template = behind(root)
    if template:
        yield f"template: {template}"
    try:
        for plugin in own_plugins(root):
            yield from (f"{page.path}: {what}" for page in pages(root, plugin) for what in page.wrong)
        if not left:  # before that, the suite can say little
            passed, lines = verdict(root)
            yield from [] if passed else lines
    except DtmError as error:
        yield str(error)
