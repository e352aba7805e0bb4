"""A new plugin from the template, which is shipped with the package: no network and no git are needed."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dtm_sdk.errors import DtmError, UsageError

ANSWERS: Final = ".copier-answers.yml"
"""The file in a project that says from which template it was made, and how its questions were answered."""

_SAID_BY_COPIER: Final = re.compile(r"^(Validation error for question '\w+'|Error rendering template path [^:]*): ")


def template() -> Path:
    """The folder of the template: in an installed package beside this module, in a clone where it is written."""
    here = Path(__file__).parent
    installed = here / "_template"
    return installed if installed.is_dir() else here.parent / "templates" / "plugin"


def create_plugin(folder: Path, answers: Mapping[str, str], *, ask: bool, pretend: bool = False) -> None:
    """Make a new plugin in a folder that isn't there yet, or is empty.

    Args:
        folder: where to.
        answers: question -> answer, that to `name` among them; the questions are those of the template's `copier.yml`.
        ask: ask what isn't answered, at the terminal; else it is as the template has it.
        pretend: check all of it, but make nothing.

    Raises:
        UsageError: an answer can't be, there is no such question, or something is in the folder.
        DtmError: Copier isn't installed, or the folder can't be written.
        KeyboardInterrupt: the questions were left.
    """
    try:
        from copier import run_copy
        from copier.errors import CopierError
    except ImportError as error:
        what = f"a new plugin is made by Copier, which can't be imported: {error}"
        raise DtmError(what, "pip install 'dtm-sdk[scaffold]'") from None
    _refuse_unknown(answers)
    if ask:  # what is given is looked at before anything is asked
        create_plugin(folder, answers, ask=False, pretend=True)
    wrong = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it can't clean up after an error, and of what it leaves open
        try:
            _refuse_taken(folder)
            run_copy(str(template()), folder, data=dict(answers), defaults=not ask, quiet=True, pretend=pretend)
        except KeyboardInterrupt:  # one of Copier's is a CopierError too
            raise KeyboardInterrupt from None
        except (CopierError, ValueError) as error:
            wrong = _SAID_BY_COPIER.sub("", " ".join(str(error).split()))
        except OSError as error:
            raise DtmError(
                f"{folder} can't be written: {error.strerror}", "look at the folder that it is in"
            ) from error
    if wrong:
        raise UsageError(wrong)


def _refuse_taken(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or list(folder.iterdir()))):
        raise UsageError(f"{folder} is there already", "choose another one with --dir, or move it away")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {folder.parent} to make it in", "make that first")


def questions() -> dict[str, object]:
    """The questions of the template: name -> how it is asked."""
    import yaml

    entries = yaml.safe_load((template() / "copier.yml").read_text(encoding="utf-8"))
    return {name: entry for name, entry in entries.items() if not name.startswith("_")}


def _refuse_unknown(answers: Mapping[str, str]) -> None:
    known = questions()
    for name in answers:
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, 1)
            asked = [key for key, entry in known.items() if isinstance(entry, dict) and entry.get("when") is not False]
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(asked)}"
            raise UsageError(f"the template has no question {name!r}", hint)


def behind(folder: Path) -> str:
    """What the template says of a project that was made by another version of it; empty where it is the same, or none.

    Raises:
        DtmError: the file with the answers can't be read.
    """
    import yaml

    from dtm_sdk import __version__

    path = folder / ANSWERS
    if not path.is_file():
        return ""
    try:
        made_by = yaml.safe_load(path.read_text(encoding="utf-8"))["_commit"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise DtmError(f"{path} can't be read: {said}", "take it back from git") from error
    if str(made_by) == f"v{__version__}":
        return ""
    return f"it was made by the template {made_by}, dtm-sdk is v{__version__}; `copier update` in a clean git tree"
