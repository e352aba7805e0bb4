import os
import re
import shutil
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from dtm_sdk.backends import Fit, Keyed, Loaded, as_it_is
from dtm_sdk.backends.local import BACKUPS, LocalBackend, open_local
from dtm_sdk.errors import LockedError, StateError
from dtm_sdk.state import Begin, Drop, End, Entry, Put, Record, State
from dtm_sdk.state_text import dump, load
from tests.backends.suite import A, B, BackendSuite, C, commit, die, racing
from tests.children import can_mount, on_tmpfs, others_folder, python, said, started, tell
from tests.records import LINEAGE, record, state

STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")
MOUNT = pytest.mark.skipif(not can_mount(), reason="a file system can't be mounted here")
OPEN = Begin(1, "create", B)
THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether a race is run a hundred times, and each byte damaged: `DTM_THOROUGH=1 pytest tests/backends`."""
STEP = 1 if THOROUGH else 31


class LocalPlace:
    """A state file in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = "from dtm_sdk.backends.local import LocalBackend\nbackend = LocalBackend('devstream.state')\n"
        self.state = folder / "devstream.state"
        self.own = folder / ".devstream.state.d"

    def backend(self, *, fit: Fit = as_it_is) -> LocalBackend:
        return LocalBackend(str(self.state), fit)

    def meddle(self) -> None:
        self.state.write_bytes(self.state.read_bytes().replace(b"hello", b"HELLO"))

    def files(self) -> dict[str, tuple[bytes, int, int]]:
        """Path -> content, inode and time of all files but the lock."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "lock")
        return {str(path): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


@pytest.fixture
def place(tmp_path: Path) -> LocalPlace:
    return LocalPlace(tmp_path)


class TestLocalBackend(BackendSuite):
    @pytest.fixture
    def place(self, tmp_path: Path) -> LocalPlace:
        return LocalPlace(tmp_path)


# Where it is


def test_the_state_is_in_the_working_directory_unless_the_config_says_where(tmp_path: Path) -> None:
    assert open_local({}, str(tmp_path)).describe() == "devstream.state"
    assert open_local({"stateFile": "a/b.state"}, "c").describe() == "c/a/b.state"
    assert open_local({"stateFile": str(tmp_path / "b")}, "c").describe() == str(tmp_path / "b")
    assert open_local({"stateFile": "b"}).describe() == "b"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statefile": "a"}, "config.state.options: statefile: is unknown, did you mean stateFile?"),
        ({"stateFile": 1}, "config.state.options: stateFile: expected str, got int"),
        ({"stateFile": ""}, "names no file for the state; correct stateFile"),
        ({"stateFile": "a/"}, "'a/' names no file for the state"),
        ({"stateFile": "a/.."}, "'a/..' names no file for the state"),
        ({"stateFile": "a\0b"}, r"'a\x00b' names no file for the state"),
    ],
)
def test_options_that_name_no_file_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=re.escape(message)):
        open_local(options)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path / "a" / "devstream.state"))
    with pytest.raises(StateError, match="No such file or directory; make the folder, or correct stateFile"):
        backend.load()
    with pytest.raises(StateError, match="No such file or directory; make the folder"), backend.lock("apply"):
        pass


def test_a_state_is_where_it_was_though_the_working_directory_changed(
    place: LocalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    backend = LocalBackend()
    with backend.lock("apply") as session:
        monkeypatch.chdir("/")
        session.append([Put(A)])
        session.commit(State({"a.p": A}))
    assert backend.load().state.records == {"a.p": A}
    assert place.state.exists()


def test_two_states_in_one_folder_dont_know_each_other(tmp_path: Path) -> None:
    one, two = LocalBackend(str(tmp_path / "one")), LocalBackend(str(tmp_path / "two"))
    with one.lock("apply") as session, two.lock("apply") as other:
        session.commit(State({"a.p": A}))
        other.commit(State({"b.p": B}))
    assert one.load().state.records == {"a.p": A}
    assert two.load().state.records == {"b.p": B}


# What is written, and what isn't


def test_a_load_makes_nothing(place: LocalPlace) -> None:
    place.backend().load()
    place.backend().history()
    assert list(place.folder.iterdir()) == []
    commit(place, A)
    before = place.files()
    place.backend().load()
    assert place.files() == before


def test_a_run_that_changes_nothing_writes_nothing(place: LocalPlace) -> None:
    commit(place, A)
    before = place.files()
    with place.backend().lock("apply"):
        pass
    assert place.files() == before
    die(place, [OPEN])
    before = place.files()
    with place.backend().lock("apply") as session:
        session.append([])
    assert place.files() == before


def test_the_state_file_is_the_yaml_of_the_state(place: LocalPlace) -> None:
    committed = commit(place, A)
    assert place.state.read_bytes() == dump(committed)


def test_nothing_temporary_is_left(place: LocalPlace) -> None:
    commit(place, A)
    die(place, [OPEN], [End(1, B)])
    commit(place, A, B)
    assert sorted(os.listdir(place.folder)) == [".devstream.state.d", "devstream.state"]  # noqa: PTH208
    assert sorted(os.listdir(place.own)) == ["backups", "key", "lock", "snapshot.json"]  # noqa: PTH208
    assert sorted(os.listdir(place.own / "backups")) == ["1.yaml", "2.yaml"]  # noqa: PTH208


def test_only_the_last_copies_are_kept(place: LocalPlace) -> None:
    for number in range(BACKUPS + 3):
        commit(place, record("a", number))
    assert [version.serial for version in place.backend().history()] == list(range(4, BACKUPS + 4))


APPLY = """
import sys
from dtm_sdk.state import Begin, End, Put, Record, State
def made(name, content="hello"):
    return Record(name, "p", (), {"content": content}, {"content": content})
