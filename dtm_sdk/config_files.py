"""The files of a config: found, read and parsed; and the problems in them, each located, all reported at once."""

# ruff: noqa: PTH112, PTH116, PTH123  # importing pathlib costs more than reading a small config

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from stat import S_ISREG
from types import NoneType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct, field

from dtm_sdk.document import CONFIG, DocumentError, parse
from dtm_sdk.errors import ConfigError, Problem
from dtm_sdk.options import Json

if TYPE_CHECKING:
    from dtm_sdk.yaml_values import Positions

_COMPARISONS: Final = 10_000
"""How many names one load compares for its suggestions: of up to 0.1 ms each, it may spend that much on advice."""
_WORD: Final = 6
"""From how many characters on a text is masked inside words too, as `options.SECRET_MIN` says."""
_LONGEST: Final = 600
"""Characters of a message that are shown."""
_MARK: Final = re.compile(rb"\[\[|\$\{\{|\\[xuU\r\n]")
"""What may be the mark of a variable or a reference, or the escape of a character of one, or a line's end inside it."""
_GIVE: Final = "give the config with -f FILE or -f FOLDER"
_KINDS: Final = {
    NoneType: "empty",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}


class File(Struct):
    """One file of a config.

    Attributes:
        path: where it is.
        number: files are numbered from 0 in the order they are read.
        data: its bytes.
        documents: the value of each of its documents.
        is_plain: no text in it can hold a variable or a reference, not even by an escape: none has to be looked for.
    """

    path: str
    number: int
    data: bytes = b""
    is_plain: bool = False
    documents: list[Json] = field(default_factory=list)
    _positions: "Positions | None" = None

    def find(self, document: int, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of a value."""
        if self._positions is None:
            from dtm_sdk.yaml_values import Positions

            self._positions = Positions(self.data)
        return self._positions.find(document, path)


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        file: its file.
        document: the number of its document, from 0.
        path: the keys and indexes that lead to it.
    """

    file: File
    document: int
    path: tuple[str | int, ...] = ()

    def at(self, *steps: str | int) -> "Place":
        """The place of something inside of it."""
        return Place(self.file, self.document, self.path + steps)

    def __str__(self) -> str:
        line, column = self.file.find(self.document, self.path)
        return f"{_in_one_line(self.file.path)}:{line}:{column}"


class Report:
    """Collects what is wrong in a config.

    Attributes:
        complete: everything was read, so that what isn't there is missing.
    """

    __slots__ = ("_comparisons", "_problems", "complete")

    def __init__(self) -> None:
        self.complete = True
        self._comparisons = _COMPARISONS
        self._problems: list[tuple[tuple[int, int, int], Problem]] = []

    def __bool__(self) -> bool:
        return bool(self._problems)

    def add(self, place: Place, what: str, hint: str = "") -> None:
        """Something is wrong at a place."""
        line, column = place.file.find(place.document, place.path)
        self._add(place.file, line, column, what, hint)

    def mapping(self, value: Json, place: Place, what: str, known: Mapping[str, str]) -> dict[str, Json] | None:
        """A value that has to be a mapping; None where it is none. That, and unknown keys, are reported.

        Args:
            value: the value.
            place: where it stands.
            what: what it is, for messages.
            known: its keys; one with a text isn't supported, and the text says what to do instead.
        """
        if not isinstance(value, dict):
            keys = ", ".join(_allowed(known))
            self.add(place, f"{what} is a mapping, this is {kind(value)}", f"its keys are {keys}")
            return None
        for key in value:
            instead = known.get(key)
            if instead is None:
                hint = self.suggest(key, _allowed(known)) or f"its keys are {', '.join(_allowed(known))}"
                self.add(place.at(key), f"{what} has no key {key}", hint)
            elif instead:
                self.add(place.at(key), f"{key} isn't supported", instead)
        return value

    def add_unread(self, file: File, error: DocumentError) -> None:
        """A file isn't what `parse` reads."""
        self.complete = False
        self._add(file, error.line, error.column, error.message, error.hint)

    def _add(self, file: File, line: int, column: int, what: str, hint: str) -> None:
        where = f"{_in_one_line(file.path)}:{line}:{column}"
        self._problems.append(((file.number, line, column), Problem(where, what, hint)))

    def add_missing(self, path: str, number: int, what: str, hint: str) -> None:
        """A file or folder isn't there, can't be read or lacks something."""
        self.complete = False
        self._problems.append(((number, 0, 0), Problem(_in_one_line(path), what, hint)))

    def suggest(self, word: str, known: Collection[str]) -> str:
        """A hint that names the nearest of some names; an empty string where none is near."""
        if len(word) > 100 or len(known) > self._comparisons:
            return ""
        self._comparisons -= len(known)
        import difflib

        close = [name for name in known if name.startswith(f"{word}.")] or difflib.get_close_matches(word, known, 1)
        return f"did you mean {close[0]}?" if close else ""

    def raise_any(self, masked: Collection[str] = ()) -> None:
        """End here if something is wrong; messages show `***` in place of some texts.

        Raises:
            ConfigError: with every problem, in the order of files and lines.
        """
        if not self._problems:
            return
        tidy = _tidying(masked)
        self._problems.sort(key=lambda item: item[0])
        raise ConfigError([Problem(where, tidy(what), tidy(hint)) for _, (where, what, hint) in self._problems])


def _allowed(known: Mapping[str, str]) -> list[str]:
    return [key for key, instead in known.items() if not instead]


def kind(value: Json) -> str:
    """What a value is, as the end of a sentence."""
    return _KINDS.get(type(value), "a mapping")


def _tidying(masked: Collection[str]) -> Callable[[str], str]:
    """Makes messages that are one line, can be read, and don't show what they must not.

    This comes last, since in a text that was cut or escaped a mask finds nothing.
    """
    forms: set[str] = set()
    for text in masked:
        forms.update((text, repr(text)[1:-1], msgspec.json.encode(text).decode()[1:-1], *text.splitlines()))
    longest_first = sorted(filter(str.strip, forms), key=len, reverse=True)
    hidden = [re.escape(form) if len(form) >= _WORD else rf"(?<!\w){re.escape(form)}(?!\w)" for form in longest_first]
    pattern = re.compile("|".join(hidden)) if hidden else None

    def tidy(message: str) -> str:
        line = _in_one_line(pattern.sub("***", message) if pattern else message)
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."

    return tidy


def _in_one_line(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def read(path: str, report: Report) -> list[File]:
    """The files that a path stands for: itself, or each *.yaml and *.yml in a folder and below, ordered by their paths.

    What starts with a dot is left out. A file that can't be read is reported, and has no documents.
    """
    paths = _in_folder(path, report) if os.path.isdir(path) else [path]
    if not paths:
        report.add_missing(path, -1, "there is no *.yaml or *.yml file in this folder", _GIVE)
    files = [File(each, number) for number, each in enumerate(paths)]
    for file in files:
        _load(file, report)
    return files


def _in_folder(top: str, report: Report) -> list[str]:
    from pathlib import Path  # it costs as much as a small config

    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    folders = [Path(top)]
    while folders:
        folder = folders.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:  # links may lead in circles
                report.add_missing(str(folder), -1, "links lead to this folder more than once", "remove a link")
                continue
            seen.add((status.st_dev, status.st_ino))
            for entry in folder.iterdir():
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append(entry)
                elif entry.suffix in {".yaml", ".yml"}:
                    found.append(entry)
        except OSError as error:
            report.add_missing(str(folder), -1, _reason(error), "make it readable, or move it out of the folder")
    return [str(path) for path in sorted(found)]


def _load(file: File, report: Report) -> None:
    try:
        if not S_ISREG(os.stat(file.path).st_mode):  # reading a pipe or a device may never end
            report.add_missing(file.path, file.number, "this is no regular file", _GIVE)
            return
        with open(file.path, "rb") as stream:
            file.data = stream.read(CONFIG.size + 1)
        file.documents = parse(file.data)
        file.is_plain = not _MARK.search(file.data)
    except DocumentError as error:
        report.add_unread(file, error)
    except (OSError, ValueError) as error:
        report.add_missing(file.path, file.number, _reason(error), _GIVE)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if type(error) is ValueError:  # in whichever words, of Python, which asks the system for no such path
        return "this can't be read: a path can't hold a NUL character"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"this can't be read: {reason}"
