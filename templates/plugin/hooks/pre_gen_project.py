"""Refuse answers as copier.yml does; Cookiecutter itself takes any.

It has made the folder of the project by now, and removes it; were a name with slashes its path, the others would stay:
so `__folder` has none.
"""

import json
import keyword
import re
import sys

# Jinja's tojson writes a single quote as \u0027.
NAME = json.loads(r'{{ cookiecutter.name|tojson }}')
TEXTS = {
    "description": json.loads(r'{{ cookiecutter.description|tojson }}'),
    "author": json.loads(r'{{ cookiecutter.author|tojson }}'),
}
OWN = {"create", "delete", "dtm", "options", "read", "sdk", "test", "tests", "update", "validate"}


def problem(name, texts):
    """What is wrong, in a line; empty when nothing is."""
    if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return (
            f"{name!r} is no name for a plugin: start with a lower-case letter, go on with lower-case letters, digits "
            "and single hyphens"
        )
    if len(name) > 60:
        return f"the name has {len(name)} characters: at most 60 are allowed"
    module = name.replace("-", "_")
    if module in sys.stdlib_module_names or keyword.iskeyword(module) or module in OWN:
        return f"{name!r} is taken, by Python or by a file of each plugin: choose another name"
    for key, text in texts.items():
        if not re.fullmatch(r'[^"\\{}\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]{1,100}', text):
            return f"the {key} is one line of at most 100 characters, without double quotes, backslashes and braces"
    return ""


found = problem(NAME, TEXTS)
if found:
    sys.exit(found)