with backend.lock("apply") as session:
    for number in range(int(sys.argv[1])):
        session.append([Begin(number, "create", made(f"n{number}"))])
        print("begun", number, flush=True)
        session.append([End(number, made(f"n{number}"))])
        print("ended", number, flush=True)
    records = {**session.loaded.state.records, **{f"n{n}.p": made(f"n{n}") for n in range(int(sys.argv[1]))}}
    session.commit(State(records))
    print("committed", flush=True)
"""


@STRACE
@pytest.mark.parametrize("count", [1, 10])
def test_an_append_costs_one_sync_and_a_run_a_handful(place: LocalPlace, count: int) -> None:
    commit(place, A)
    trace = ["strace", "-f", "-e", "trace=fsync,fdatasync,sync,syncfs,sync_file_range", "-o", "trace"]
    child = python(place.code + APPLY, place.folder, str(count), before=trace)
    assert child.returncode == 0, child.stderr
    calls = (place.folder / "trace").read_text("utf-8")
    # The first append starts the journal: the folder of the state, the journal, the folder of the journal. The commit
    # syncs the state and its folder.
    assert calls.count("fdatasync(") == 2 * count - 1
    assert calls.count("sync(") == 2 * count - 1 + 3 + 2


COMMITS = """
from dtm_sdk.state import Begin, End, Put, Record, State
records = {}
for number in range(40):
    made = Record(f"n{number}", "p", (), {"content": "hello"}, {"content": "hello"})
    with backend.lock("apply") as session:
        session.append([Begin(1, "create", made)])
        session.append([End(1, made), Begin(2, "update", made)])
        records[made.key] = made
        session.commit(State(records), session.loaded.open if number % 2 else [Begin(2, "update", made)])
        session.append([Put(made)])
        session.commit(State(records))
