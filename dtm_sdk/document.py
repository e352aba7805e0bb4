"""YAML text -> plain values: as data only, within limits, exact about where something is wrong.

Plain scalars are read by the core schema of YAML 1.2 (section 10.3.2), but that `012` stays text, as `yes`, `22:22`,
`1_000` and dates do.
"""

from dtm_sdk import yaml_lines
from dtm_sdk.options import Json
from dtm_sdk.yaml_limits import CONFIG, DocumentError, Limits, shown, weigh

__all__ = ["CONFIG", "DocumentError", "Limits", "parse", "shown", "weigh"]


def parse(text: str | bytes, limits: Limits = CONFIG) -> list[Json]:
    """The value of each document in a text.

    What an alias stands for is shared, not copied: whoever changes one changes both.

    Raises:
        DocumentError: the text is no UTF-8, no YAML, or more than the limits allow.
    """
    simple = yaml_lines.read(text, limits)
    if simple is not None:
        return [simple]
    from dtm_sdk.yaml_values import build  # a start of which the parser is no part is a tenth shorter

    return build(text, limits)
