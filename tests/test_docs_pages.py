"""The pages that repeat the options of a plugin: when they are out of step, and what is written then."""

from pathlib import Path
from typing import Annotated, NoReturn

import pytest
import yaml

from dtm_sdk import Identity, Meta, Options, Secret
from dtm_sdk.docs import options_table
from dtm_sdk.docs_pages import Page, pages, write
from dtm_sdk.errors import DtmError
from dtm_sdk.plugin import Plugin


class ThingOptions(Options):
    name: Annotated[Identity[str], Meta(description="Its name.")]
    size: Annotated[int, Meta(description="How large | it is.")] = 1


def unused(options: ThingOptions) -> NoReturn:
    raise AssertionError


PLUGIN = Plugin(
    name="thing",
    options=ThingOptions,
    examples=[{"name": "a", "size": 2}],
    create=unused,
    read=unused,
    update=unused,
    delete=unused,
)
RIGHT = f"""\
# thing

{options_table(PLUGIN)}

Its author's words.

```yaml
tools:
- {{name: mine, plugin: thing, options: {{name: b}}}}
```

More of them.
"""


def made(folder: Path, **files: str) -> None:
    """Files in a folder; `docs__a_md` stands for docs/a.md."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def wrong(folder: Path) -> dict[str, tuple[str, ...]]:
    """What isn't in step, by file."""
    return {str(page.path): page.wrong for page in pages(folder, PLUGIN) if page.wrong}


def brought_in_step(folder: Path) -> None:
    for page in pages(folder, PLUGIN):
        if page.wrong:
            write(folder, page)


def test_what_says_the_same_is_in_step_and_its_spaces_do_not_matter(tmp_path: Path) -> None:
    made(tmp_path, docs__thing_md=RIGHT.replace("| `", "|   `").replace("| Type", "|  Type"))
    assert wrong(tmp_path) == {}


def test_a_page_that_is_missing_is_made(tmp_path: Path) -> None:
    assert wrong(tmp_path) == {"docs/thing.md": ("it has no table of options", "it has no example")}
    brought_in_step(tmp_path)
    text = (tmp_path / "docs" / "thing.md").read_text()
    assert text.startswith(f"# thing\n\n## Options\n\n{options_table(PLUGIN)}\n\n## Example\n\n```yaml\n")
    assert wrong(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Its name.", "His name."),
        ("| `1` |", "| `2` |"),
        ("| integer |", "| number |"),
        ("| `name` |", "| `names` |"),
        ("| yes |", "| no |"),
    ],
)
def test_a_table_that_says_another_thing_is_replaced_and_all_else_stays(old: str, new: str, tmp_path: Path) -> None:
    assert old in RIGHT
    made(tmp_path, docs__thing_md=RIGHT.replace(old, new))
    assert wrong(tmp_path) == {"docs/thing.md": ("its table of options says another thing than the options",)}
    brought_in_step(tmp_path)
    assert (tmp_path / "docs" / "thing.md").read_text() == RIGHT


@pytest.mark.parametrize(
    "tool",
    [
        "{name: mine, plugin: thing, options: {name: 1}}",
        "{name: mine, plugin: thing}",
        "{name: mine, plugin: other, options: {name: b}}",
        "[mine]",
        "}",
    ],
)
def test_an_example_that_is_not_taken_is_replaced_wherever_it_stands(tool: str, tmp_path: Path) -> None:
    stale = RIGHT.replace("{name: mine, plugin: thing, options: {name: b}}", tool)
    assert stale != RIGHT
    made(tmp_path, docs__thing_md=stale, README_md=stale, config_yaml=f"tools:\n- {tool}\n")
    reason = ("its example is no config that the plugin takes",)
    assert wrong(tmp_path) == dict.fromkeys(("docs/thing.md", "README.md", "config.yaml"), reason)
    brought_in_step(tmp_path)
    assert wrong(tmp_path) == {}
    tools = [{"name": "my-thing", "plugin": "thing", "options": {"name": "a", "size": 2}}]
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"tools": tools}
    for name in ("docs/thing.md", "README.md"):
        before, _, rest = (tmp_path / name).read_text().partition("```yaml\n")
        example, _, after = rest.partition("```\n")
        assert yaml.safe_load(example) == {"tools": tools}
        assert (before, after) == (RIGHT.partition("```yaml\n")[0], "\nMore of them.\n")


def test_the_chinese_page_keeps_its_words_for_the_options_that_are_still_there(tmp_path: Path) -> None:
    head = "# thing\n\n| 选项 | 类型 | 必填 | 默认值 | 说明 |\n|---|---|---|---|---|\n"
    example = RIGHT[RIGHT.index("```yaml") :]
    made(
        tmp_path,
        docs__thing_md=RIGHT,
        docs__thing_zh_md=f"{head}| `gone` | string | 是 | | 旧的 |\n| `name` | string | 否 | | 名字 |\n\n{example}",
    )
    assert list(wrong(tmp_path)) == ["docs/thing.zh.md"]
    brought_in_step(tmp_path)
    rows = "| `name` | string | 是 | | 名字 |\n| `size` | integer | 否 | `1` | How large \\| it is. |\n"
    assert (tmp_path / "docs" / "thing.zh.md").read_text() == f"{head}{rows}\n{example}"


def test_a_page_that_can_not_be_read_or_written_is_named(tmp_path: Path) -> None:
    made(tmp_path, docs__thing_md=RIGHT)
    (tmp_path / "README.md").write_bytes(b"\xff")
    with pytest.raises(DtmError, match=r"README.md can't be read: .*; it is to be a text in UTF-8"):
        wrong(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DtmError, match=r"can't be written: .*; look at the folder that it is in"):
        write(tmp_path, Page(Path("file/thing.md"), "", ()))


def test_a_page_keeps_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    made(tmp_path, docs__thing_md="# thing\n")
    (tmp_path / "docs" / "thing.md").chmod(0o640)
    brought_in_step(tmp_path)
    assert (tmp_path / "docs" / "thing.md").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["thing.md"]


def test_an_example_with_a_variable_is_valid_with_what_an_example_of_the_plugin_has(tmp_path: Path) -> None:
    """As the page that is made: what `validate` says of the text of the variable itself says nothing."""

    class TokenOptions(Options):
        name: Annotated[Identity[str], Meta(description="Its name.")]
        token: Annotated[Secret, Meta(description="Its token.")]

    plugin = Plugin(
        name="thing",
        options=TokenOptions,
        examples=[{"name": "a", "token": "a-token"}],
        validate=lambda options: ["token has a space"] if " " in options.token.reveal() else [],
        create=unused,
        read=unused,
        update=unused,
        delete=unused,
    )
    for page in pages(tmp_path, plugin):
        write(tmp_path, page)
    assert "[[ env " in (tmp_path / "docs" / "thing.md").read_text()
    assert not any(page.wrong for page in pages(tmp_path, plugin))