"""


def test_a_load_beside_runs_that_commit_is_never_refused_and_never_goes_back(place: LocalPlace) -> None:
    with started(place.code + COMMITS, place.folder) as child:
        seen = []
        while child.poll() is None:
            seen.append(place.backend().load().state)
        assert child.returncode == 0
    assert [each.serial for each in seen] == sorted(each.serial for each in seen)
    assert [len(each.records) for each in seen] == sorted(len(each.records) for each in seen)
    assert len({each.serial for each in seen}) > 5
    assert place.backend().load().state.serial == 80


# A run that dies


@STRACE
@pytest.mark.parametrize("call", ["write", "fsync", "fdatasync", "renameat", "unlinkat"])
def test_a_run_that_is_killed_anywhere_loses_nothing_that_it_told(tmp_path: Path, call: str) -> None:
    kills = 0
    while kills < 100:
        place = LocalPlace(tmp_path / str(kills))
        place.folder.mkdir()
        commit(place, A)
        kill = ["env", "PYTHONDONTWRITEBYTECODE=1", "strace", "-f", "-o", "/dev/null"]
        kill += ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={kills + 1}"]
        child = python(place.code + APPLY, place.folder, "2", before=kill)
        if child.returncode == 0:
            break
        kills += 1
        found = place.backend().load()
        made = {int(key[1:-2]) for key in found.state.records if key != "a.p"}
        assert made >= set(range(child.stdout.count("ended")))
        assert made | {intent.id for intent in found.open} >= set(range(child.stdout.count("begun")))
        assert found.state.records == {"a.p": A, **{f"n{number}.p": record(f"n{number}") for number in made}}
        goes_on(place)
    assert kills >= 1


def goes_on(place: LocalPlace) -> None:
    """See that a run after whatever happened works, and ends what was open."""
    with place.backend().lock("apply") as session:
        before = dict(session.loaded.state.records)
        session.append([End(intent.id, error="gone") for intent in session.loaded.open])
        session.append([Put(B)])
        session.commit(State({**before, "b.p": B}))
    assert place.backend().load().state.records == {**before, "b.p": B}
    assert place.backend().load().open == ()


def crashed(place: LocalPlace, *, snapshot: bool) -> State:
    """What a run leaves that died right after its commit, with an intent that stays open."""
    commit(place, A)
    with place.backend().lock("apply") as session:
        session.append([Put(C), OPEN])
        old = {name: (place.own / name).read_bytes() for name in ("journal", "snapshot.json")}
        committed = session.commit(State({"a.p": A, "c.p": C}), [OPEN])
    (place.own / "journal").write_bytes(old["journal"])
    if not snapshot:
        (place.own / "snapshot.json").write_bytes(old["snapshot.json"])
    shutil.rmtree(place.own / "backups")
    return committed


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_run_that_died_after_its_commit_leaves_the_new_state_and_what_was_open(
    place: LocalPlace, *, snapshot: bool
) -> None:
    committed = crashed(place, snapshot=snapshot)
    found = place.backend().load()
    assert (found.state, found.open) == (committed, (OPEN,))
    die(place, [End(1, B)])
    found = place.backend().load()
    assert (found.state.records, found.open) == ({"a.p": A, "c.p": C, "b.p": B}, ())
    goes_on(place)


# Many runs at once


def test_of_many_in_a_race_one_works_and_the_others_say_who(place: LocalPlace) -> None:
    rounds = 100 if THOROUGH else 5
    with racing(place) as race:
        for _ in range(rounds):
            race()
    assert place.backend().load().state.serial == rounds


PAUSED = """
import sys
from dtm_sdk.errors import StateError
from dtm_sdk.state import Put, Record, State
a = Record("a", "p", (), {"content": "hello"}, {"content": "hello"})
with backend.lock("apply") as session:
    session.append([Put(a)])
    print("held", flush=True)
    sys.stdin.readline()
    session.commit(State({"a.p": a}))
print("done", flush=True)
"""


def test_a_paused_writer_holds_the_state_until_it_goes_on_or_dies(place: LocalPlace) -> None:
    with started(place.code + PAUSED, place.folder) as child:
        assert said(child) == "held"
        child.send_signal(signal.SIGSTOP)
        with pytest.raises(LockedError, match=f"process {child.pid} on "), place.backend().lock("apply"):
            pass
        child.send_signal(signal.SIGCONT)
        tell(child)
        assert said(child) == "done"
    commit(place, B)
    with started(place.code + PAUSED, place.folder) as child:
        assert said(child) == "held"
        child.send_signal(signal.SIGSTOP)
        child.kill()
        child.wait(30)
        with place.backend().lock("apply") as session:
            assert session.loaded.state.records == {"a.p": A, "b.p": B}


# Damage


def refusal(place: LocalPlace) -> StateError | None:
    """Why a state is refused; None where it isn't."""
    try:
        place.backend().load()
    except StateError as error:
        return error
    return None


def loaded(place: LocalPlace) -> Loaded | None:
    """What is loaded; None where it is refused, in one line that names a command to go on with."""
    try:
        return place.backend().load()
    except StateError as error:
        told = error
    assert "\n" not in str(told)
    assert "`dtm state " in told.hint, told
    return None


def damages(path: Path) -> Iterator[str]:
    """Give a file each damage in turn, every flipped bit and every prefix; says which.

    The file is changed in place: rewriting it would cost a flush each time, on file systems that fear for its content.
    """
    whole = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for index, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), index)
                yield f"bit {bit} of byte {index}"
            os.pwrite(file.fileno(), bytes([byte]), index)
        for size in reversed(range(len(whole))):
            file.truncate(size)
            yield f"the first {size} bytes"


