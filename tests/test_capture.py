"""What plugins print, log and warn of becomes lines of their tools, and of no other."""
# ruff: noqa: T201  # what is printed is what is tested

import asyncio
import codecs
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from threading import Barrier, Event, Lock, Thread
from typing import Any

import pytest

from dtm_sdk import events
from dtm_sdk.capture import Capture, captured
from dtm_sdk.events import Notice, Said
from dtm_sdk.secret_text import Mask, fingerprint

KEY = b"0123456789abcdef"
SECRET = "s3cr3t-T0ken"
HIDDEN = fingerprint(KEY, SECRET)
MASK = Mask(KEY, [SECRET])

log = logging.getLogger("a.plugin")


class Told:
    """What was told, in order."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)

    def of(self, key: str) -> list[str]:
        """The lines of a tool."""
        return [event.text for event in self.events if isinstance(event, Said) and event.key == key]

    def notices(self) -> list[str]:
        """The lines of no tool."""
        return [event.text for event in self.events if isinstance(event, Notice)]


@contextmanager
def run(told: Told, *, debug: bool = True) -> Iterator[Capture]:
    with captured(told, debug=debug) as capture:
        yield capture


def in_thread(work: Callable[[], object]) -> None:
    """Do something in another thread, and raise what it raises."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def said_by(work: Callable[[], object], mask: Mask = MASK) -> list[events.Event]:
    """What is told of a tool that does some work in a worker thread."""
    told = Told()

    def operation(capture: Capture) -> None:
        with capture.attribute("a.b", mask):
            work()

    with run(told) as capture:
        in_thread(lambda: operation(capture))
    return told.events


def lines_of(work: Callable[[], object]) -> list[str]:
    return [event.text for event in said_by(work) if isinstance(event, Said)]


def test_what_two_tools_print_at_once_stays_with_each() -> None:
    told, together = Told(), Barrier(2, timeout=10)

    def work(capture: Capture, key: str) -> None:
        with capture.attribute(key, MASK):
            for number in range(20):
                together.wait()
                print(key, end="")
                together.wait()
                print("", number)

    with run(told) as capture, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: work(capture, key), ["a.x", "b.x"]))
    for key in ("a.x", "b.x"):
        assert told.of(key) == [f"{key} {number}" for number in range(20)]
    assert told.notices() == []


def test_only_complete_lines_are_told_and_the_rest_at_the_end() -> None:
    told = Told()
    with run(told) as capture, capture.attribute("a.b", MASK):
        print("one ", end="")
        sys.stderr.write("and two\n")
        assert told.events == [Said("a.b", "info", "and two")]
        print("line")
        assert told.of("a.b") == ["and two", "one line"]
        sys.stdout.write("the rest")
        assert told.of("a.b") == ["and two", "one line"]
    assert told.of("a.b") == ["and two", "one line", "the rest"]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (" 10%\r 50%\r100%\n", ["100%"]),
        (" 10%\r 50%\r", [" 50%"]),
        ("dos\r\nlines\r\n", ["dos", "lines"]),
        ("one\n\n  \ntwo\n", ["one", "two"]),
        ("é😀\udcff\n", ["é😀���"]),
        ("", []),
    ],
)
def test_a_line_is_told_as_it_was_at_last_and_an_empty_one_is_not(written: str, lines: list[str]) -> None:
    assert lines_of(lambda: sys.stdout.write(written)) == lines


def test_a_line_that_goes_on_is_not_told_before_it_ends() -> None:
    def work() -> None:
        sys.stdout.write("one\nand t")
        sys.stdout.write("wo\n")

    assert lines_of(work) == ["one", "and two"]


def test_a_secret_is_masked_even_if_it_is_written_in_pieces() -> None:
    def work() -> None:
        for piece in ("token=", SECRET[:5], SECRET[5:], "!\n"):
            sys.stdout.write(piece)
        sys.stdout.buffer.write(SECRET.encode())

    assert lines_of(work) == [f"token={HIDDEN}!", HIDDEN]


def test_a_secret_of_several_short_lines_is_masked() -> None:
    secret = "ab\ncd\nef"
    events_ = said_by(lambda: print(f"<{secret}>"), Mask(KEY, [secret]))
    assert events_ == [Said("a.b", "info", f"<{fingerprint(KEY, secret)}>")]


def test_a_secret_of_one_tool_is_masked_in_the_lines_of_others_at_work() -> None:
    told = Told()
    with run(told) as capture, capture.attribute("a.b", MASK), capture.attribute("c.d", Mask(KEY)):
        print(SECRET)
        print(SECRET, end="")
    assert told.of("c.d") == [HIDDEN, HIDDEN]


def test_a_secret_in_the_last_line_is_masked_whoever_works_then() -> None:
    told = Told()
    with run(told) as capture, capture.attribute("a.b", MASK):
        print(SECRET, end="")
        with capture.attribute("c.d", Mask(KEY)):
            pass
    assert told.of("a.b") == [HIDDEN]


def test_a_secret_that_becomes_known_is_masked_from_then_on() -> None:
    told, mask = Told(), Mask(KEY)
    with run(told) as capture, capture.attribute("a.b", mask):
        mask.add([SECRET])
        print(SECRET)
    assert told.of("a.b") == [HIDDEN]


def test_outside_of_tools_the_real_streams_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    with run(told) as capture:
        print("before")
        with capture.attribute("a.b", MASK):
            print("inside")
        sys.stderr.write("after")
        sys.stdout.flush()
    print("later")
    assert told.of("a.b") == ["inside"]
    assert capsys.readouterr() == ("before\nlater\n", "after")


def test_bytes_of_the_runner_go_to_the_real_stream(tmp_path: Path) -> None:
    real = tmp_path / "real"
    with real.open("w") as file, redirect_stdout(file), run(Told()):
        sys.stdout.buffer.write(b"\xff")
    assert real.read_bytes() == b"\xff"


def test_what_is_printed_while_telling_goes_to_the_real_streams(capsys: pytest.CaptureFixture[str]) -> None:
    def report(event: events.Event) -> None:
        print("report:", event.text if isinstance(event, Said | Notice) else event)

    def work(capture: Capture) -> None:
        capture.tell(Notice("info", "from a worker"))
        with capture.attribute("a.b", MASK):
            print("from the plugin")

    with captured(report, debug=False) as capture:
        in_thread(lambda: work(capture))
    assert capsys.readouterr().out == "report: from a worker\nreport: from the plugin\n"


def test_bytes_below_the_text_become_lines_too() -> None:
    def work() -> None:
        text = "é😀\n".encode()
        for byte in text:
            assert sys.stdout.buffer.write(bytes([byte])) == 1
        sys.stderr.buffer.write(memoryview(b"\xff!\n"))

    assert lines_of(work) == ["é😀", "\ufffd!"]


def use_as_a_library(stream: Any) -> None:
    """Do with a stream what libraries do."""
    assert (stream.encoding, stream.errors, stream.writable(), stream.readable()) == ("utf-8", "replace", True, False)
    assert not stream.isatty()
    assert not stream.buffer.isatty()
    assert stream.write("four") == 4
    stream.writelines(["\n", "two\n"])
    stream.reconfigure(encoding="latin-1", errors="strict", line_buffering=True)
    with pytest.raises(TypeError):
        stream.write(b"bytes")
    stream.close()
    with stream:
        assert not stream.closed
    codecs.getwriter("utf-8")(stream.detach()).write("writer é\n")
    for _ in range(2):
        io.TextIOWrapper(stream.buffer, "utf-8").write("wrapper é\n")
    subprocess.run([sys.executable, "-c", "print('child')"], stdout=stream, check=True)
    stream.flush()


