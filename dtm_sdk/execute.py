"""Plan x plugins -> Batches of what begins and what ended. All concurrency is here.

The runner pulls batches and makes each durable before it pulls the next; only then what the batch begins is called,
and what waits for what it ended is released. So an intent is on disk before its call and an outcome before it is
reported, one fsync serves all that is ready, and there is one writer.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from dtm_sdk.changes import Change, Plan, delete_node, recorded, title
from dtm_sdk.decide import Action, Desired, Seen, decide, lasting, output_in
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Began, Done, Event, Failed, Kept, Notice, Outcome, Said, Skipped
from dtm_sdk.intents import Intents
from dtm_sdk.operations import Calls, Op, operations
from dtm_sdk.options import Options
from dtm_sdk.plan import Planner, Question
from dtm_sdk.progress import Node, Progress
from dtm_sdk.running import Running
from dtm_sdk.state import Begin, End, Entry, Put, Record
from dtm_sdk.workers import Stop, Workers

AHEAD: Final = 8
"""How many operations are begun for each thread: the more, the more share an fsync and the less a thread waits for the
next one; and the more a run that dies has to look at again."""


class Batch(NamedTuple):
    """What happened since the last one.

    Attributes:
        entries: for the journal: to be durable before the next batch is asked for.
        events: to be told once the entries are durable.
    """

    entries: list[Entry]
    events: list[Event]


class Executor:
    """Executes one plan."""

    def __init__(
        self,
        plan: Plan,
        calls: Calls,
        records: Mapping[str, Record],
        workers: Workers,
        stop: Stop,
        running: Running,
        *,
        planner: Planner | None = None,
        ask: Callable[[Change], bool] = lambda change: True,
        intents: Mapping[int, Begin] | None = None,
    ) -> None:
        """Take a plan.

        Args:
            plan: what to do.
            calls: calls the plugins.
            records: key -> record, as the caller keeps it: with every entry of the batches so far folded in.
            workers: the threads that call.
            stop: set by an interrupt: nothing new starts.
            running: says which calls take too long.
            planner: decides what is known only after apply.
            ask: whether a Replace that was decided late may go on.
            intents: those that runs which died have left open: id -> intent.
        """
        self._plan = plan
        self._calls = calls
        self._records = records
        self._workers = workers
        self._stop = stop
        self._running = running
        self._planner = planner
        self._ask = ask
        self._intents = Intents((intents or {}).values())
        self._progress = Progress(plan)
        self._begun: dict[int, tuple[Node, Op | None]] = {}
        self._left: dict[int, Op] = {}
        self._waiting: list[Node] = []
        self._deleted: set[str] = set()
        self._told_stop = False
        self._batch = Batch([], [])

    def run(self) -> Iterator[Batch]:
        """The batches; the last one leaves nothing running."""
        self._store_moves()
        for key in self._plan.failures:
            for name in {key, delete_node(key)} & self._progress.nodes.keys():
                self._break(self._progress.nodes[name], f"{key} failed")
        while True:
            starting = self._start()
            batch, self._batch = self._batch, Batch([], [])
            if batch.entries or batch.events:
                yield batch
            for job in starting:
                self._workers.submit(partial(self._work, *job))
            while self._waiting:  # only now that what they refer to is recorded
                self._resolve(self._waiting.pop())
            if self._begun:
                self._workers.gather()  # what ends together shares an fsync
                for result in self._workers.results(self._running.wait()):
                    self._take(result)
                self._give_up()
            elif not self._release_parked():
                return

    def _give_up(self) -> None:
        """Leave the calls that take too long: their intents stay open; an outcome that comes late is recorded."""
        for id_ in self._running.overdue():
            node, op = self._begun.pop(id_)
            change, error = node.change, f"no answer after {self._running.seconds(id_):.0f} s"
            self._running.ended(id_)
            self._workers.give_up_one()
            if change and op:
                self._left[id_] = op
                error += "; the next run looks at what came of it"
                self._batch.events.append(Failed(change.key, change.name, change.plugin, op.action, error))
                self._break(node, f"{node.name} failed")
            elif change:
                self._fail(node, f"{title(change.name, change.plugin)} can't be read: {error}")
        if self._told_stop or not self._stop.is_set():
            return
        self._told_stop = True
        text = self._running.waited_for((id_, node.name) for id_, (node, _) in self._begun.items())
        if text:
            self._batch.events.append(Notice("warning", text))

    def _store_moves(self) -> None:
        for change in self._plan.changes:
            if change.was and change.record:
                if change.was in self._records:  # else all that is known of it is the intent of a Create
                    self._batch.entries.append(Put(lasting(change.record), change.was))
                self._batch.entries.extend(self._intents.moved(change.record, change.was))

    def _start(self) -> list[tuple[int, Op, Options]]:
        """Begin what is ready and has room; intents go into the batch."""
        starting: list[tuple[int, Op, Options]] = []
        ready = self._progress.ready
        while ready and not self._stop.is_set() and len(self._begun) < AHEAD * self._workers.count:
            node = ready[0]
            if node.ops and len(self._begun) >= self._workers.count and node.ops[0].manual:
                break  # an intent that waits for a thread would stop the next run, were this one to die
            ready.popleft()
            if node.ended:
                continue
            if node.ops:
                if not (node.ops[0].makes and self._held(node, node.ops[0].desired)):
                    starting += self._begin(node)
            elif node.change and node.change.action is Action.LATE:
                self._waiting.append(node)
            else:
                kept = node.change
                self._end(node, Done(kept.key, kept.name, kept.plugin, kept.action, kept.record) if kept else None)
        return starting

    def _begin(self, node: Node) -> list[tuple[int, Op, Options]]:
        op = node.ops.pop(0)
        try:
            options = self._calls.options(op)
        except DtmError as error:
            change = op.change
            self._batch.events.append(Failed(change.key, change.name, change.plugin, op.action, str(error)))
            self._break(node, f"{change.key} failed")
            return []
        id_ = self._intents.number()
        self._begun[id_] = node, op
        self._batch.entries.append(Begin(id_, op.operation, op.intent()))
        return [(id_, op, options)]

    def _work(self, id_: int, op: Op, options: Options) -> None:
        """In a worker: one call."""
        put, change = self._workers.put, op.change
        if self._stop.is_set():
            put((id_, Skipped(change.key, change.name, change.plugin, op.action, self._stop.because)))
            return
        put((id_, Began(change.key, change.name, change.plugin, op.action)))
        try:
            resource = self._calls.operate(op, options)
        except DtmError as error:
            trace = getattr(error, "trace", "")
            put((id_, Failed(change.key, change.name, change.plugin, op.action, str(error), trace)))
        else:
            record = None if op.action is Action.DELETE else op.outcome(resource)
            put((id_, Done(change.key, change.name, change.plugin, op.action, record)))

    def _take(self, result: object) -> None:
        """Take in what a worker has put: a line, what Read said, or an outcome."""
        match result:
            case (int() as id_, (Done() | Failed() | Skipped()) as outcome):
                self._outcome(id_, outcome)
            case (int() as id_, Question() as question, Seen() as seen) if id_ in self._begun:
                node, _ = self._begun.pop(id_)
                self._running.ended(id_)
                self._decide(node, question, seen)
            case (int() as id_, None):
                self._running.began(id_)
            case (int() as id_, Began() as began):
                self._running.began(id_)
                self._batch.events.append(began)
            case Said() | Notice():
                self._batch.events.append(result)

    def _outcome(self, id_: int, outcome: Done | Failed | Skipped) -> None:
        self._running.ended(id_)
        node, op = self._begun.pop(id_, (None, None))
        if node is None or op is None:
            self._late_outcome(self._left.pop(id_), id_, outcome)
        elif isinstance(outcome, Done):
            self._batch.entries.extend([End(id_, outcome.record), *self._intents.done_again(op.change.key)])
            if op.action is Action.DELETE:
                self._deleted.add(op.change.key)
            if node.ops:
                self._batch.events.append(outcome)
                self._progress.ready.append(node)
            else:
                self._end(node, outcome)
        else:
            error = outcome.error if isinstance(outcome, Failed) else outcome.because
            unsure = op.manual and isinstance(outcome, Failed) and outcome.trace
            if not unsure:  # else: who knows whether it was made?
                self._batch.entries.append(End(id_, error=error))
            self._batch.events.append(outcome)
            self._break(node, f"{op.change.key} failed")

    def _late_outcome(self, op: Op, id_: int, outcome: Done | Failed | Skipped) -> None:
        """What was given up has ended after all: a success is recorded, but what waited for it stays skipped."""
        if isinstance(outcome, Done):
            self._batch.entries.extend([End(id_, outcome.record), *self._intents.done_again(op.change.key)])
            self._batch.events.append(outcome)

    def _end(self, node: Node, outcome: Outcome | None) -> None:
        """A node is done, and what comes of it is told."""
        if outcome:
            self._batch.events.append(outcome)
        self._progress.end(node)

    def _break(self, node: Node, because: str) -> None:
        """A node can't be done: nothing that waits for it is touched."""
        for skipped in self._progress.fail(node):
            if change := skipped.change:
                action = skipped.ops[0].action if skipped.ops else change.action
                self._batch.events.append(Skipped(change.key, change.name, change.plugin, action, because))

    def _resolve(self, node: Node) -> None:
        """Look at a tool that had to wait: resolve its references, wait for what holds its identity, read it."""
        if not (self._planner and node.change):
            raise ValueError(f"{node.name}: only a planner decides late")
        change = node.change
        going = self._progress.nodes.get(delete_node(change.key))
        if going and not going.ended:  # it had to give up its identity to another one
            self._progress.park(node, going)
            return
        try:
            desired = self._planner.desire_late(change.key, partial(output_in, self._records))
        except DtmError as error:
            self._fail(node, f"{title(change.name, change.plugin)} can't be resolved: {error}")
            return
        if self._held(node, desired):
            return
        gone = change.key in self._deleted
        question = Question(desired, None if gone else self._planner.records.get(change.key))
        id_ = self._intents.number()
        self._begun[id_] = node, None
        self._workers.submit(partial(self._read, id_, question))

    def _read(self, id_: int, question: Question) -> None:
        """In a worker: one Read."""
        self._workers.put((id_, None))
        seen = Seen(error="interrupted") if self._stop.is_set() else self._calls.read(question)
        self._workers.put((id_, question, seen))

    def _held(self, node: Node, desired: Desired | None) -> bool:
        """Whether another record holds the identity of a tool: then its node waits for that one, or fails."""
        owners = self._planner.still_owners(desired, self._holding) if self._planner and desired else []
        for owner in owners:
            going = self._progress.nodes.get(delete_node(owner)) or self._progress.nodes.get(owner)
            if going is None or going.ended:
                self._fail(node, f"{node.name} wants the resource that is recorded as {owner}'s")
            else:
                self._progress.park(node, going)
            return True
        return False

    def _holding(self, key: str) -> Record | None:
        """The record by which a tool holds a resource; what a run that died may have made is held too."""
        if self._planner and self._intents.open(key):
            return self._planner.records.get(key)
        return None if key in self._deleted else self._records.get(key)

    def _release_parked(self) -> bool:
        """Nothing runs, and nodes wait for what waits for them: True where there is something to go on with.

        What holds their identity will have to give it up, so its resource is deleted first.
        """
        if self._stop.is_set():
            return False
        stuck = self._progress.unpark()
        for node, holder in stuck:
            record, held_by = self._holding(holder.name), holder.name.removeprefix("delete ")
            if record is None or holder.ended or delete_node(holder.name) in self._progress.nodes:
                self._fail(node, f"{node.name} wants what {held_by} has, which waits for it; apply again")
                continue
            message = f"{title(record.name, record.plugin)} gives up its identity to {node.name}, will be replaced."
            change = Change(record.key, record.name, record.plugin, Action.REPLACE, (message,), record=record)
            if not self._ask(change):
                self._fail(node, f"{node.name} waits for {holder.name}, whose Replace was declined")
                continue
            going = self._progress.add(delete_node(holder.name), change, Op(change, Action.DELETE, None, record))
            self._progress.park(node, going)
        return bool(stuck or self._batch.events)

    def _decide(self, node: Node, question: Question, seen: Seen) -> None:
        """Decide about a tool that had to wait, by the table, and put its operations into its node."""
        desired, record = question
        if not (self._planner and node.change):
            raise ValueError(f"{node.name}: only a planner decides late")
        decision = decide(desired, record, seen, adopt=self._planner.facts.adopt)
        if decision.error:
            self._fail(node, decision.error)
            return
        change = self._planner.late_change(desired, record, seen, decision)
        if change is None:
            noted = recorded(desired, seen.resource or {}, record)
            if noted != record:
                self._batch.entries.append(Put(noted))
            self._end(node, Kept(node.change.key, node.change.name, node.change.plugin))
            return
        if change.action is Action.REPLACE and not self._ask(change):
            skipped = Skipped(change.key, change.name, change.plugin, change.action, "declined")
            self._batch.events.append(skipped)
            self._break(node, f"{change.key} was declined")
            return
        node.ops.extend(operations(change))
        self._progress.ready.append(node)

    def _fail(self, node: Node, error: str) -> None:
        if node.change:
            change = node.change
            self._batch.events.append(Failed(change.key, change.name, change.plugin, change.action, error))
        self._break(node, f"{node.name} failed")