def test_a_damaged_journal_gives_what_some_of_its_appends_give_or_is_refused(place: LocalPlace) -> None:
    small = Record("b", "p", (), {}, {})
    appends: list[list[Entry]] = [[Begin(1, "create", small)], [End(1, small)], [Drop("a.p")]]
    commit(place, A)
    prefixes: list[Loaded | None] = [place.backend().load(), None]
    with place.backend().lock("apply") as session:
        for entries in appends:
            session.append(entries)
            prefixes.append(place.backend().load())
    for what in damages(place.own / "journal"):
        assert loaded(place) in prefixes, what


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_damaged_state_file_is_refused(place: LocalPlace, *, snapshot: bool) -> None:
    commit(place, A)
    if not snapshot:
        (place.own / "snapshot.json").unlink()
    for what in damages(place.state):
        assert loaded(place) is None, what


def test_a_state_file_without_anything_beside_it_is_refused_unless_it_is_empty(place: LocalPlace) -> None:
    commit(place, A)
    shutil.rmtree(place.own)
    for what in damages(place.state):
        found = loaded(place)
        assert (found and found.state) == (State() if what == "the first 0 bytes" else None), what


def test_a_damaged_snapshot_changes_nothing(place: LocalPlace) -> None:
    commit(place, A)
    expected = place.backend().load()
    for what in damages(place.own / "snapshot.json"):
        assert loaded(place) == expected, what


@pytest.mark.parametrize("name", ["devstream.state", ".devstream.state.d/journal"])
def test_what_is_refused_can_be_got_over_as_the_message_says(place: LocalPlace, tmp_path: Path, name: str) -> None:
    commit(place, A)
    die(place, [Put(B)], [Put(C)])
    whole = (place.folder / name).read_bytes()
    copies = [whole[:size] for size in range(0, len(whole), STEP)]
    copies += [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(0, len(whole), STEP)]
    tried = set()
    for number, data in enumerate(copies):
        other = LocalPlace(tmp_path / f"{number}")
        shutil.copytree(place.own, other.own)
        shutil.copy2(place.state, other.state)
        (other.folder / name).write_bytes(data)
        refused = refusal(other)
        if refused:
            command = re.search(r"`dtm state (accept|history|restore) ?(\d*)", refused.hint)
            assert command, refused
            tried.add(command[1])
            other.backend().accept() if command[1] == "accept" else other.backend().restore(int(command[2] or 1))
            goes_on(other)
    assert tried >= ({"accept", "restore"} if name == "devstream.state" else {"accept"})


def test_a_torn_tail_is_dropped_and_the_next_append_stands_behind_what_is_whole(place: LocalPlace) -> None:
    commit(place, A)
    die(place, [Put(B)], [Put(C)])
    journal = place.own / "journal"
    journal.write_bytes(journal.read_bytes()[:-5])
    die(place, [OPEN])
    found = place.backend().load()
    assert (found.state.records, found.open) == ({"a.p": A, "b.p": B}, (OPEN,))


def test_a_state_file_that_is_gone_or_empty_is_refused_where_there_was_one(place: LocalPlace) -> None:
    commit(place, A)
    place.state.write_bytes(b"")
    with pytest.raises(StateError, match="is empty, but writing 1 of the state was made; run `dtm state restore 1`"):
        place.backend().load()
    place.state.unlink()
    with pytest.raises(StateError, match="is gone, but writing 1 of the state was made; run `dtm state restore 1`"):
        place.backend().load()


def test_a_key_of_the_wrong_size_is_refused(place: LocalPlace) -> None:
    commit(place, A)
    (place.own / "key").write_bytes(b"short")
    with pytest.raises(StateError, match="key has 5 bytes instead of 32: it is damaged; put back a copy, or remove it"):
        place.backend().load()


# Links, other users, permissions

PLACES = {
    "state": "devstream.state",
    "its temporary file": ".devstream.state.tmp",
    "folder": ".devstream.state.d",
    "lock": ".devstream.state.d/lock",
    "journal": ".devstream.state.d/journal",
    "journal's temporary file": ".devstream.state.d/journal.tmp",
    "snapshot": ".devstream.state.d/snapshot.json",
    "key": ".devstream.state.d/key",
    "backups": ".devstream.state.d/backups",
}


def a_link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def a_fifo(path: Path, target: Path) -> None:
    os.mkfifo(path)


def a_directory(path: Path, target: Path) -> None:
    path.mkdir()


