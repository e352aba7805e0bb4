"""Delete: remove the file."""

from dtm_localfile.localfile import remove
from dtm_localfile.options import LocalfileOptions


def delete(options: LocalfileOptions) -> bool:
    """Remove the file; True as well when it is gone already."""
    remove(options.filename)
    return True
