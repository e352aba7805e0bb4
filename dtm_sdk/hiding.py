"""Records of the ancestor, which holds secrets in clear, made fit to be written."""

from collections.abc import Callable

from msgspec.structs import replace

from dtm_sdk.backends import Fit
from dtm_sdk.decide import Desired
from dtm_sdk.errors import DtmError
from dtm_sdk.plugin import Plugin
from dtm_sdk.secret_text import Mask, fingerprint, reveal_all
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool


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
