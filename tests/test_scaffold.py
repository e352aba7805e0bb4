"""The template of plugins: whichever way a project is made, what is in it, and that it can be filled and updated."""

import difflib
import json
import keyword
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException  # type: ignore[import-untyped]  # it has no types
from copier import run_copy, run_update
from copier.errors import UserMessageError

import dtm_sdk
from dtm_sdk.errors import DtmError, UsageError
from dtm_sdk.scaffold import behind, create_plugin, questions, template
from dtm_sdk.testing.todos import todos
from tests.projects import (
    ANSWERS,
    BIN,
    FILLED,
    NAMES,
    OWNED,
    ROOT,
    TEMPLATE,
    by_cookiecutter,
    by_copier,
    committed,
    filled,
    git,
    installed,
    pairwise,
    raw,
    run,
    served,
    succeeded,
    tree,
)

CREATE = ("dtm", "develop", "create-plugin")
THOROUGH = bool(os.environ.get("DTM_THOROUGH"))
WORLDS = tuple(NAMES)
MATRIX = pairwise(
    {
        "world": WORLDS,
        "license": ["Apache-2.0", "MIT", "LicenseRef-Proprietary"],
        "name": ["a", "s3-bucket-2", "twenty-characters-ok", "x" * 60],
        "description": ["A plugin for dtm.", "Größe & 'Höhe' <b> #1 $HOME 💡 你好世界", "[x](y) | `z` * ~ %"],
        "author": ["The authors", "Zoë O'Neil <zoe@example.org>"],
    }
)
SAMPLED = MATRIX if THOROUGH else MATRIX[:3]
"""Of which each tool of an author is run."""

TAKEN = ["class", "json", "test", "concurrent", "sdk", "options", "create", "read"]
REFUSED = [
    *TAKEN,
    "",
    "Bad",
    "a name",
    "a_b",
    "a.b",
    "a--b",
    "-a",
    "a-",
    "7zip",
    "größe",
    "名",
    "../a",
    "a/b",
    "{{ 1 }}",
    "a\n",
    "a'",
    'a"b',
    "x" * 61,
]


def spelled(name: str) -> str:
    """An id of a test."""
    return name.encode("unicode_escape").decode()[:20] or "empty"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy keeps from one project to the next."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.mark.parametrize("answers", MATRIX, ids=lambda answers: f"{answers['name'][:12]}-{answers['world']}")
def test_copier_and_cookiecutter_make_the_same(answers: dict[str, str], tmp_path: Path) -> None:
    one, other = tree(by_copier(tmp_path / "copier", answers)), tree(by_cookiecutter(tmp_path, answers))
    assert one == other
    assert yaml.safe_load(one[ANSWERS]) == {
        **answers,
        "_commit": f"v{dtm_sdk.__version__}",
        "_src_path": "https://github.com/dtm-sdk/dtm-sdk.git",
    }


@pytest.mark.parametrize("answers", SAMPLED, ids=lambda answers: f"{answers['name'][:12]}-{answers['world']}")
def test_what_is_made_is_built_linted_typed_and_tested(answers: dict[str, str], tmp_path: Path, cache: str) -> None:
    project = by_copier(tmp_path / "project", answers)
    succeeded(project, "ruff", "check", "--no-cache")
    succeeded(project, "ruff", "format", "--check", "--no-cache")
    succeeded(project, "mypy", "--cache-dir", cache)
    env = installed(project, tmp_path / "site")
    assert "2 passed" in succeeded(project, "pytest", env=env)
    assert answers["name"] in succeeded(tmp_path, "dtm", "list", "plugins", env=env).splitlines()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("length", [20, 21, 47, 48, 60])
def test_no_line_gets_too_long_or_out_of_order_by_a_name(world: str, length: int, tmp_path: Path) -> None:
    for letter in ("a", "z"):
        project = by_copier(tmp_path / letter, {"name": letter * length, "world": world})
        succeeded(project, "ruff", "check", "--no-cache")
        succeeded(project, "ruff", "format", "--check", "--no-cache")


def test_each_two_answers_occur_together() -> None:
    every = {(one, other) for case in MATRIX for one in case.values() for other in case.values()}
    assert ("http", "MIT") in every
    assert ("x" * 60, "command") in every
    assert len(MATRIX) < 20


