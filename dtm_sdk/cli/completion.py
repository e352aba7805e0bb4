"""`dtm completion SHELL`."""

import click
from click.shell_completion import get_completion_class

from dtm_sdk.cli.command import root, shared
from dtm_sdk.cli.output import answer


@click.command()
@shared()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    r"""Print a script that completes dtm's commands and options in a shell.

    \b
    bash: add this to ~/.bashrc:  eval "$(dtm completion bash)"
    zsh:  add this to ~/.zshrc:   eval "$(dtm completion zsh)"
    fish: dtm completion fish > ~/.config/fish/completions/dtm.fish
    """
    kind = get_completion_class(shell)
    return answer(kind(root, {}, "dtm", "_DTM_COMPLETE").source()) if kind else 2
