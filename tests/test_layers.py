"""server -> rooms -> crdt: no package imports one above it, nor in a circle; load stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT = {
    "crdt": set(),
    "rooms": {"crdt"},
    "server": {"crdt", "rooms"},
    "load": {"crdt"},  # for the codecs
}


def nodes(tree: ast.AST, *, types_too: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if types_too or not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from nodes(node, types_too=types_too)


def imports(source: str, module: str, *, is_package: bool = False, types_too: bool = True) -> Iterator[str]:
    """Every module that a module's source imports, wherever in it, full names; `types_too`: also those that
    only the type checker sees."""
    parts = module.split(".")
    for node in nodes(ast.parse(source), types_too=types_too):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = parts[: len(parts) - node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and ast.unparse(node.func) in ("__import__", "import_module", "importlib.import_module")
        ):
            yield node.args[0].value


def modules() -> dict[str, Path]:
    found = {}
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if ".venv" in parts or "node_modules" in parts:  # of the benchmark's peers
                continue
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def graph() -> dict[str, set[str]]:
    known = modules()
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        names = imports(path.read_text(), module, is_package=path.name == "__init__.py", types_too=False)
        edges[module] = {name for name in names if name in known and name != module}
    return edges


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_package_imports_upwards(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{module} imports {name}"
        for module, path in modules().items()
        if module.split(".")[0] == package
        for name in imports(path.read_text(), module, is_package=path.name == "__init__.py")
        if name.split(".")[0] in MAY_IMPORT.keys() - allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_one_another_in_a_circle() -> None:
    edges = graph()
    state: dict[str, bool] = {}  # False while on the path, True when done

    def walk(module: str, path: list[str]) -> None:
        state[module] = False
        for other in sorted(edges[module]):
            if other not in state:
                walk(other, [*path, other])
            elif not state[other] and not _is_own_package(module, other):
                pytest.fail("a circle of imports: " + " -> ".join([*path[path.index(other) :], other]))
        state[module] = True

    for module in sorted(edges):
        if module not in state:
            walk(module, [module])


def _is_own_package(module: str, other: str) -> bool:
    """`from package import sibling` names the package too, which is no circle."""
    return module.startswith(other + ".")


def test_the_watchman_sees_imports_wherever_they_hide() -> None:
    source = """
import server.app
def later():
    from rooms.documents.live import Room
    from ..access import Principal
    importlib.import_module("server.cli")
if TYPE_CHECKING:
    from . import sibling
"""
    assert set(imports(source, "rooms.deep.module")) >= {
        "server.app",
        "rooms.documents.live",
        "rooms.access",
        "server.cli",
        "rooms.deep.sibling",
    }
    assert modules().keys() >= {"crdt.document", "rooms.rights.access", "server.config"}
