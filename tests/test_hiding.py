"""A state of the ancestor holds secrets in clear: nothing that dtm writes does."""

from pathlib import Path

from tests.workplace import Workplace

SECRET = "hunter2-hunter2"
ANCESTOR = f"""\
a_probe:
  name: a
  plugin: probe
  options: {{name: a, token: {SECRET}}}
  resource: {{name: a, outputs: {{id: A}}}}
"""


def test_a_secret_of_the_ancestors_state_is_written_as_a_fingerprint(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    (tmp_path / "devstream.state").write_text(ANCESTOR)
    (tmp_path / "a.probe").write_text('{"name": "a", "outputs": {"id": "A"}}')
    tool = "- {name: NAME, plugin: probe, options: {name: NAME, token: '[[ env TOKEN ]]'}}\n"
    place.config("tools:\n" + tool.replace("NAME", "a") + tool.replace("NAME", "b"))
    done = place.run("-y", "apply", env={"TOKEN": SECRET})
    assert done.returncode == 0, done.stdout
    assert "Plugin b(probe) Create done." in done.stdout
    assert "a (probe)" not in done.stdout, "the secret is the same, so there is nothing to do for a"
    written = [path for path in tmp_path.rglob("*") if path.is_file() and ".state" in str(path.relative_to(tmp_path))]
    assert len(written) > 3
    assert "0.yaml" in {path.name for path in written}
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path
