"""What the interpreter and the system must have, asked before anything else is imported."""

import sys


def require() -> None:
    """Go on, or end with exit code 2 and one line that says what is lacking: Python 3.11, or fcntl to lock files."""
    if sys.version_info < (3, 11):
        running = ".".join(map(str, sys.version_info[:3]))
        lack = f"Python 3.11 or newer is needed, this is {running} ({sys.executable}); install dtm-sdk with a newer one"
    elif not _has_fcntl():
        lack = f"Linux or macOS is needed, this is {sys.platform}, which has no fcntl; on Windows, run dtm in WSL"
    else:
        return
    sys.stderr.write(f"dtm: {lack}\n")
    sys.exit(2)


def _has_fcntl() -> bool:
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return False
    return True
