"""What the docs and the config show can be used as it stands."""

from pathlib import Path

import pytest
import yaml

from dtm_localfile import plugin

HERE = Path(__file__).parents[1]
STORY = {"filename": "foo.txt", "content": "hello, world"}


def example(path: Path) -> str:
    """The YAML in a file: all of it, or its one block of it."""
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".yaml" else text.partition("```yaml\n")[2].partition("```")[0]


@pytest.mark.parametrize("name", ["config.yaml", "README.md", "docs/localfile.md", "docs/localfile.zh.md"])
def test_the_example_is_the_storys_and_validates(name: str) -> None:
    (tool,) = yaml.safe_load(example(HERE / name))["tools"]
    assert tool == {"name": "my-file", "plugin": "localfile", "options": STORY}
    assert plugin.parse(tool["options"]) == plugin.options(**STORY)