def test_a_stream_is_one_that_libraries_can_use(tmp_path: Path) -> None:
    real = tmp_path / "real"
    with real.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        lines = lines_of(lambda: list(map(use_as_a_library, (sys.stdout, sys.stderr))))
    assert lines == ["four", "two", "writer é", "wrapper é", "wrapper é"] * 2
    assert real.read_text() == "child\n" * 2


def test_a_terminal_is_one_for_the_runner_and_none_for_a_plugin() -> None:
    one, other = os.openpty()
    with os.fdopen(one, "rb"), os.fdopen(other, "w", encoding="latin-1") as terminal, redirect_stdout(terminal):
        with run(Told()) as capture:
            assert (sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.fileno()) == (True, "latin-1", other)
            with capture.attribute("a.b", MASK):
                assert (sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.fileno()) == (False, "utf-8", other)
        assert sys.stdout is terminal


def test_what_a_run_without_streams_prints_is_lost_without_an_error() -> None:
    code = (
        "import sys; from dtm_sdk.capture import captured; from dtm_sdk.secret_text import Mask\n"
        "out = sys.stdout; sys.stdout = sys.stderr = None; told = []\n"
        "with captured(told.append, debug=False) as capture:\n"
        "    print('lost'); sys.stdout.buffer.write(b'lost'); sys.stdout.flush(); sys.stdout.isatty()\n"
        "    try: sys.stdout.fileno()\n"
        "    except OSError: print('no file', file=out)\n"
        "    with capture.attribute('a.b', Mask(b'key')): print('said', sys.stdout.encoding)\n"
        "print(sys.stdout, told[0].text, file=out)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "no file\nNone said utf-8\n"


@pytest.mark.parametrize(
    ("level", "shown"),
    [(10, "debug"), (15, "debug"), (20, "info"), (25, "info"), (30, "warning"), (40, "error"), (50, "error")],
)
def test_a_record_is_told_at_its_level(level: int, shown: events.Level) -> None:
    assert said_by(lambda: log.log(level, "%s is %d", SECRET, 5)) == [Said("a.b", shown, f"{HIDDEN} is 5")]


def test_debug_records_are_taken_only_where_they_are_wanted() -> None:
    told = Told()
    with run(told, debug=False) as capture, capture.attribute("a.b", MASK):
        log.debug("much")
        log.info("some")
    assert told.of("a.b") == ["some"]


def test_a_traceback_is_told_line_by_line_for_the_debug_log() -> None:
    def work() -> None:
        try:
            int(SECRET)
        except ValueError:
            log.exception("it failed,\ntwice", stack_info=True)
        log.error("no traceback", exc_info=(None, None, None))

    said = said_by(work)
    assert said[:2] == [Said("a.b", "error", "it failed,"), Said("a.b", "error", "twice")]
    rest = [event for event in said[2:-1] if isinstance(event, Said)]
    assert {event.level for event in rest} == {"debug"}
    assert [event.text for event in rest if "ValueError: " in event.text] == [
        f"ValueError: invalid literal for int() with base 10: '{HIDDEN}'"
    ]
    assert "Stack (most recent call last):" in [event.text for event in rest]
    assert said[-1] == Said("a.b", "error", "no traceback")


def test_a_wrong_call_of_logging_is_shown_and_goes_on() -> None:
    def work() -> None:
        log.info("%d", "no number")
        log.info("next")

    lines = lines_of(work)
    assert "--- Logging error ---" in lines
    assert lines[-1] == "next"


def test_the_configuration_of_logging_is_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    ours = logging.StreamHandler()
    root.addHandler(ours)
    level, handlers = root.level, root.handlers[:]

    def work() -> None:
        logging.basicConfig(level=5, force=True)
        root.addHandler(logging.NullHandler())

    try:
        assert said_by(work) == []
        assert (root.level, root.handlers) == (level, handlers)
    finally:
        root.removeHandler(ours)


def test_a_plugin_that_configures_logging_takes_nothing_from_the_next() -> None:
    told = Told()
    with run(told) as capture:
        with capture.attribute("a.b", MASK):
            logging.basicConfig(force=True, format="mine: %(message)s")
            log.warning("first")
        with capture.attribute("c.d", MASK):
            log.info("second")
    assert told.of("a.b") == ["mine: first"]
    assert "second" in told.of("c.d")


def test_records_go_to_their_tool_alone_and_the_runners_own_where_they_went_before() -> None:
    root, every, errors = logging.getLogger(), io.StringIO(), io.StringIO()
    before = [logging.StreamHandler(every), logging.StreamHandler(errors)]
    before[1].setLevel(logging.ERROR)
    for handler in before:
        root.addHandler(handler)
    try:
        with run(Told()) as capture:
            with capture.attribute("a.b", MASK):
                log.error("the plugin's")
            log.info("not asked for")
            log.warning("the runner's")
            log.error("its error")
    finally:
        for handler in before:
            root.removeHandler(handler)
    assert (every.getvalue(), errors.getvalue()) == ("the runner's\nits error\n", "its error\n")


def test_without_any_handler_the_runners_own_warnings_are_on_stderr() -> None:
    code = (
        "import logging; from dtm_sdk.capture import captured; from dtm_sdk.secret_text import Mask\n"
        "with captured(print, debug=True) as capture:\n"
        "    with capture.attribute('a.b', Mask(b'key')): pass\n"
        "    logging.info('info'); logging.warning('warning')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("", "warning\n")


def test_warnings_are_told(recwarn: pytest.WarningsRecorder) -> None:
    told = Told()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        shown = warnings.showwarning
        with run(told) as capture:
            warnings.warn("the runner's", UserWarning, stacklevel=1)
            with capture.attribute("a.b", MASK):
                warnings.warn(f"old {SECRET}", DeprecationWarning, stacklevel=1)
        assert warnings.showwarning is shown
    (event,) = told.events
    assert isinstance(event, Said)
    assert event.level == "warning"
    assert event.text.startswith(f"DeprecationWarning: old {HIDDEN} ({__file__}:")
    assert [str(warning.message) for warning in recwarn] == ["the runner's"]


def test_a_thread_of_a_plugin_writes_for_the_only_tool_at_work() -> None:
    def work() -> None:
        print("from a thread")
        log.info("logged")

    assert lines_of(lambda: in_thread(work)) == ["from a thread", "logged"]


def test_of_two_tools_at_work_a_thread_belongs_to_neither() -> None:
    told, started, ended = Told(), Event(), Event()

    def wait(capture: Capture) -> None:
        with capture.attribute("c.d", MASK):
            started.set()
            ended.wait(10)

    def work() -> None:
        print(f"whose is {SECRET}")
        log.error("logged")

    with run(told) as capture, ThreadPoolExecutor(1) as pool, capture.attribute("a.b", MASK):
        other = pool.submit(wait, capture)
        assert started.wait(10)
        in_thread(work)
        ended.set()
        other.result()
    assert told.events == [Notice("info", f"whose is {HIDDEN}"), Notice("error", "logged")]


def test_what_asyncio_hands_to_a_thread_is_known_to_be_of_its_tool() -> None:
    told = Told()
    both = Barrier(2, timeout=10)

    def work(capture: Capture, key: str) -> None:
        with capture.attribute(key, MASK):
            both.wait()
            asyncio.run(asyncio.to_thread(print, key))
            both.wait()

    with run(told, debug=False) as capture, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: work(capture, key), ["a.b", "c.d"]))
    assert (told.of("a.b"), told.of("c.d")) == (["a.b"], ["c.d"])


