"""What should come of a sequence of edits, applies and mishaps: the table of CONTRACT, section 2, once more, by itself.

It imports nothing of the planner or the runner: what it says is held against what they do.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct, field

Kind = Literal["want", "change", "drop", "rename", "tamper", "remove", "lose", "crash", "fault", "apply"]
EDITS: Final[tuple[Kind, ...]] = (
    *("want", "change", "change", "drop", "rename", "tamper", "tamper"),
    *("remove", "lose", "lose", "crash", "crash", "fault"),
)
"""The steps between applies; what can go wrong in more ways stands there more often."""


class Step(Struct, frozen=True):
    """One step of a sequence. Numbers are taken modulo what there is, so that any numbers make a step.

    Attributes:
        kind: `want`: tool `a` shall have identity `b` and variant `c` of its options. `change`: tool `a` gets the next
            variant. `drop`: tool `a` leaves the config. `rename`: tool `a` is called `b`. `tamper`: what the `a`-th
            record is of is changed behind the plugin's back, at its `b`-th place. `remove`: it is removed so. `lose`:
            the state is lost, then applied. `crash`: an apply whose process dies in operation `a`, at call `b`.
            `fault`: an apply in which call `b` of operation `a` fails, then another. `apply`: an apply.
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
        uncertain: a run has died since the last apply: what is recorded and there is not known now.
    """

    config: dict[int, Wanted] = field(default_factory=dict)
    records: dict[int, Wanted] = field(default_factory=dict)
    world: dict[int, int] = field(default_factory=dict)
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
            action = self._decide(name, wanted) or ("Move" if name in moved else "")
            if action:
                done.append(f"{action} {name}")
            self.world[wanted.identity] = wanted.variant
            self.records[name] = wanted
        self.uncertain = False
        return sorted(done)

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
            if name in self.records:
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
