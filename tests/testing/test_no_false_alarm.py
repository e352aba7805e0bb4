"""What right plugins do, and a check must let pass."""

from threading import Event

from dtm_sdk.testing import HttpWorld
from tests.zoo.right import note, widget
from tests.zoo.right.widget_service import WidgetService
from tests.zoo.wrong.f1 import world_with_mv
from tests.zoo.zoo import Kept, findings


def test_a_command_that_read_does_not_start_may_fail() -> None:
    """A plugin may write by a command, and read by itself."""
    found = list(findings(Kept("note", note.plugin, world_with_mv), ["R4"]))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


def world_that_takes_its_time() -> HttpWorld:
    """A service that comes to a change late: what is asked after it, on another connection, is answered before it."""

    def is_change(method: str, path: str) -> bool:
        if method != "GET":
            Event().wait(0.02)
        return method != "GET"

    service = WidgetService()
    state = service.state
    return HttpWorld(service, state, url_option="url", volatile=["widgets.*.created"], mutating=is_change)


def test_a_service_may_be_at_work_still_when_its_client_has_given_up() -> None:
    """F1 sees to it at the same place, and takes longer."""
    found = list(findings(Kept("widget", widget.plugin, world_that_takes_its_time), ["F4"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []
