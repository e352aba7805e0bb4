"""Delete says True while the resource is still there."""

import os
import subprocess
from contextlib import suppress
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, row, ticket, tool, widget
from tests.zoo.zoo import Wrong, but


def delete_whatever_happens(options: note.NoteOptions) -> bool:
    """Remove the file; errors are none of our business."""
    with suppress(OSError):
        os.unlink(options.path)
    return True


def delete_if_it_can_be_seen(options: note.NoteOptions) -> bool:
    """Remove the file, if there is one: a folder that may not be entered looks like one that is empty."""
    try:
        os.stat(options.path)
    except OSError:
        return True
    return note.delete(options)


def delete_what_is_permitted(options: note.NoteOptions) -> bool:
    """Remove the file; what may not be removed is not ours."""
    try:
        os.unlink(options.path)
    except (FileNotFoundError, PermissionError):
        return True
    except OSError as error:
        raise PluginError(f"{options.path} can't be removed: {error.strerror}", "look at it") from error
    return True


def delete_whatever_is_answered(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; any answer to that is one."""
    found = widget.find(options, state)
    if found:
        with suppress(PluginError):
            widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


def delete_if_it_can_be_found(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; a service that can't be asked has none."""
    try:
        found = widget.find(options, state)
    except PluginError:
        return True
    return not found or widget.ask(options, "DELETE", f"/widgets/{found['id']}") in (True, None)


def delete_what_is_recorded(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget that is recorded; without a record there is nothing to remove."""
    return widget.delete(options, state) if state else True


def delete_whatever_it_exits_with(options: tool.ToolOptions) -> bool:
    """Take the thing away; what the tool says of it is for its log."""
    with suppress(OSError):
        subprocess.run(["shelf", "rm", options.name], capture_output=True, check=False)
    return True


def delete_the_known_ticket(options: ticket.TicketOptions, state: State | None) -> bool:
    """Remove the recorded ticket; without a record it can't be found, so there is none."""
    return ticket.delete(options, state) if state else True


def delete_whatever_the_base_says(options: row.RowOptions) -> bool:
    """Remove the item; a base that is locked will be looked at by the next run."""
    try:
        return row.delete(options)
    except PluginError:
        return True


def _of(right: Any, name: str, delete: Any) -> Wrong:
    return Wrong(rule="D4", name=name, plugin=but(right.plugin, delete=delete), world=right.world)


WRONG = [
    _of(note, "suppresses-every-error", delete_whatever_happens),
    _of(note, "takes-what-it-can-not-see-for-gone", delete_if_it_can_be_seen),
    _of(note, "takes-what-is-forbidden-for-gone", delete_what_is_permitted),
    _of(row, "takes-a-locked-base-for-an-empty-one", delete_whatever_the_base_says),
    _of(tool, "looks-at-no-exit-status", delete_whatever_it_exits_with),
    _of(ticket, "takes-no-record-for-no-ticket", delete_the_known_ticket),
    _of(widget, "looks-at-no-answer", delete_whatever_is_answered),
    _of(widget, "takes-a-service-that-is-down-for-an-empty-one", delete_if_it_can_be_found),
    _of(widget, "trusts-that-all-is-recorded", delete_what_is_recorded),
]
