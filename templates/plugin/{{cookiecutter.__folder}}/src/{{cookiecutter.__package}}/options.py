"""The options of the {{ cookiecutter.name }} plugin, and examples of them."""

from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options{% if cookiecutter.world == 'http' %}, Tuning{% endif %}



class {{ cookiecutter.__options }}(Options):
    """Options of the {{ cookiecutter.name }} plugin."""

    # TODO(dtm): what a config may say: for each its type and a description; Identity marks what names it (A2, A6).
{% if cookiecutter.world == 'files' %}
    filename: Annotated[Identity[str], Meta(min_length=1, description="Path of the file, from the working directory.")]
    content: Annotated[str, Meta(description="Text of the file.")] = ""
{% else %}
    name: Annotated[Identity[str], Meta(min_length=1, description="What it is called.")]
    text: Annotated[str, Meta(description="What it says.")] = ""
{% endif %}
{% if cookiecutter.world == 'http' %}
    url: Annotated[Tuning[str], Meta(description="Where the service is.")] = "http://127.0.0.1:8080"
    timeout: Annotated[Tuning[float], Meta(gt=0, description="Seconds to wait for an answer.")] = 10.0
{% endif %}


# TODO(dtm): examples that differ in each option; two of them name the same resource (A4, C3, U1).
EXAMPLES: list[dict[str, Any]] = [
{% if cookiecutter.world == 'files' %}
    {"filename": "foo.txt", "content": "hello, world"},
    {"filename": "foo.txt", "content": "changed"},
{% else %}
    {"name": "first", "text": "hello, world"},
    {"name": "first", "text": "changed"},
{% endif %}
]
