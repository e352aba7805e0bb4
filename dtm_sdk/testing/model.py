"""What should come of a sequence of edits, applies and mishaps: the table of CONTRACT, section 2, once more, by itself.

It imports nothing of the planner or the runner: what it says is held against what they do.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final, Literal

from msgspec import Struct, field

Kind = Literal["want", "change", "drop", "rename", "tamper", "remove", "lose", "crash", "fault", "apply"]
Theme = Literal["edits", "drift", "crashes"]
THEMES: Final[Mapping[Theme, tuple[Kind, ...]]] = {
    "edits": (*("want", "want", "change", "change", "change", "drop", "drop", "rename"), "tamper", "lose", "lose"),
    "drift": (*("tamper", "tamper", "tamper", "remove", "lose", "lose"), *("change", "change", "drop", "want")),
    "crashes": (*("crash", "crash", "crash", "fault", "fault"), *("change", "drop", "want"), "tamper", "lose"),
}
"""What sequences are mostly about -> the steps between applies; each is as likely as it stands there."""


class Step(Struct, frozen=True):
    """One step of a sequence. Numbers are taken modulo what there is, so that any numbers make a step.

    Attributes:
        kind: `want`: tool `a` shall have identity `b` and variant `c` of its options. `change`: tool `a` gets the next
            variant. `drop`: tool `a` leaves the config. `rename`: tool `a` is called `b`. `tamper`: what the `a`-th
            record is of is changed behind the plugin's back, at its `b`-th place. `remove`: it is removed so. `lose`:
            the state is lost, then applied, where the config says all that it said. `crash`: an apply whose process
            dies in operation `a`, at call `b`. `fault`: an apply in which call `b` of operation `a` fails, then
            another. `apply`: an apply.
        a: see `kind`.
        b: see `kind`.
        c: see `kind`.
    """

    kind: Kind
    a: int = 0
    b: int = 0
    c: int = 0


class Wanted(Struct, frozen=True):
    """A resource: which, and with which of its options.

    Attributes:
        identity: number of the identity.
        variant: number of the options with that identity; -1 where it was changed behind the plugin's back.
    """

    identity: int
    variant: int


TAMPERED: Final = -1


class Model(Struct):
    """What is wanted, recorded and there.

    Attributes:
        config: name of a tool -> what is wanted.
        records: name of a tool -> what was made.
        world: number of an identity -> variant that is there.
        named: the options name a resource, so that a record can be moved to another tool.
        uncertain: a run has died since the last apply: what is recorded and there is not known now.
    """

    config: dict[int, Wanted] = field(default_factory=dict)
    records: dict[int, Wanted] = field(default_factory=dict)
    world: dict[int, int] = field(default_factory=dict)
    named: bool = True
    uncertain: bool = False

    def want(self, name: int, wanted: Wanted) -> bool:
        """Put a tool into the config, or change it; not where another one has that identity."""
        taken = any(each.identity == wanted.identity for other, each in self.config.items() if other != name)
        if not taken:
            self.config[name] = wanted
        return not taken

    def rename(self, old: int, new: int) -> bool:
        """Call a tool something else; not what another one is called."""
        if old not in self.config or new in self.config:
            return False
        self.config[new] = self.config.pop(old)
        return True

    def apply(self) -> list[str]:
        """What an apply does, as `Create 1` and so on, in any order; the model is as after it."""
        moved = self._move_records()
        done = self._take_away()
        for name, wanted in self.config.items():
            replaced = f"Delete {name}" in done
            action = "Create" if replaced else self._decide(name, wanted) or ("Move" if name in moved else "")
            if action:
                done.append(f"{action} {name}")
            self.world[wanted.identity] = wanted.variant
            self.records[name] = wanted
        self.uncertain = False
        return sorted(done)

    def is_covered(self) -> bool:
        """Whether the config says all that the records say: nothing is orphaned where these are lost."""
        wanted = {name: each.identity for name, each in self.config.items()}
        return all(wanted.get(name) == record.identity for name, record in self.records.items())

    def lose(self) -> None:
        """Lose the state."""
        self.records.clear()

    def destroy(self) -> None:
        """Delete all that is recorded."""
        for record in self.records.values():
            self.world.pop(record.identity, None)
        self.records.clear()

    def _move_records(self) -> set[int]:
        """A tool without a record takes that of one that has left the config and had its identity; which ones did."""
        moved = set()
        for name, wanted in self.config.items():
            if name in self.records or not self.named:
                continue
            for other, record in self.records.items():
                if other not in self.config and record.identity == wanted.identity:
                    self.records[name] = self.records.pop(other)
                    moved.add(name)
                    break
        return moved

    def _take_away(self) -> list[str]:
        """Delete what has left the config, and what a Replace makes anew."""
        done = []
        for name, record in list(self.records.items()):
            wanted = self.config.get(name)
            if wanted is None or wanted.identity != record.identity:
                done.append(f"Delete {name}")
                self.world.pop(record.identity, None)
                del self.records[name]
        return done

    def _decide(self, name: int, wanted: Wanted) -> str:
        record, there = self.records.get(name), self.world.get(wanted.identity)
        if there is None:
            return "Create"
        if record is None:
            return "Adopt"
        return "Update" if record.variant != wanted.variant or there != record.variant else ""


def sequences(random: Random, theme: Theme, count: int) -> Iterator[list[Step]]:
    """Sequences, which start with something that is there.

    An apply follows most of the steps; before a step that is one itself there is mostly something for it to do.
    """

    def step(kind: Kind) -> Step:
        return Step(kind, *(random.randrange(MOST) for _ in range(3)))

    for _ in range(count):
        steps = [Step("want", c=random.randrange(2)), Step("apply")]
        for _ in range(random.randint(4, 7)):
            kind = random.choice(THEMES[theme])
            steps += [step("change")] if kind in APPLYING and random.random() < 0.7 else []
            steps.append(step(kind))
            steps += [Step("apply")] if kind not in APPLYING and random.random() < 0.6 else []
        yield steps


MOST: Final = 60
"""Numbers of steps are below."""
APPLYING: Final = frozenset({"lose", "crash", "fault"})
"""Steps that are applies themselves."""


def script(steps: Sequence[Step]) -> tuple[str, ...]:
    """A sequence as the lines of a test that runs by itself, in the repository of the plugin."""
    return (
        "from dtm_sdk.testing.model import Step",
        "from dtm_sdk.testing.replay import replay",
        "",
        "",
        "def test_replay(dtm_plugin, dtm_world, tmp_path):",
        "    replay(dtm_plugin, dtm_world, tmp_path, [",
        *(f"        {step!r}," for step in steps),
        "    ])",
    )