def theirs(path: Path, target: Path) -> None:
    target.rename(path)
    os.chown(path, 65534, 65534)


ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
FOLDERS = {"folder", "backups"}
PLANTS = [
    pytest.param(where, plant, marks=[ROOT_ONLY] if plant is theirs else [], id=f"{where}-{plant.__name__}")
    for where in PLACES
    for plant in (a_link, a_fifo, a_directory, theirs)
    if where not in FOLDERS or plant is not a_directory
]


def changed(place: LocalPlace) -> None:
    """A run that appends and commits."""
    with place.backend().lock("apply") as session:
        session.append([Put(B)])
        session.commit(State({"b.p": B}))


@pytest.mark.parametrize(("where", "plant"), PLANTS)
def test_what_isnt_ours_is_refused_and_left_alone(
    place: LocalPlace, where: str, plant: Callable[[Path, Path], None]
) -> None:
    target = place.folder / "precious"
    commit(place, A)
    die(place, [Put(C)])
    path = place.folder / PLACES[where]
    if path.exists():
        path.rename(target)
    elif where in FOLDERS:
        target.mkdir()
    else:
        target.write_bytes(b"precious")
    plant(path, target)
    before = place.files()
    with pytest.raises(StateError) as caught:
        changed(place)
    assert PLACES[where] in str(caught.value)
    touched = {path for path, found in place.files().items() if before.get(path) != found}
    # Only what was durable before the refusal may have changed: the journal, where the state's own place is in the way.
    assert touched <= ({str(place.own / "journal")} if where == "its temporary file" else set())


IN_THE_WAY = [a_link, a_fifo, a_directory, pytest.param(theirs, marks=ROOT_ONLY)]


@pytest.mark.parametrize("plant", IN_THE_WAY)
def test_a_copy_that_isnt_ours_isnt_read(place: LocalPlace, plant: Callable[[Path, Path], None]) -> None:
    commit(place, A)
    commit(place, B)
    copy, target = place.own / "backups" / "1.yaml", place.folder / "precious"
    copy.rename(target)
    plant(copy, target)
    before = place.files()
    for act in (place.backend().version, place.backend().restore):
        with pytest.raises(StateError, match=r"backups/1\.yaml"):
            act(1)
    assert place.files() == before


@pytest.mark.parametrize("plant", IN_THE_WAY)
def test_a_key_isnt_made_through_what_isnt_ours(place: LocalPlace, plant: Callable[[Path, Path], None]) -> None:
    place.own.mkdir(0o700)
    target = place.folder / "precious"
    target.write_bytes(b"precious")
    plant(place.own / "key.tmp", target)
    before = place.files()
    with pytest.raises(StateError, match=r"key\.tmp"):
        commit(place, A)
    assert place.files() == before


@pytest.mark.parametrize("plant", IN_THE_WAY)
def test_a_journal_isnt_put_aside_through_what_isnt_ours(
    place: LocalPlace, plant: Callable[[Path, Path], None]
) -> None:
    commit(place, A)
    die(place, [Put(B)])
    place.meddle()
    target = place.folder / "precious"
    target.write_bytes(b"precious")
    plant(place.own / "journal.replaced", target)
    there = place.own / "journal.replaced"
    if plant is a_directory:
        with pytest.raises(StateError, match=r"journal\.replaced: Is a directory"):
            place.backend().accept()
    else:  # a file of ours takes its place
        place.backend().accept()
        assert (there.is_symlink(), stat.S_IMODE(there.stat().st_mode), there.stat().st_uid) == (
            False,
            0o600,
            os.geteuid(),
        )
    assert plant is theirs or target.read_bytes() == b"precious"


@pytest.mark.parametrize("plant", IN_THE_WAY)
@pytest.mark.parametrize("where", ["snapshot.tmp", "backups/tmp"])
def test_a_copy_that_cant_be_made_doesnt_undo_the_commit(
    place: LocalPlace, where: str, plant: Callable[[Path, Path], None]
) -> None:
    commit(place, A)
    (place.folder / "precious").write_bytes(b"precious")
    plant(place.own / where, place.folder / "precious")
    assert commit(place, A, B).serial == 2
    assert place.backend().load().state.records == {"a.p": A, "b.p": B}
    assert (place.own / where if plant is theirs else place.folder / "precious").read_bytes() == b"precious"