def test_a_thread_that_outlives_its_tool_writes_notices() -> None:
    told = Told()
    ended = Event()

    def late() -> None:
        ended.wait(10)
        print(SECRET, end="")

    with run(told) as capture:
        with capture.attribute("a.b", MASK):
            thread = Thread(target=late)
            thread.start()
        ended.set()
        thread.join()
    assert told.events == [Notice("info", HIDDEN)]


def test_a_tool_is_told_of_by_one_thread_at_a_time() -> None:
    busy, overlaps = Lock(), []

    def tell(event: events.Event) -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(event)
            return
        sum(range(2000))
        busy.release()

    def work(say: Callable[[str], None]) -> None:
        for _ in range(200):
            say("x" * 50)

    with captured(tell, debug=True) as capture, capture.attribute("a.b", MASK), ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [print, log.info, print, log.info]))
    assert overlaps == []


def test_a_stream_that_a_plugin_leaves_behind_is_gone_for_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    told, left, real = Told(), io.StringIO(), sys.stdout
    with run(told) as capture:
        with capture.attribute("a.b", MASK):
            sys.stdout = left
            print("kept")
        with capture.attribute("c.d", MASK):
            print("told")
        with capture.attribute("e.f", MASK):
            sys.stdout, sys.stderr = left, left
    assert sys.stdout is real
    assert (left.getvalue(), told.of("c.d")) == ("kept\n", ["told"])


