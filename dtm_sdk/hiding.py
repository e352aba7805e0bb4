"""Records with secrets that aren't as they should be: in clear, as the ancestor's are, or of another key."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from dtm_sdk.backends import Fit
from dtm_sdk.decide import Desired, Hide
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Notice, Tell
from dtm_sdk.plugin import Plugin
from dtm_sdk.secret_text import Mask, fingerprint, reveal_all
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool

OTHER_KEY: Final = (
    "another key made the fingerprints of the secrets of {} {}: they get new ones; whether a secret has changed "
    "can't be told this once; if the key beside the state was lost, or DTM_FINGERPRINT_KEY has changed, put it back"
)


def warn_of_another_key(records: Iterable[Record], hide: Hide, tell: Tell) -> None:
    """Tell where the key of the fingerprints isn't the one that records were made with."""
    keys = [record.meta["key"] for record in records if "key" in record.meta]
    many = sum(key != hide("") for key in keys)
    if many:
        tell(Notice("warning", OTHER_KEY.format(many, "tool" if many == 1 else "tools")))


def fit_by(find_plugin: Callable[[str], Plugin]) -> Fit:
    """A `Fit` by the plugins of the records; one whose plugin can't be had stays as it is."""
    return lambda record, key: hidden(record, find_plugin, key)[0]


def hidden(record: Record, find_plugin: Callable[[str], Plugin], key: bytes) -> tuple[Record, str]:
    """A record without the text of its secrets; and, where they can't be told, why, as the rest of a sentence."""
    try:
        plugin = find_plugin(record.plugin)
        typed = plugin.convert(record.options)
    except DtmError as error:
        return record, f" as it is: which of its options are secret can't be told ({error.message})"
    if not plugin.shape.secret:
        return record, ""
    tool = Tool(record.name, record.plugin, record.depends_on, record.options, record.depends_on)
    options = Desired(tool, plugin, typed, record.options, lambda text: fingerprint(key, text)).options
    return replace(record, options=options, resource=Mask(key, reveal_all(typed)).value(record.resource)), ""
