"""A right plugin for the entries of an LDAP directory, which it asks through the tools of OpenLDAP."""

import os
import re
import subprocess
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, Secret, State, Tuning
from tests.zoo.right.directory import ADMIN, NO_SUCH_OBJECT, PASSWORD, SUFFIX, DirectoryWorld, parsed, record, server


class EntryOptions(Options):
    """Options of the entry plugin."""

    name: Annotated[Identity[str], Meta(min_length=1, max_length=60, description="The common name of the person.")]
    surname: Annotated[str, Meta(min_length=1, max_length=60, description="The surname.")]
    mails: Annotated[list[str], Meta(description="Addresses, in the order of the alphabet.")] = []
    note: Annotated[str, Meta(max_length=1000, description="A remark; none where it is empty.")] = ""
    url: Annotated[Tuning[str], Meta(description="Where the directory is.")] = "ldap://directory.example"
    password: Annotated[Tuning[Secret], Meta(description="The administrator's.")]
    timeout: Annotated[Tuning[float], Meta(gt=0, le=600, description="Seconds that a command may take.")] = 1.0


EXAMPLES: list[dict[str, Any]] = [
    {"name": "ann", "surname": "Smith", "password": PASSWORD},
    {
        "name": "ann",
        "surname": "Smith-Jönes",
        "mails": ["a@zoo.example", "ann@zoo.example"],
        "note": "on leave",
        "password": PASSWORD,
        "timeout": 1.5,
    },
    {"name": "bob", "surname": "Bo", "mails": ["bob@zoo.example"], "password": PASSWORD},
]


def validate(options: EntryOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.name, options.surname, options.note]
    messages = []
    if not re.fullmatch(r"[a-z0-9-]+", options.name):
        messages.append("name is lower-case letters, digits and '-'")
    if any(not char.isprintable() for text in texts for char in text) or any(text != text.strip() for text in texts):
        messages.append("a text is printable, without a space at its ends")
    if any("  " in text for text in texts):
        messages.append("a text has no two spaces in a row: the directory takes them for one")
    if any(not mail.isascii() or not mail.isprintable() or not mail.strip() for mail in options.mails):
        messages.append("a mail address is printable ASCII")
    folded = [mail.lower() for mail in options.mails]
    if options.mails != sorted(options.mails) or len(set(folded)) < len(folded) or " " in "".join(options.mails):
        messages.append("mails stand in the order of the alphabet, each once, without a space")
    if not options.url.startswith(("ldap://", "ldaps://", "ldapi://")) or not options.url.isprintable():
        messages.append("url starts with ldap://, ldaps:// or ldapi://")
    if "\0" in options.password.reveal() or not options.password.reveal().isprintable():
        messages.append("password is printable")
    return messages


def run(options: EntryOptions, tool: str, *words: str, data: str = "") -> str | None:
    """What a tool prints; None where it says that there is no such entry. The password goes to it through a pipe."""
    reader, writer = os.pipe()
    command = [tool, "-x", "-H", options.url, "-D", ADMIN, "-y", f"/dev/fd/{reader}", *words]
    try:
        with open(writer, "w") as pipe:
            pipe.write(options.password.reveal())
        ran = subprocess.run(
            command,
            input=data,
            capture_output=True,
            text=True,
            timeout=options.timeout,
            check=False,
            pass_fds=[reader],
        )
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired) as error:
        raise PluginError(f"{tool}: {type(error).__name__}", f"look whether {options.url} runs") from error
    finally:
        os.close(reader)
    if ran.returncode == NO_SUCH_OBJECT:
        return None
    if ran.returncode:
        said = ran.stderr.strip().partition("\n")[0]
        raise PluginError(f"{tool} failed with {ran.returncode}: {said}", f"look at {options.url}")
    return ran.stdout


def place(options: EntryOptions) -> str:
    """The name of the entry."""
    return f"cn={options.name},ou=people,{SUFFIX}"


def find(options: EntryOptions) -> State | None:
    """What there is of the entry."""
    said = run(options, "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", place(options), "-s", "base")
    if said is None:
        return None
    try:
        entry = parsed(said)[place(options)]
        (surname,), note = entry["sn"], entry.get("description", [""])[0]
    except (ValueError, KeyError) as error:
        raise PluginError("ldapsearch says what can't be understood", "look whether it is the right version") from error
    mails = sorted(entry.get("mail", []))
    return {
        "name": options.name,
        "surname": surname,
        "mails": mails,
        "note": note,
        "outputs": {"dn": place(options)},
    }


def create(options: EntryOptions) -> State:
    """Add the entry, or change the one that is there."""
    wanted = {"sn": [options.surname], "mail": options.mails, "description": [options.note] if options.note else []}
    if find(options):
        change = record(place(options), "modify", wanted)
    else:
        given = {key: values for key, values in wanted.items() if values}
        change = record(place(options), "add", {"objectClass": ["inetOrgPerson"], "cn": [options.name], **given})
    run(options, "ldapmodify", data=change)
    state = find(options)
    if not state:
        raise PluginError(f"the entry {options.name} has gone", "apply again")
    return state


def read(options: EntryOptions) -> State | None:
    """Describe the entry."""
    return find(options)


def update(options: EntryOptions) -> State:
    """Change the entry, or add it again."""
    return create(options)


def delete(options: EntryOptions) -> bool:
    """Remove the entry."""
    run(options, "ldapdelete", place(options))
    return True


world = DirectoryWorld
ready = server

plugin = Plugin(
    name="entry",
    options=EntryOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    stable=["outputs.dn"],
)
