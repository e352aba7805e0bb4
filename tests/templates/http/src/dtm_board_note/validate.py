"""What the types of the options can't say."""

import re
from urllib.parse import urlsplit

from dtm_board_note.options import BoardNoteOptions

NAME = re.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?")
HALF = re.compile("[\ud800-\udfff]")


def validate(options: BoardNoteOptions) -> list[str]:
    """What is wrong with the options, one message each; empty when nothing is. Looks at nothing else."""
    wrong = {
        "name is made of lower-case letters, digits and hyphens": not NAME.fullmatch(options.name),
        "text holds half a character (a lone surrogate)": HALF.search(options.text),
        "url is no address such as http://127.0.0.1:8080": not _is_address(options.url),
    }
    return [message for message, holds in wrong.items() if holds]


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return url.isascii() and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
