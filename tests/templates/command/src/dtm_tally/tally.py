"""What the operations share: the command is run, and that it fails is an error."""

import subprocess

from dtm_sdk import PluginError

COMMAND = "tally"
SECONDS = 60


def run(*arguments: str) -> str:
    """What the command prints.

    Raises:
        PluginError: it is missing, fails, or does not end within a minute.
    """
    try:
        done = subprocess.run(  # noqa: S603  # a list of arguments, which no shell reads
            [COMMAND, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise PluginError(f"`{COMMAND}` has not ended within {SECONDS} s", "look what it waits for") from error
    except (OSError, ValueError) as error:
        raise PluginError(f"`{COMMAND}` can't be started: {error}", "install it, or correct PATH") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or "it says nothing"
        raise PluginError(f"`{COMMAND}` ended with {done.returncode}: {said}", "run it by hand to see more")
    return done.stdout