def test_a_journal_that_cant_be_removed_doesnt_undo_the_commit_but_is_the_last_thing_written(place: LocalPlace) -> None:
    with place.backend().lock("apply") as session:
        session.append([Put(A)])
        (place.own / "journal").rename(place.folder / "journal")
        (place.own / "journal").mkdir()
        assert session.commit(State({"a.p": A})).serial == 1
        with pytest.raises(StateError, match=f"{NO_MORE}can't remove .*journal: Is a directory"):
            session.append([Put(B)])
    (place.own / "journal").rmdir()
    (place.folder / "journal").rename(place.own / "journal")
    assert place.backend().load().state.records == {"a.p": A}


AS_NOBODY = """
import os
from dtm_sdk import state_text
from dtm_sdk.errors import StateError
state_text.digest(b"")  # imports what nobody may not read
os.setuid(65534)
with backend.lock("apply"):
    pass
os.chmod(".devstream.state.d", 0o500)
try:
    with backend.lock("apply"):
        print("locked")
except StateError as error:
    print(error)
"""


@ROOT_ONLY
def test_a_read_only_folder_beside_it_is_found_before_anything_is_changed() -> None:
    with others_folder() as folder:
        child = python(LocalPlace(folder).code + AS_NOBODY, folder)
    told = "can't write in .devstream.state.d: it is read-only, or this user may not; "
    assert child.stdout.startswith(told), child.stderr


RUN = """
import os
os.umask(0)
from dtm_sdk.state import Begin, Put, Record, State
a = Record("a", "p", (), {}, {})
with backend.lock("apply") as session:
    session.append([Put(a), Begin(1, "create", a)])
    session.commit(State({"a.p": a}), [Begin(1, "create", a)])
backend.restore(0)
"""


def test_everything_is_for_its_owner_only_whatever_the_umask(place: LocalPlace) -> None:
    place.state.write_bytes(ANCESTOR)
    assert python(place.code + RUN, place.folder).returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.folder.rglob("*")}
    folders = {".devstream.state.d": 0o700, "backups": 0o700}
    copies = ("0.yaml", "1.yaml", "2.yaml", "journal.replaced")
    files = dict.fromkeys(("devstream.state", "lock", "journal", "snapshot.json", "key", *copies), 0o600)
    assert modes == folders | files


def test_a_folder_beside_it_that_others_may_write_in_is_refused(place: LocalPlace) -> None:
    commit(place, A)
    place.own.chmod(0o777)
    with pytest.raises(StateError, match=r"other users may write in .*\.devstream\.state\.d; run `chmod 700 "):
        place.backend().load()


# A disk that fails

LIMITED = """
import resource, sys
from dtm_sdk.errors import StateError
from dtm_sdk.state import Begin, Put, Record, State
def told(act, *arguments):
    try:
        act(*arguments)
        print("done")
    except StateError as error:
        print(error)
small, big = (Record(name, "p", (), {"content": "x" * size}, {}) for name, size in (("a", 1), ("b", 100_000)))
with backend.lock("apply") as session:
    told(session.append, [Put(small)])
    if sys.argv[1] == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    told(getattr(session, sys.argv[2]), [Put(big)] if sys.argv[2] == "append" else State({"a.p": small, "b.p": big}))
    told(session.append, [Put(small)])
    told(session.commit, State({"a.p": small}))
loaded = backend.load()
print(list(loaded.state.records), loaded.state.serial)
"""
NO_MORE = "nothing more is written to the state of this run: "


@pytest.mark.parametrize(("act", "file"), [("append", ".devstream.state.d/journal"), ("commit", "devstream.state")])
@pytest.mark.parametrize("disk", ["limit", pytest.param("full", marks=MOUNT)])
def test_a_run_writes_nothing_more_once_something_didnt_fit(place: LocalPlace, disk: str, act: str, file: str) -> None:
    before = on_tmpfs("size=80k") if disk == "full" else ()
    child = python(place.code + LIMITED, place.folder, disk, act, before=before)
    told = child.stdout.splitlines()
    assert told[0] == "done", child.stderr
    assert told[1].startswith(f"can't write {file}: ")
    reason = told[1].partition(";")[0]
    assert told[2:4] == [f"{NO_MORE}{reason}; run again"] * 2
    assert told[4] == "['a.p'] 0"


FULL = """
import os
from dtm_sdk.errors import StateError
with open("filler", "wb", buffering=0) as filler:
    try:
        while filler.write(b"x" * 4096):
            pass
    except OSError:
        pass
try:
    with backend.lock("apply"):
        print("locked")
except StateError as error:
    print(error)
os.unlink("filler")
print(sorted(os.listdir(".")))
"""