@pytest.mark.filterwarnings("ignore:unclosed scandir iterator:ResourceWarning")  # Copier leaves it, where it refuses
@pytest.mark.parametrize("name", REFUSED, ids=spelled)
def test_a_name_that_can_not_be_is_refused_each_way(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        create_plugin(tmp_path / "project", {"name": name}, ask=False)
    assert "\n" not in str(refused.value)
    with pytest.raises(UserMessageError, match=re.escape(str(refused.value))):
        by_copier(tmp_path / "project", {"name": name})
    if name:  # Cookiecutter's own default takes the place of an empty one, and is refused below
        with pytest.raises((FailedHookException, OSError)):
            by_cookiecutter(tmp_path / "cookiecutter", {"name": name})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], '"" is no name for a plugin: start with a lower-case letter, go on with '),
        (["name=Bad"], '"Bad" is no name for a plugin: start with a lower-case letter, go on with '),
        (["name=json"], '"json" is taken, by Python or by a file of each plugin: choose another name'),
        (["name=x1", "description=a\\b"], "the description is one line of at most 100 characters, without "),
        (["name=x1", "author="], "the author is one line of at most 100 characters, without "),
        (["name=x1", "license=GPL"], '"GPL" is no licence here: it is one of Apache-2.0, MIT, LicenseRef-Proprietary'),
        (["name=x1", "world=moon"], '"moon" is no world: it is one of files, http, command'),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) and value else "",
)
def test_copier_says_in_a_line_what_is_wrong_with_an_answer_that_is_given(
    answers: list[str], said: str, *, root: bool, tmp_path: Path
) -> None:
    shutil.copytree(TEMPLATE, tmp_path / "all" / "templates" / "plugin")
    shutil.copy(ROOT / "copier.yml", tmp_path / "all")
    source = tmp_path / "all" / ("" if root else "templates/plugin")
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        data = [part for answer in answers for part in ("--data", answer)]
        done = run(tmp_path, "copier", "copy", "--defaults", *data, str(source), name)
        assert done.returncode == 1
        first, last = filter(None, done.stdout.splitlines())
        assert first == "Copying from template version None"
        assert f" template path {{{{ answer|mandatory(problem) }}}}: {said}" in last
    assert not (tmp_path / "new").exists()
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("name", ["Bad", "a/b", "a/b/c", "../a", "../../a", "/a", "a/", "..", "a/../b", "json"])
def test_cookiecutter_leaves_nothing_of_a_name_that_it_refuses(name: str, tmp_path: Path) -> None:
    here = tmp_path / "in" / "here"
    (here / "there").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    done = run(here, "cookiecutter", "--no-input", str(TEMPLATE), f"name={name}")
    assert done.returncode == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_cookiecutter_has_no_name_to_offer(tmp_path: Path) -> None:
    with pytest.raises(FailedHookException):
        by_cookiecutter(tmp_path, {})


@pytest.mark.parametrize("question", ["description", "author"])
@pytest.mark.parametrize("text", ["", "a\nb", 'a "b"', "a\\b", "{{ name }}", "a\n", "x" * 101], ids=spelled)
def test_a_text_that_would_break_a_file_is_refused_each_way(question: str, text: str, tmp_path: Path) -> None:
    answers = {"name": "x1", question: text}
    with pytest.raises(UsageError, match="is one line of at most 100 characters"):
        create_plugin(tmp_path / "project", answers, ask=False)
    if text != "{{ name }}":  # Cookiecutter renders it before any hook can look at it
        with pytest.raises(FailedHookException):
            by_cookiecutter(tmp_path, answers)


