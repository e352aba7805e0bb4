"""The checks: each is a function that carries the id of its rule, and says in its docstring what the rule is.

The docstring of one check of each rule is the documentation of the rule: the rule's text as in CONTRACT, section 3,
then the sections `Why:`, `Wrong:` (code that breaks it) and `Mend:`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from inspect import cleandoc
from textwrap import dedent
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from dtm_sdk.plugin import OPERATIONS, Operation

if TYPE_CHECKING:
    from dtm_sdk.testing.subject import Subject

Level = Literal["core", "full", "hardened"]
LEVELS: Final[tuple[Level, ...]] = ("core", "full", "hardened")


class Group(Struct, frozen=True):
    """Rules that belong together.

    Attributes:
        letter: what their ids start with.
        title: as in CONTRACT, section 3.
        level: the lowest level that needs them.
        modules: where their checks are, in `dtm_sdk.testing.checks`.
    """

    letter: str
    title: str
    level: Level
    modules: tuple[str, ...]


GROUPS: Final = (
    Group("A", "Declaration", "core", ("declaration",)),
    Group("V", "Validation", "core", ("validation",)),
    Group("C", "Create", "core", ("create", "beside")),
    Group("R", "Read", "core", ("read",)),
    Group("U", "Update", "core", ("update",)),
    Group("D", "Delete", "core", ("delete",)),
    Group("L", "Lifecycle", "full", ("lifecycle",)),
    Group("P", "Company", "full", ("company",)),
    Group("S", "Secrets", "full", ("secrets",)),
    Group("E", "Environment", "full", ("environment",)),
    Group("F", "Faults", "hardened", ("faults", "deaths")),
    Group("M", "Model", "hardened", ("model",)),
)

CORE: Final = (
    *("C1", "C2", "C3", "C4", "C5", "C6", "C7", "R1", "R2", "R3", "R5", "R6"),
    *("U1", "U2", "U3", "U4", "U5", "D1", "D2", "D3", "D4", "P2"),
)
"""The rules of what each operation does by itself; where one is broken, faults and sequences can only show it again."""

Body = Callable[["Subject"], None]


class Check(Struct, frozen=True):
    """One test of one rule.

    Attributes:
        rule: its id, e.g. "C2".
        name: of the test, e.g. "test_c2_read_after_create".
        body: what is run.
        rests_on: ids of rules without which its verdict would mean nothing; if one fails, it is blocked.
        calls: the operations that it calls; a TODO in one of them blocks it.
    """

    rule: str
    name: str
    body: Body
    rests_on: tuple[str, ...]
    calls: tuple[Operation, ...]

    @property
    def group(self) -> Group:
        """The group of its rule."""
        return next(group for group in GROUPS if group.letter == self.rule[0])

    @property
    def text(self) -> str:
        """What this test holds."""
        return " ".join(_sections(self.body)[""].split())

    @property
    def summary(self) -> str:
        """The same in one sentence."""
        return _sections(self.body)[""].partition("\n")[0]

    @property
    def hint(self) -> str:
        """What to do when it fails; of the first check of the rule if it says nothing of its own."""
        own = _sections(self.body).get("Mend", "")
        return " ".join((own or rule(self.rule).mend).split())


class Rule(Struct, frozen=True):
    """A rule of the contract, as its checks document it.

    Attributes:
        id: e.g. "C2".
        text: what it asks.
        why: what goes wrong without it.
        wrong: code that breaks it.
        mend: what to write instead.
        checks: its tests, in the order they are written.
    """

    id: str
    text: str
    why: str
    wrong: str
    mend: str
    checks: tuple[Check, ...]


def check(
    rule_id: str, *, rests_on: Sequence[str] = (), calls: Sequence[Operation] = OPERATIONS
) -> Callable[[Body], Body]:
    """Make a function the check of a rule; see `Check`."""

    def mark(body: Body) -> Body:
        body.__dict__["dtm_check"] = Check(
            rule_id,
            body.__name__,
            body,
            tuple(rests_on),
            tuple(calls),
        )
        return body

    return mark


@cache
def checks() -> tuple[Check, ...]:
    """Every check, by group and in the order they are written."""
    return tuple(found for group in GROUPS for found in _checks_of(group))


def _checks_of(group: Group) -> Iterator[Check]:
    for name in group.modules:
        module = import_module(f"dtm_sdk.testing.checks.{name}")
        for value in vars(module).values():
            found = getattr(value, "dtm_check", None)
            if isinstance(found, Check) and found.body.__module__ == module.__name__:
                yield found


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the contract."""
    by_id: dict[str, list[Check]] = {}
    for each in checks():
        by_id.setdefault(each.rule, []).append(each)
    return tuple(_rule(each, by_id[each]) for each in by_id)


def rule(id_: str) -> Rule:
    """The rule of that id.

    Raises:
        KeyError: there is none.
    """
    return {each.id: each for each in rules()}[id_]


def _rule(id_: str, tests: Sequence[Check]) -> Rule:
    documented = next((each for each in tests if "Why" in _sections(each.body)), tests[0])
    said = _sections(documented.body)
    text = " ".join(said[""].split())
    return Rule(id_, text, said.get("Why", ""), said.get("Wrong", ""), said.get("Mend", ""), tuple(tests))


_HEADING: Final = re.compile(r"^(Why|Wrong|Mend):[ \t]*\n?", re.MULTILINE)


def _sections(body: Body) -> dict[str, str]:
    """The parts of a docstring: what comes first under an empty name."""
    first, *rest = _HEADING.split(cleandoc(body.__doc__ or ""))
    named = dict(zip(rest[::2], rest[1::2], strict=True))
    return {"": first.strip(), **{name: dedent(text).strip() for name, text in named.items()}}