@MOUNT
def test_a_full_disk_is_found_before_anything_is_changed(place: LocalPlace) -> None:
    child = python(place.code + FULL, place.folder, before=on_tmpfs("size=64k"))
    told = child.stdout.splitlines()
    assert "No space left on device; make room there, then run again" in told[0], child.stderr
    assert "devstream.state" not in eval(told[1])  # noqa: S307  # a list that the child printed


READ_ONLY = """
from dtm_sdk.errors import StateError
print(backend.load().state.serial)
try:
    with backend.lock("apply"):
        print("locked")
except StateError as error:
    print(error)
"""


@MOUNT
def test_a_read_only_folder_is_found_before_anything_is_changed(place: LocalPlace) -> None:
    child = python(place.code + READ_ONLY, place.folder, before=on_tmpfs("ro"))
    serial, told = child.stdout.splitlines()
    assert serial == "0"
    assert told.startswith("can't write in the working directory: it is read-only, or this user may not; ")


def test_a_run_that_was_interrupted_while_it_wrote_writes_no_more(place: LocalPlace) -> None:
    interrupted = (
        place.code
        + """
import os, signal
from dtm_sdk.errors import StateError
from dtm_sdk.state import Drop, Put, Record, State
a = Record("a", "p", (), {"content": "hello"}, {"content": "hello"})
with backend.lock("apply") as session:
    session.append([Put(a)])
    os.close(session._fd)
    session._fd, end = os.pipe()[::-1]
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        session.append([Put(Record("b", "p", (), {"content": "x" * 1_000_000}, {}))])
    except KeyboardInterrupt:
        print("interrupted")
    try:
        session.commit(State({}))
    except StateError as error:
        print(error)
"""
    )
    told = python(interrupted, place.folder).stdout.splitlines()
    assert told == ["interrupted", f"{NO_MORE}it was interrupted while it wrote; run again"]
    assert place.backend().load().state.records == {"a.p": A}


# What was there before, and what a person decides

ANCESTOR = b"a_p:\n  name: a\n  plugin: p\n  options:\n    content: hello\n  resource:\n    content: hello\n"


def test_a_state_of_the_ancestor_is_taken_over_and_kept_as_a_copy(place: LocalPlace) -> None:
    place.state.write_bytes(ANCESTOR)
    assert place.backend().load().state == State({"a.p": A})
    die(place, [Put(B)])
    found = place.backend().load().state
    assert (found.records, found.serial) == ({"a.p": A, "b.p": B}, 0)
    assert place.state.read_bytes() == ANCESTOR
    assert commit(place, A, B).serial == 1
    kept = load((place.own / "backups" / "0.yaml").read_bytes())
    assert (kept.records, kept.serial) == ({"a.p": A}, 0)
    assert place.backend().restore(0).records == {"a.p": A}


def test_what_was_there_before_is_kept_once(place: LocalPlace) -> None:
    place.state.write_bytes(ANCESTOR)
    with place.backend().lock("apply") as session:
        session.commit(State({"a.p": A}))
        (place.own / "backups" / "0.yaml").unlink()
        session.commit(State({"a.p": A}))
    assert [version.serial for version in place.backend().history()] == [1, 2]


def test_an_edit_is_refused_with_the_difference_and_can_be_accepted(place: LocalPlace) -> None:
    before = commit(place, A)
    place.meddle()
    with pytest.raises(StateError, match=r"\(a\.p\.options\.content: 'hello' -> 'HELLO', a\.p\.resource"):
        place.backend().load()
    edited = record("a", "HELLO")
    accepted = place.backend().accept()
    assert accepted == State({"a.p": edited}, before.serial + 1, before.lineage)
    assert place.backend().load().state == accepted
    assert load(place.state.read_bytes()) == accepted


def test_what_a_crash_left_survives_the_acceptance_of_an_edit(place: LocalPlace) -> None:
    commit(place, A)
    die(place, [Put(C), OPEN])
    place.meddle()
    assert place.backend().accept().records == {"a.p": record("a", "HELLO"), "c.p": C}
    assert place.backend().load().open == (OPEN,)
    assert (place.own / "journal.replaced").exists()
    goes_on(place)


