"""What the types of the options can't say."""

import re

from dtm_tally.options import TallyOptions

NAME = re.compile("[a-z0-9][-a-z0-9]{0,99}")
UNFIT = re.compile("[\0\r\ud800-\udfff]")


def validate(options: TallyOptions) -> list[str]:
    """What is wrong with the options, one message each; empty when nothing is. Looks at nothing else."""
    wrong = {
        "name is made of at most 100 lower-case letters, digits and hyphens": not NAME.fullmatch(options.name),
        "text holds a NUL character, a carriage return or half a character": UNFIT.search(options.text),
    }
    return [message for message, holds in wrong.items() if holds]
