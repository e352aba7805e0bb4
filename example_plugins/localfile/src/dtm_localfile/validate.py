"""What the types of the options can't say."""

import os

from dtm_localfile.localfile import SUFFIX
from dtm_localfile.options import LocalfileOptions


def validate(options: LocalfileOptions) -> list[str]:
    """What is wrong with the options, one message each; empty when nothing is. Looks at no file."""
    path, normal = options.filename, os.path.normpath(options.filename)
    *folders, name = path.encode(errors="surrogatepass").split(b"/")
    detour = path.startswith("//") or normal != path
    wrong = {
        "filename holds a NUL character; leave it out": "\0" in path,
        "filename holds half a character (a lone surrogate); write it whole": _holds_half(path),
        "content holds half a character (a lone surrogate); write it whole": _holds_half(options.content),
        "filename names a folder; add the name of a file": os.path.basename(normal) in ("", ".", ".."),
        "filename takes a detour; leave out './', '//', a '/' at its end, and '..' after a folder": detour,
        f"filename ends in {SUFFIX}, which is kept for temporaries; choose another name": path.endswith(SUFFIX),
        "the last part of filename has more than 246 bytes; shorten it": len(name) > 246,
        "a folder in filename has more than 255 bytes; shorten it": any(len(folder) > 255 for folder in folders),
        "filename has more than 4086 bytes; shorten it": len(b"/".join([*folders, name])) > 4086,
    }
    return [message for message, holds in wrong.items() if holds]


def _holds_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