def test_every_name_of_python_is_taken() -> None:
    listed = json.loads(yaml.safe_load((TEMPLATE / "copier.yml").read_text())["reserved"]["default"])
    names = {name.replace("_", "-") for name in (*sys.stdlib_module_names, *keyword.kwlist)}
    possible = {name for name in names if re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", name)}
    assert possible <= set(listed)


def test_the_two_engines_ask_the_same_and_know_the_version() -> None:
    copier, other = questions(), json.loads((TEMPLATE / "cookiecutter.json").read_text())
    asked = {key for key, entry in copier.items() if isinstance(entry, dict) and entry.get("when") is not False}
    assert asked == {key for key in other if not key.startswith("_")}
    hidden = yaml.safe_load((TEMPLATE / "copier.yml").read_text())
    assert hidden["version"]["default"] == other["_version"] == dtm_sdk.__version__
    assert hidden["repository"]["default"] == other["_repository"]


def test_the_two_engines_have_the_same_defaults(tmp_path: Path) -> None:
    name = {"name": "my-plugin"}
    assert tree(by_copier(tmp_path / "copier", name)) == tree(by_cookiecutter(tmp_path, name))


def test_what_pip_compiles_in_an_installed_template_gets_into_no_project(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE, tmp_path / "template")
    compiled = tmp_path / "template" / "{{cookiecutter.__folder}}" / "tests" / "__pycache__" / "a.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    project = by_copier(tmp_path / "project", {"name": "my-plugin"}, tmp_path / "template")
    assert not list(project.rglob("__pycache__"))


def test_nothing_in_the_template_needs_trust() -> None:
    keys = set(yaml.safe_load((TEMPLATE / "copier.yml").read_text()))
    assert not keys & {"_tasks", "_migrations", "_jinja_extensions"}


# An unfilled project


@pytest.mark.parametrize("world", WORLDS)
def test_an_unfilled_project_has_just_these_places_to_fill(world: str, tmp_path: Path) -> None:
    expected = ROOT / "tests" / "templates" / f"{world}.todos.txt"
    assert "".join(f"{todo}\n" for todo in todos(raw(tmp_path / "project", world))) == expected.read_text()


@pytest.mark.parametrize("world", WORLDS)
def test_each_place_says_which_rules_it_serves(world: str, tmp_path: Path) -> None:
    contract = {"A2", "A3", "A4", "A6", "V4", "V5", "V6", *(f"C{n}" for n in range(1, 8)), "R1", "R2", "R4", "R5", "R6"}
    contract |= {"U1", "U3", "D1", "D2", "D3", "D4", "S1"}
    for todo in todos(raw(tmp_path / "project", world)):
        named = re.findall(r"\b[A-Z]\d\b", todo.text)
        assert todo.path == "README.md" or (named and set(named) <= contract), todo


@pytest.mark.parametrize("world", WORLDS)
def test_the_suite_says_what_is_left_to_fill_and_blocks_what_rests_on_it(world: str, tmp_path: Path) -> None:
    project = raw(tmp_path / "project", world)
    left = todos(project)
    done = run(project, "pytest", "--dtm-conformance", env={"PYTHONPATH": "src", "COLUMNS": "400"})
    assert any(f"blocked by {todo}" in done.stdout for todo in left)
    assert re.search(r"^  \d+ blocked: by TODO \S+:\d+ \(\d+\)", done.stdout, re.MULTILINE)
    assert done.returncode == 1
    assert [str(todo) for todo in left if str(todo) not in done.stdout] == []
    assert {name[:8] for name in re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE)} == {"test_a5_"}


