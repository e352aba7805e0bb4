"""A right plugin that keeps a setting in a JSON file, which is made for the first one and removed with the last one."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State
from dtm_sdk.testing import FileWorld

Settings = dict[str, dict[str, Any]]
"""What is in a file: key -> value and remark."""


class SettingOptions(Options):
    """Options of the setting plugin."""

    file: Annotated[Identity[str], Meta(min_length=1, description="Name of the file.")]
    key: Annotated[Identity[str], Meta(min_length=1, description="Name of the setting in it.")]
    value: Annotated[str, Meta(description="What it is set to.")]
    remark: Annotated[str, Meta(description="What it is for.")] = ""


EXAMPLES: list[dict[str, Any]] = [
    {"file": "app.json", "key": "colour", "value": "red"},
    {"file": "app.json", "key": "colour", "value": "blue", "remark": "as the sea"},
    {"file": "log.json", "key": "level", "value": "info"},
]


def validate(options: SettingOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.file, options.key, options.value, options.remark]
    messages = []
    if any(0xD800 <= ord(char) < 0xE000 for text in texts for char in text):
        messages.append("a text holds half a character")
    if "/" in options.file or "\0" in options.file or options.file in {".", ".."} or len(options.file) > 60:
        messages.append("file is a name of at most 60 characters, without '/' and NUL")
    return messages


def parsed(path: str, text: str) -> Settings:
    """The settings in the text of a file."""
    try:
        settings: Settings = json.loads(text)
        if all({"value", "remark"} == each.keys() for each in settings.values()):
            return settings
    except (ValueError, AttributeError, RecursionError):
        pass
    raise PluginError(f"{path} holds no settings", "look at it")


def load(path: str) -> Settings:
    """The settings of a file; none where there is no file, or nothing in it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
            return parsed(path, text) if text else {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"{path} can't be read: {error}", "look at it") from error


@contextmanager
def locked() -> Iterator[int]:
    """Inside, nobody else who asks changes a file of the folder; the folder's descriptor."""
    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def put(options: SettingOptions, setting: dict[str, Any] | None) -> None:
    """Put a setting into its file; None takes it out."""
    try:
        with locked() as folder:
            with suppress(FileNotFoundError):  # of a run that died
                os.unlink(f".{options.file}.tmp")
            settings = load(options.file)
            if settings.get(options.key) != setting:
                save(options.file, changed(settings, options.key, setting))
                os.fsync(folder)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error


def changed(settings: Settings, key: str, setting: dict[str, Any] | None) -> Settings:
    """The settings with another one under a key; None takes it out."""
    others = {name: each for name, each in settings.items() if name != key}
    return {**others, key: setting} if setting else others


def text_of(settings: Settings) -> str:
    """The text of a file, in the order of the alphabet."""
    return json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False)


def save(path: str, settings: Settings) -> None:
    """Write the file, whole; without settings there is none."""
    if not settings:
        os.unlink(path)
        return
    beside = f".{path}.tmp"
    try:
        with open(beside, "x", encoding="utf-8") as file:
            file.write(text_of(settings))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def wanted(options: SettingOptions) -> dict[str, Any]:
    """The setting as the options say."""
    return {"value": options.value, "remark": options.remark}


def create(options: SettingOptions) -> State:
    """Make the setting."""
    put(options, wanted(options))
    return {"file": options.file, "key": options.key, **wanted(options)}


def read(options: SettingOptions) -> State | None:
    """Describe the setting."""
    found = load(options.file).get(options.key)
    return {"file": options.file, "key": options.key, **found} if found else None


def update(options: SettingOptions) -> State:
    """Change the setting."""
    return create(options)


def delete(options: SettingOptions) -> bool:
    """Take the setting out."""
    put(options, None)
    return True


world = FileWorld

plugin = Plugin(
    name="setting",
    options=SettingOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
