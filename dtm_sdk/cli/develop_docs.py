"""`dtm develop docs`."""

from pathlib import Path

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.develop import ROOT, own_plugins
from dtm_sdk.cli.output import answer, aside


@click.command()
@shared()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 where something is to be written.")
@ROOT
def command(root: Path, *, check: bool) -> int:
    """Bring the docs of a plugin in step with its options.

    The table of options in docs/NAME.md and docs/NAME.zh.md is written from the types of the options; an example that
    the plugin does not take, there, in README.md or in config.yaml, is replaced by the first of its examples.
    """
    from dtm_sdk.docs_pages import pages, write

    with aside():  # a plugin may print when it is imported
        plugins = own_plugins(root)
    stale = [page for plugin in plugins for page in pages(root, plugin) if page.wrong]
    if check:
        lines = [f"{page.path}: {what}; run `dtm develop docs`" for page in stale for what in page.wrong]
        answer("\n".join(lines) if lines else "The docs are in step with the options.")
        return 1 if lines else 0
    for page in stale:
        write(root, page)
    return answer("\n".join(f"{page.path} is written." for page in stale) or "The docs are in step with the options.")