def test_a_stream_that_is_left_while_a_plugin_is_loaded_is_gone_when_it_works() -> None:
    told, left = Told(), io.StringIO()
    with run(told) as capture:
        sys.stdout = left
        with capture.attribute("a.b", MASK):
            print("told")
    assert (left.getvalue(), told.of("a.b")) == ("", ["told"])


def closed() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


def detached() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.detach()
    return stream


@pytest.mark.parametrize("leave", [closed, detached, lambda: None, lambda: sys.__stdout__])
def test_a_stream_that_is_no_use_or_past_us_is_gone_at_once(leave: Callable[[], Any]) -> None:
    told = Told()
    with run(told) as capture, capture.attribute("a.b", MASK):
        with capture.attribute("c.d", MASK):
            sys.stdout = leave()
        print("told")
    assert told.of("a.b") == ["told"]


def test_a_plugin_may_redirect_its_output_while_others_start_and_end() -> None:
    told, kept = Told(), io.StringIO()
    with run(told) as capture, capture.attribute("a.b", MASK):
        with redirect_stdout(kept):
            with capture.attribute("c.d", MASK):
                sys.stderr.write("told\n")
            print("kept")
        print("told again")
    assert (kept.getvalue(), told.of("a.b"), told.of("c.d")) == ("kept\n", ["told again"], ["told"])


def test_what_an_operation_raises_goes_through_and_its_last_line_is_told() -> None:
    told = Told()

    def operation(capture: Capture) -> None:
        with capture.attribute("a.b", MASK):
            print("half a line", end="")
            raise KeyError

    with run(told) as capture, pytest.raises(KeyError):
        operation(capture)
    assert told.of("a.b") == ["half a line"]


def printed_by(*code: str) -> list[str]:
    """What a program prints that prints what it captures, where logging isn't imported yet."""
    lines = [
        "import sys; from dtm_sdk.capture import captured; from dtm_sdk.secret_text import Mask",
        "finders = sys.meta_path[:]",
        "with captured(print, debug=False) as capture:",
        *(f"    {line}" for line in code),
        "print('logging' in sys.modules, sys.meta_path == finders)",
    ]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_an_operation_that_does_not_log_imports_no_logging() -> None:
    assert printed_by("with capture.attribute('a.b', Mask(b'key')): pass") == ["False True"]


def test_what_the_operation_logs_that_is_the_first_to_import_logging_is_told() -> None:
    assert printed_by(
        "with capture.attribute('a.b', Mask(b'key')):",
        "    import logging.handlers",
        "    logging.getLogger('x').info('first')",
        "print(type(logging.__loader__).__name__, logging.__spec__.loader is logging.__loader__)",
        "capture.close()",
        "print(logging.root.handlers, logging.root.level)",
    ) == ["Said(key='a.b', level='info', text='first')", "SourceFileLoader True", "[] 30", "True True"]