def test_a_state_that_is_gone_can_be_accepted_and_restored(place: LocalPlace) -> None:
    first = commit(place, A)
    commit(place, A, B)
    place.state.unlink()
    assert place.backend().accept() == State({}, 3, first.lineage)
    assert place.backend().restore(1) == State({"a.p": A}, 4, first.lineage)
    assert place.backend().load().state.records == {"a.p": A}


def test_an_older_copy_is_refused_and_can_be_accepted(place: LocalPlace) -> None:
    commit(place, A)
    older = place.state.read_bytes()
    commit(place, A, B)
    place.state.write_bytes(older)
    with pytest.raises(StateError, match="is writing 1 of the state, but writing 2 was made: it is an older copy"):
        place.backend().load()
    assert place.backend().accept().records == {"a.p": A}
    goes_on(place)


def test_a_damaged_journal_can_be_put_aside(place: LocalPlace) -> None:
    commit(place, A)
    die(place, [Put(B)], [OPEN], [Put(C)])
    journal = place.own / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], b"x\n", *lines[3:]]))
    damaged = journal.read_bytes()
    with pytest.raises(StateError, match="journal:3: this line of the journal is damaged; run `dtm state accept`"):
        place.backend().load()
    assert place.backend().accept().records == {"a.p": A, "b.p": B}
    assert (place.own / "journal.replaced").read_bytes() == damaged
    goes_on(place)


def test_the_history_has_the_time_and_size_of_each_copy(place: LocalPlace) -> None:
    assert place.backend().history() == ()
    commit(place, A)
    commit(place, A, B)
    for version in place.backend().history():
        copy = place.own / "backups" / f"{version.serial}.yaml"
        assert (version.written, version.size) == (copy.stat().st_mtime, copy.stat().st_size)
    assert [version.serial for version in place.backend().history()] == [1, 2]


def test_what_lies_beside_the_copies_is_no_copy(place: LocalPlace) -> None:
    commit(place, A)
    for name in ("notes.txt", "x.yaml", "-1.yaml"):
        (place.own / "backups" / name).write_bytes(b"")
    assert [version.serial for version in place.backend().history()] == [1]


def test_what_follows_is_looked_at_before_anything_is_written(place: LocalPlace) -> None:
    first = commit(place, A)
    commit(place, A, B)
    die(place, [Put(C)])
    before = place.files()
    seen: list[tuple[list[str] | None, State]] = []

    def check(recorded: Mapping[str, Record] | None, after: State) -> None:
        seen.append((None if recorded is None else list(recorded), after))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        place.backend().restore(1, 0, check)
    with pytest.raises(ZeroDivisionError):
        place.backend().accept(0, check)
    assert place.files() == before
    every = State({"a.p": A, "b.p": B, "c.p": C}, 2, first.lineage)
    assert seen == [(list(every.records), State({"a.p": A}, 2, first.lineage)), (list(every.records), every)]
    assert place.backend().version(1).records == {"a.p": A}


def test_a_session_can_be_given_another_key(place: LocalPlace) -> None:
    with place.backend().lock("test") as session:
        assert isinstance(session, Keyed)
        session.take_key(bytes(32))
        assert session.loaded.key == bytes(32)
    assert place.backend().load().key == bytes(32)


def test_a_copy_that_isnt_there_or_is_damaged_isnt_restored(place: LocalPlace) -> None:
    commit(place, A)
    before = place.files()
    with pytest.raises(
        StateError, match=r"there is no copy of writing 7 of the state in .*; `dtm state history` lists"
    ):
        place.backend().restore(7)
    copy = place.own / "backups" / "1.yaml"
    copy.write_bytes(copy.read_bytes().replace(b"hello", b"HELLO"))
    with pytest.raises(StateError, match=r"1\.yaml: the state was edited or damaged"):
        place.backend().restore(1)
    assert {path: found for path, found in place.files().items() if path != str(copy)} == {
        path: found for path, found in before.items() if path != str(copy)
    }


def test_a_newer_state_is_refused_and_not_taken_over(place: LocalPlace) -> None:
    place.state.write_bytes(dump(state(A)).replace(b"format: 1", b"format: 2"))
    for act in (place.backend().load, place.backend().accept):
        with pytest.raises(StateError, match="a newer version of dtm wrote this state"):
            act()


def test_a_state_file_that_came_without_anything_else_goes_on(place: LocalPlace) -> None:
    place.state.write_bytes(dump(state(A, serial=7)))
    assert commit(place, A, B) == State({"a.p": A, "b.p": B}, 8, LINEAGE)