@pytest.mark.parametrize("world", WORLDS)
def test_an_apply_of_an_unfilled_project_fails_with_a_place_to_fill(world: str, tmp_path: Path) -> None:
    project = raw(tmp_path / "project", world)
    env = installed(project, tmp_path / "site")
    src = {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{env['PYTHONPATH']}"}  # as an editable install has it
    done = run(project, "dtm", "-y", "apply", env=src)
    place = next(todo for todo in todos(project) if todo.path.endswith("read.py"))
    assert done.returncode == 1
    assert f"{str(place).removesuffix('.')}; write it" in done.stdout
    assert "Traceback" not in done.stdout
    assert "bug" not in done.stdout


# A filled one


@pytest.mark.parametrize("world", WORLDS)
def test_a_filled_project_keeps_the_contract(world: str, tmp_path: Path, cache: str) -> None:
    project = filled(tmp_path / "project", world)
    assert todos(project) == ()
    succeeded(project, "ruff", "check", "--no-cache")
    succeeded(project, "ruff", "format", "--check", "--no-cache")
    succeeded(project, "mypy", "--cache-dir", cache)
    said = succeeded(project, "pytest", "--dtm-conformance", env={"PYTHONPATH": "src"})
    assert "failed" not in said
    assert "blocked" not in said


class Scene(NamedTuple):
    """Where a filled plugin is at work: a folder with a config, and what it acts on.

    Attributes:
        folder: where `dtm` is run.
        env: to add to its environment.
        look: what the resource says now; None where there is none.
        tamper: make it say something else.
    """

    folder: Path
    env: dict[str, str]
    look: Callable[[], str | None]
    tamper: Callable[[str], object]


@contextmanager
def scene(world: str, tmp_path: Path) -> Iterator[Scene]:
    """A filled plugin, installed."""
    project = filled(tmp_path / "project", world)
    env = installed(project, tmp_path / "site")
    folder = tmp_path / "work"
    folder.mkdir()
    config = folder / "config.yaml"
    shutil.copy(project / "config.yaml", config)
    if world == "files":
        file = folder / "foo.txt"
        yield Scene(folder, env, lambda: file.read_text() if file.exists() else None, file.write_text)
    elif world == "command":
        env["PATH"] = f"{project / 'tests' / 'tool'}{os.pathsep}{os.environ['PATH']}"
        kept = folder / "kept" / "first"
        env["TALLY_HOME"] = str(kept.parent)
        yield Scene(folder, env, lambda: kept.read_text() if kept.exists() else None, kept.write_text)
    else:
        with served(project) as (url, state):
            config.write_text(config.read_text().replace("http://127.0.0.1:8080", url))
            notes = state["notes"]
            yield Scene(
                folder,
                env,
                lambda: notes["first"]["text"] if "first" in notes else None,
                lambda text: notes.update(first={"text": text}),
            )


@pytest.mark.parametrize("world", WORLDS)
def test_a_filled_plugin_is_applied_changed_repaired_and_deleted(world: str, tmp_path: Path) -> None:
    with scene(world, tmp_path) as there:

        def dtm(*arguments: str) -> str:
            return succeeded(there.folder, "dtm", "-y", *arguments, env=there.env)

        assert "Create done" in dtm("apply")
        assert there.look() == "hello, world"
        assert "nothing to do" in dtm("apply")
        config = there.folder / "config.yaml"
        config.write_text(config.read_text().replace("hello, world", "another text"))
        assert "Update done" in dtm("apply")
        assert there.look() == "another text"
        there.tamper("drifted")
        assert "drifted from the state" in dtm("apply")
        assert there.look() == "another text"
        dtm("delete")
        assert there.look() is None


BROKEN = {
    "files": ("src/dtm_localfile/create.py", "save(options.filename, options.content)", "save(options.filename, '')"),
    "http": ("src/dtm_board_note/read.py", 'note["text"]', 'note["text"].upper()'),
    "command": ("src/dtm_tally/create.py", 'run("set", options.name, options.text)', "pass"),
}
"""World -> a file of the filled plugin, what stands there, and what breaks rule C2 in its place."""


@pytest.mark.parametrize("world", WORLDS)
def test_a_plugin_that_is_broken_fails_the_check_of_its_rule(world: str, tmp_path: Path) -> None:
    project = filled(tmp_path / "project", world)
    name, right, wrong = BROKEN[world]
    text = (project / name).read_text()
    assert right in text
    (project / name).write_text(text.replace(right, wrong))
    done = run(project, "pytest", "--dtm-conformance", "-m", "dtm_conformance", env={"PYTHONPATH": "src"})
    assert done.returncode == 1
    assert f"FAILED conformance/{NAMES[world]}::test_c2_" in done.stdout


# dtm develop


def test_dtm_makes_the_same_and_says_what_comes_next(tmp_path: Path) -> None:
    said = succeeded(tmp_path, "dtm", "develop", "create-plugin", "--name=my-plugin", "--data", "world=http")
    assert tree(tmp_path / "my-plugin") == tree(by_copier(tmp_path / "other", {"name": "my-plugin", "world": "http"}))
    for step in ("git status", f"the {len(todos(tmp_path / 'my-plugin'))} places", "--dtm-conformance", "dtm -y apply"):
        assert step in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "Error: the plugin has no name; give it one, as in --name=my-plugin\n"),
        ("--name=Bad", 'Error: "Bad" is no name for a plugin: '),
        ("--name=localfile", "Error: there is a plugin localfile already, in dtm"),
        ("--name=x1 --dir=full", "Error: full is there already; "),
        ("--name=x1 --dir=full/file", "Error: full/file is there already; "),
        ("--name=x1 --data world=moon", 'Error: "moon" is no world: it is one of files, http, command\n'),
        ("--name=x1 --data license=GPL", 'Error: "GPL" is no licence here: it is one of Apache-2.0, '),
        ("--name=x1 --data wrld=http", "Error: the template has no question 'wrld'; did you mean world?\n"),
        ("--name=x1 --data colour=red", "Error: the template has no question 'colour'; there are name, description, "),
        ("--name=x1 --data world", "Error: Invalid value for --data: 'world' is no KEY=VALUE; "),
    ],
)
def test_what_can_not_be_is_said_in_one_line_and_nothing_is_made(arguments: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    before = tree(tmp_path)
    done = run(tmp_path, "dtm", "develop", "create-plugin", *arguments.split())
    assert done.returncode == 2
    assert done.stdout.startswith(said)
    assert done.stdout.count("\n") == 1
    assert tree(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*missing to make it in; make that first"):
        create_plugin(tmp_path / "missing" / "project", {"name": "x1"}, ask=False)
    with pytest.raises(DtmError, match="can't be written: File name too long; look at the folder"):
        create_plugin(tmp_path / ("x" * 256), {"name": "x1"}, ask=False)


def test_without_copier_it_says_how_to_install_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['copier'] = None; from dtm_sdk.cli import dispatch; sys.exit(dispatch(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "develop", "create-plugin", "--name=x1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.endswith("; pip install 'dtm-sdk[scaffold]'\n")
    assert done.stderr.count("\n") == 1


def test_copier_is_imported_for_nothing_else() -> None:
    code = (
        "import sys; from dtm_sdk.cli import dispatch as run\n"
        "for arguments in (['develop', '--help'], ['develop', 'create-plugin', '--help'], ['develop', 'docs', '/']):\n"
        "    run(arguments)\n"
        "print(sorted({'copier', 'cookiecutter', 'jinja2', 'pytest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def at_a_terminal(folder: Path, *answers: tuple[str, str], command: Sequence[str] = CREATE) -> tuple[int, str]:
    """What a command ends with and shows; each answer is typed once what it answers is shown."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "dumb"}
    started = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, left = "", list(answers)
    while True:
        try:
            shown += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        if left and left[0][0] in shown:
            os.write(ours, left.pop(0)[1].encode())
    code = started.wait()
    os.close(ours)
    return code, shown


def test_at_a_terminal_a_name_is_asked_for_until_it_can_be_and_the_questions_can_be_left(tmp_path: Path) -> None:
    wrong, right = ("Name of the plugin: ", "Bad\n"), ("single hyphens\r\nName of the plugin: ", "my-plugin\n")
    code, shown = at_a_terminal(tmp_path, wrong, right, ("What it manages, in a sentence", "\x03"))
    assert 'Error: "Bad" is no name for a plugin' in shown
    assert code == 130
    assert not list(tmp_path.iterdir())


def test_at_a_terminal_what_is_given_is_looked_at_before_anything_is_asked(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, command=[*CREATE, "--name=x1", "--data", "world=moon"])
    assert (code, shown.count("\n")) == (2, 1)
    assert shown.startswith('Error: "moon" is no world: ')


def test_copier_checks_an_answer_as_it_is_typed(tmp_path: Path) -> None:
    copy = ["copier", "copy", str(TEMPLATE), "project", "--data", "description=d", "--data", "author=a"]
    typed = [("Name of the plugin", "Bad\n"), ("is no name for a plugin", "\x7f\x7f\x7fx1\n")]
    code, shown = at_a_terminal(tmp_path, *typed, ("Its licence", "\n"), ("What it acts on", "\n"), command=copy)
    assert code == 0, shown
    assert tree(tmp_path / "project") == tree(
        by_copier(tmp_path / "other", {"name": "x1", "description": "d", "author": "a"})
    )


@pytest.mark.parametrize("world", WORLDS)
def test_the_docs_are_written_from_the_options(world: str, tmp_path: Path) -> None:
    project = raw(tmp_path / "project", world)
    options = project / "src" / f"dtm_{NAMES[world].replace('-', '_')}" / "options.py"
    described = 'description="How large it is | at most."'
    field = f"    size: Annotated[int, Meta({described})]\n\n\n# TODO"
    text = options.read_text().replace("\n\n\n# TODO", f"\n{field}", 1)
    options.write_text(re.sub(r'^    (\{".*)\},', r'    \1, "size": 3},', text, flags=re.MULTILINE))
    checked = run(project, "dtm", "develop", "docs", "--check")
    assert checked.returncode == 1
    assert {line.partition(":")[0] for line in checked.stdout.splitlines()} == {
        f"docs/{NAMES[world]}.md",
        f"docs/{NAMES[world]}.zh.md",
        "config.yaml",
    }
    before = tree(project)
    chinese = project / "docs" / f"{NAMES[world]}.zh.md"
    translated = re.sub(r"^(\| `.*\|) [^|]* \|$", r"\1 一句话 |", chinese.read_text(), flags=re.MULTILINE)
    chinese.write_text(translated)
    succeeded(project, "dtm", "develop", "docs")
    assert succeeded(project, "dtm", "develop", "docs", "--check") == "The docs are in step with the options.\n"
    english = (project / "docs" / f"{NAMES[world]}.md").read_text()
    assert re.search(r"^\| `size` \| integer \| yes \| +\| How large it is \\\| at most\. \|$", english, re.MULTILINE)
    assert "| 一句话 |" in chinese.read_text()
    assert "| `size` | integer | 是 |" in chinese.read_text()
    assert yaml.safe_load((project / "config.yaml").read_text())["tools"][0]["options"]["size"] == 3
    changed = {path for path, data in tree(project).items() if before.get(path) != data}
    assert {path for path in changed if "__pycache__" not in path} == {
        f"docs/{NAMES[world]}.md",
        f"docs/{NAMES[world]}.zh.md",
        "config.yaml",
    }


def test_the_doctor_says_what_is_left(tmp_path: Path) -> None:
    project = raw(tmp_path / "project", "files")
    (project / ANSWERS).write_text((project / ANSWERS).read_text().replace(dtm_sdk.__version__, "0.0.9"))
    (project / "docs" / "localfile.md").write_text("# localfile\n")
    done = run(project, "dtm", "develop", "doctor")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[:-3] == [str(todo) for todo in todos(project)]
    assert lines[-3].startswith("template: it was made by the template v0.0.9, ")
    assert lines[-2:] == [
        "docs/localfile.md: it has no table of options",
        "docs/localfile.md: it has no example",
    ]


def test_the_doctor_is_content_with_a_filled_project_and_sees_a_broken_one(tmp_path: Path) -> None:
    project = filled(tmp_path / "project", "files")
    assert succeeded(project, "dtm", "develop", "doctor") == "Nothing is left to do.\n"
    name, right, wrong = BROKEN["files"]
    (project / name).write_text((project / name).read_text().replace(right, wrong))
    done = run(tmp_path, "dtm", "develop", "validate-plugin", "project")
    assert done.returncode == 1
    assert done.stdout.startswith("localfile: ")
    assert "\n  test_c2_" in done.stdout
    assert done.stdout in run(project, "dtm", "develop", "doctor").stdout


def test_who_waits_for_the_suite_at_a_terminal_is_told_that_it_runs(tmp_path: Path) -> None:
    project = filled(tmp_path / "project", "files")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dtm_sdk", "develop", "doctor"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        with os.fdopen(ours) as terminal:
            assert terminal.readline() == "The conformance suite runs; it takes a minute or so.\n"
            os.killpg(process.pid, signal.SIGKILL)  # with the suite that it has started


@pytest.mark.parametrize("command", ["docs", "doctor", "validate-plugin"])
@pytest.mark.parametrize("folder", [".", "missing"])
def test_a_folder_without_a_plugin_is_said_in_one_line(command: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    done = run(tmp_path, "dtm", "develop", command, folder)
    assert done.returncode in {1, 2}
    assert "pyproject.toml declares no plugin; " in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_plugin_that_can_not_be_imported_is_said_in_one_line(tmp_path: Path) -> None:
    project = filled(tmp_path / "project", "files")
    (project / "src" / "dtm_localfile" / "__init__.py").write_text("import missing\n")
    for command in ("docs", "doctor", "validate-plugin"):
        done = run(project, "dtm", "develop", command)
        assert done.returncode == 1, command
        assert "can't be imported: ModuleNotFoundError: No module named 'missing'; " in done.stdout
        assert done.stdout.count("\n") == 1, done.stdout


def test_without_pytest_validate_plugin_says_how_to_install_it(tmp_path: Path) -> None:
    project = raw(tmp_path / "project", "files")
    code = (
        "import sys; sys.modules['pytest'] = None; from dtm_sdk.cli import dispatch; sys.exit(dispatch(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "develop", "validate-plugin", str(project)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the conformance suite is run by pytest, which isn't installed; pip install 'dtm-sdk[testing]'\n"
    )


@pytest.mark.parametrize("text", ["{", "[]", "_src_path: a\n"])
def test_an_answers_file_that_was_damaged_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / ANSWERS).write_text(text)
    with pytest.raises(DtmError, match=r"\.copier-answers\.yml can't be read: .*; take it back from git"):
        behind(tmp_path)


# Updates


class Repository(NamedTuple):
    """A repository with two versions of the template, which differ in three tooling files and in a body.

    Attributes:
        folder: where it is.
        old: a copy of the older version.
    """

    folder: Path
    old: Path


MINE = {"name": "my-plugin", "world": "http"}
OLDER = {
    "{{cookiecutter.__folder}}/pyproject.toml": ("line-length = 120", "line-length = 100"),
    "{{cookiecutter.__folder}}/.gitignore": ("dist/\n", ""),
    "{{cookiecutter.__folder}}/.github/workflows/test.yml": ('"3.13"', '"3.12"'),
    "{{cookiecutter.__folder}}/src/{{cookiecutter.__package}}/create.py": ("Make the resource", "Make a resource"),
    "copier.yml": (f'default: "{dtm_sdk.__version__}"', 'default: "0.0.9"'),
    "cookiecutter.json": (f'"_version": "{dtm_sdk.__version__}"', '"_version": "0.0.9"'),
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The template as it is, tagged with our version, and an older one."""
    made = Repository(tmp_path_factory.mktemp("repository"), tmp_path_factory.mktemp("old"))
    for folder in made:
        shutil.copy(ROOT / "copier.yml", folder)
        shutil.copytree(ROOT / "templates", folder / "templates")
    now = tree(made.folder)
    for folder in made:
        for name, (new, old) in OLDER.items():
            path = folder / "templates" / "plugin" / name
            assert new in path.read_text()
            path.write_text(path.read_text().replace(new, old, 1))
    committed(made.folder, "v0.0.9")
    for name, data in now.items():
        (made.folder / name).write_bytes(data)
    committed(made.folder, f"v{dtm_sdk.__version__}")
    return made


def from_git(folder: Path, made: Repository) -> Path:
    run_copy(str(made.folder), folder, data=MINE, defaults=True, quiet=True, vcs_ref="v0.0.9")
    return folder


def from_package(folder: Path, made: Repository) -> Path:
    return by_copier(folder, {**MINE, "repository": str(made.folder)}, made.old / "templates" / "plugin")


def from_cookiecutter(folder: Path, made: Repository) -> Path:
    return by_cookiecutter(folder, {**MINE, "_repository": str(made.folder)}, made.old / "templates" / "plugin")


@pytest.mark.parametrize("make", [from_git, from_package, from_cookiecutter])
def test_an_update_brings_the_tooling_and_leaves_what_its_author_wrote(
    make: Callable[[Path, Repository], Path], repository: Repository, tmp_path: Path
) -> None:
    project = make(tmp_path / "project", repository)
    assert "line-length = 100" in (project / "pyproject.toml").read_text()
    committed(project)
    written = {path: f"# by its author\n{data.decode()}" for path, data in tree(project).items() if is_owned(path)}
    for path, text in written.items():
        (project / path).write_text(text)
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('version = "0.1.0"', 'version = "3.0.0"'))
    committed(project)
    assert behind(project).startswith("it was made by the template v0.0.9, ")
    run_update(project, defaults=True, overwrite=True, quiet=True, unsafe=False)
    now, new = tree(project), tree(by_copier(tmp_path / "new", MINE))
    assert {path: now[path].decode() for path in written} == written
    assert len(written) == sum(map(is_owned, new))
    expected = {path: data for path, data in new.items() if not is_owned(path) and path != ANSWERS}
    expected["pyproject.toml"] = expected["pyproject.toml"].replace(b'version = "0.1.0"', b'version = "3.0.0"')
    assert {path: data for path, data in now.items() if not is_owned(path) and path != ANSWERS} == expected
    assert behind(project) == ""


def is_owned(path: str) -> bool:
    """Whether the author of a plugin owns a file."""
    return path.startswith(OWNED)


def test_what_the_author_owns_is_what_the_template_skips() -> None:
    skipped = yaml.safe_load((TEMPLATE / "copier.yml").read_text())["_skip_if_exists"]
    assert {pattern.lstrip("/") for pattern in skipped} == set(OWNED)


REFUSING = """\
def hook(event, given):
    if event == 'socket.connect' or (event == 'subprocess.Popen' and 'git' in str(given)):
        raise SystemExit(f'{event} {given}')
"""
GUARD = f"import sys; exec({REFUSING!r}); sys.addaudithook(hook)"
"""A line of a .pth file (docs.python.org, `site`): whatever asks the network, or starts git, ends."""


def test_an_installed_wheel_makes_a_plugin_without_network_and_git_and_it_can_be_updated(
    repository: Repository, tmp_path: Path
) -> None:
    if not (ROOT / "dtm_sdk").is_dir():
        pytest.skip("there is nothing to build a wheel from; what is installed is what the other tests use")
    build = ["python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    succeeded(tmp_path, *build)
    (wheel,) = tmp_path.glob("*.whl")
    succeeded(tmp_path, "python", "-m", "venv", "--without-pip", "venv")
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    succeeded(tmp_path, "python", "-m", "pip", "--python", "venv/bin/python", "install", *options, str(wheel))
    packages = Path(yaml.__file__).parents[1]
    (site / "guard.pth").write_text(f"{packages}\n{GUARD}")
    data = ["--data", f"repository={repository.folder}"]
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "dtm", "develop", "create-plugin", "--name=my-plugin", *data],
        cwd=tmp_path,
        env={"PATH": str(tmp_path / "venv" / "bin"), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    project = tmp_path / "my-plugin"
    made, expected = tree(project), tree(by_copier(tmp_path / "other", {"name": "my-plugin"}))
    assert {**made, ANSWERS: b""} == {**expected, ANSWERS: b""}
    committed(project)
    newer = tmp_path / "newer"
    git(tmp_path, "clone", "--quiet", str(repository.folder), "newer")
    ignored = newer / "templates" / "plugin" / "{{cookiecutter.__folder}}" / ".gitignore"
    ignored.write_text(f"{ignored.read_text()}newer/\n")
    committed(newer, "v99.0.0")
    answers = project / ANSWERS
    answers.write_text(answers.read_text().replace(str(repository.folder), str(newer)))
    committed(project)
    run_update(project, defaults=True, overwrite=True, quiet=True, unsafe=False)
    assert (project / ".gitignore").read_text().endswith("newer/\n")
    assert "v99.0.0" in answers.read_text()


def test_the_template_is_read_from_where_it_is_written(tmp_path: Path) -> None:
    if not (ROOT / "dtm_sdk").is_dir():
        pytest.skip("the package is installed, not edited here")
    assert template() == TEMPLATE


# The example plugins


@pytest.mark.parametrize("folder", sorted((ROOT / "example_plugins").iterdir()), ids=lambda folder: folder.name)
def test_an_example_plugin_has_not_fallen_behind_the_template(folder: Path, tmp_path: Path) -> None:
    answers = {key: text for key, text in yaml.safe_load((folder / ANSWERS).read_text()).items() if key[0] != "_"}
    new = tree(by_copier(tmp_path / "new", answers))
    here = {path: (folder / path).read_bytes() if (folder / path).exists() else b"" for path in new}
    stale = [path for path in new if not is_owned(path) and here[path] != new[path]]
    again = " ".join(f"-d {key}={text!r}" for key, text in answers.items())
    assert stale == [], f"copier copy --force {again} templates/plugin example_plugins/{folder.name}"
    assert [path for path in new if is_owned(path) and not (folder / path).exists()] == []


def test_the_lines_that_the_author_of_localfile_filled_in_are_few(tmp_path: Path) -> None:
    """Lines of code that the template doesn't have; blank lines and docstrings are none."""
    new, example = raw(tmp_path / "new", "files"), FILLED["files"]
    added = [
        line[2:].strip()
        for path in sorted((example / "src").rglob("*.py"))
        for line in difflib.ndiff(
            (new / path.relative_to(example)).read_text().splitlines(), path.read_text().splitlines()
        )
        if line.startswith("+ ")
    ]
    count = sum(bool(line) and not line.startswith('"""') for line in added)
    assert count <= 40
    assert f"{count} lines of Python" in " ".join((ROOT / "README.md").read_text().split())
    assert f"{count} lines of Python" in " ".join((example / "README.md").read_text().split())
