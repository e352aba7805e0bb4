"""The budgets that keep the package readable: how long a module and a function may be, and what needs a docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

import dtm_sdk

PACKAGE = Path(dtm_sdk.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_template" not in path.parts)  # no Python yet
MODULE_LINES = 350
FUNCTION_LINES = 60

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Documented: TypeAlias = Function | ast.ClassDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function of a module: methods and inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function, from its `def`, without its docstring."""
    first = function.body[0]
    docstring = 0 if ast.get_docstring(function) is None else (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Public classes, functions and methods, each with its dotted name; what is inside a private one is private."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


def over_budget(source: str) -> list[str]:
    """What is too long or undocumented in the text of a module; empty when all is well."""
    tree = ast.parse(source)
    lines = len(source.splitlines())
    found = [f"has {lines} lines"] if lines > MODULE_LINES else []
    found += [f"{item.name} has {length(item)} lines" for item in functions(tree) if length(item) > FUNCTION_LINES]
    found += [] if ast.get_docstring(tree) else ["has no docstring"]
    return found + [f"{name} has no docstring" for name, node in public(tree.body) if not ast.get_docstring(node)]


@pytest.mark.parametrize("module", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_a_module_keeps_the_budgets(module: Path) -> None:
    assert over_budget(module.read_text("utf-8")) == []


LONG = "\n".join(["    x = 1"] * 60)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""A module."""' + "\n" * 351, ["has 351 lines"]),
        ("x = 1", ["has no docstring"]),
        (f'"""A module."""\ndef _f():\n{LONG}', ["_f has 61 lines"]),
        (f'"""A module."""\nclass _C:\n  async def f():\n    """What it does."""\n{LONG}', ["f has 61 lines"]),
        ('"""A module."""\ndef f():\n  def g(): ...', ["f has no docstring"]),
        ('"""A module."""\nclass C:\n  def f(self): ...', ["C has no docstring", "C.f has no docstring"]),
    ],
)
def test_what_is_over_budget_is_found(source: str, found: list[str]) -> None:
    assert over_budget(source) == found


@pytest.mark.parametrize(
    "source",
    [
        '"""A module."""' + "\n" * 350,
        f'"""A module."""\ndef _f():\n    """What it does.\n\n    And how.\n    """\n{LONG[10:]}',
        '"""A module."""\ndef _f():\n  class C:\n    def f(self): ...',
        '"""A module."""\nclass _C:\n  def f(self): ...',
    ],
)
def test_what_is_within_budget_is_let_through(source: str) -> None:
    assert over_budget(source) == []
