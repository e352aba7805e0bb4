"""The pages of a plugin's repository that repeat its options: what each should say, beside what it says.

The table of options is that of the schema; in Chinese with the descriptions that its author has given. An example of a
config is right as long as the plugin takes it: what else its author wrote there stays.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from dtm_sdk.docs import HEADING, config_example, options_table
from dtm_sdk.errors import DtmError, OptionsError
from dtm_sdk.plugin import Plugin

CHINESE: Final = "| 选项 | 类型 | 必填 | 默认值 | 说明 |"
TITLES: Final = {HEADING: ("## Options", "## Example"), CHINESE: ("## 选项", "## 示例")}
VARIABLE: Final = re.compile(r"\[\[\s*env\s+\w+\s*\]\]")
FENCE: Final = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page(Struct, frozen=True):
    """A file, as it should be.

    Attributes:
        path: of it, from the repository.
        text: what it should hold.
        wrong: what isn't so now; empty where it is in step.
    """

    path: Path
    text: str
    wrong: tuple[str, ...]


def pages(root: Path, plugin: Plugin) -> Iterator[Page]:
    """The docs page, the Chinese one where there is one, and the examples in README.md and config.yaml.

    Raises:
        DtmError: a file can't be read.
    """
    docs = Path("docs")
    for path, header in ((docs / f"{plugin.name}.md", HEADING), (docs / f"{plugin.name}.zh.md", CHINESE)):
        if header == HEADING or (root / path).exists():
            yield _docs_page(path, _read(root / path) or f"# {plugin.name}\n", header, plugin)
    readme, config = _read(root / "README.md"), _read(root / "config.yaml")
    if readme and FENCE.search(readme) and plugin.name in readme:
        text, wrong = _with_example(readme, "", plugin)
        yield Page(Path("README.md"), text, wrong)
    if config:
        right = _is_example(config, plugin)
        yield Page(Path("config.yaml"), config if right else _example(plugin), () if right else (_REFUSED,))


def write(root: Path, page: Page) -> None:
    """Put a page in its place, whole or not at all.

    Raises:
        DtmError: it can't be done.
    """
    target = root / page.path
    try:
        target.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8") as file:
            file.write(page.text)
            file.flush()
            os.fsync(file.fileno())
        beside = Path(file.name)
        beside.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        beside.replace(target)
    except OSError as error:
        raise DtmError(f"{target} can't be written: {error.strerror}", "look at the folder that it is in") from error


_REFUSED: Final = "its example is no config that the plugin takes"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DtmError(f"{path} can't be read: {error}", "it is to be a text in UTF-8") from error


def _docs_page(path: Path, text: str, header: str, plugin: Plugin) -> Page:
    table_title, example_title = TITLES[header]
    tabled, table_wrong = _with_table(text, header, table_title, plugin)
    whole, example_wrong = _with_example(tabled, example_title, plugin)
    return Page(path, whole, (*table_wrong, *example_wrong))


def _with_table(text: str, header: str, title: str, plugin: Plugin) -> tuple[str, tuple[str, ...]]:
    """A text with the right table in place of the one that has this header."""
    first = r" *\| *".join(["", *map(re.escape, _cells(header)), ""])
    found = re.search(rf"^{first}\n(\|.*\n?)*", text, re.MULTILINE)
    now = found[0].rstrip("\n") if found else ""
    table = options_table(plugin) if header == HEADING else _chinese(options_table(plugin), now)
    if [_cells(row) for row in now.splitlines()] == [_cells(row) for row in table.splitlines()]:
        return text, ()
    if found:
        return text.replace(now, table, 1), ("its table of options says another thing than the options",)
    return f"{text.rstrip()}\n\n{title}\n\n{table}\n", ("it has no table of options",)


def _chinese(table: str, now: str) -> str:
    """The table in Chinese, with the descriptions that stand in the present one."""
    described = {cells[0]: cells[-1] for cells in map(_cells, now.splitlines())}
    _, rule, *rows = table.splitlines()
    lines = [CHINESE, rule]
    for option, kind, required, default, description in map(_cells, rows):
        needed = "是" if required == "yes" else "否"
        cells = [option, kind, needed, default, described.get(option, description)]
        lines.append("".join(f"| {cell} " if cell else "| " for cell in cells) + "|")
    return "\n".join(lines)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def _with_example(text: str, title: str, plugin: Plugin) -> tuple[str, tuple[str, ...]]:
    """A text whose first block of YAML is a config that the plugin takes."""
    found = FENCE.search(text)
    if found and _is_example(found[1], plugin):
        return text, ()
    if found:
        return text[: found.start(1)] + _example(plugin) + text[found.end(1) :], (_REFUSED,)
    return f"{text.rstrip()}\n\n{title}\n\n```yaml\n{_example(plugin)}```\n", ("it has no example",)


def _is_example(text: str, plugin: Plugin) -> bool:
    """Whether a text is a config in which each tool of the plugin is valid, and there is one."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    tools = document.get("tools") if isinstance(document, Mapping) else None
    entries = tools if isinstance(tools, Sequence) and not isinstance(tools, str) else []
    mine = [tool for tool in entries if isinstance(tool, Mapping) and tool.get("plugin") == plugin.name]
    return bool(mine) and all(_is_valid(tool.get("options") or {}, plugin) for tool in mine)


def _is_valid(options: Any, plugin: Plugin) -> bool:
    """Whether options are valid with what some example has in place of the variables of the environment."""
    for example in [*plugin.examples, {}]:
        with suppress(OptionsError):
            plugin.parse(_filled(options, example))
            return True
    return False


def _filled(value: Any, example: Any) -> Any:
    if isinstance(value, Mapping):
        known = example if isinstance(example, Mapping) else {}
        return {key: _filled(item, known.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, None) for item in value]
    sample = example if isinstance(example, str) else "a-sample-of-a-secret"
    return VARIABLE.sub(lambda _: sample, value) if isinstance(value, str) else value


def _example(plugin: Plugin) -> str:
    return f"{config_example(plugin)}\n"
