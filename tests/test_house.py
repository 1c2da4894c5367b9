"""The plan of the house holds: who may import whom."""

import ast
import sys
from pathlib import Path

import pytest

STANDARD = set(sys.stdlib_module_names)
SOURCE = Path(__file__).parents[1] / "src" / "clary"

GROUND = {
    "database": set(),
    "wire": {"files"},
    "records": {"database"},
    "objects": {"database", "settings"},
    "policies": set(),
    "instance": {"files"},
    "engines": {"instance", "files", "settings"},
    "toolkits": set(),
    "algorithms": {"toolkits"},
    "images": {"instance"},
    "routing": {"instance", "records"},
    "registry": {"database", "objects"},
    "messages": {"database"},
}
ALLOWED = {
    **GROUND,
    "control": set(GROUND) | {"settings", "arns"},
    "services": set(GROUND) | {"settings", "arns", "control"},
    "gateways": set(GROUND) | {"settings", "control", "services"},
    "settings": set(),
    "arns": set(),
    "files": set(),
}


def imports_of(module: Path) -> set[str]:
    """The rooms of Clary that a module imports, at any depth of its code."""
    rooms = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("clary.")}
    return rooms


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_lies_below(room: str) -> None:
    modules = list((SOURCE / room).rglob("*.py")) or [SOURCE / f"{room}.py"]
    assert modules
    for module in modules:
        strays = imports_of(module) - ALLOWED[room] - {room, "__version__"}
        assert not strays, f"{module.relative_to(SOURCE)} imports {sorted(strays)}"


@pytest.mark.parametrize("contract", ["engines/base.py", "objects/base.py", "services/sagemaker/jobs/base.py"])
def test_contracts_are_short(contract: str) -> None:
    lines = (SOURCE / contract).read_text().splitlines()
    assert len(lines) < 60


def test_the_agent_needs_the_standard_library_alone() -> None:
    for module in [*(SOURCE / "instance").rglob("*.py"), SOURCE / "files.py"]:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            outside = {name.split(".")[0] for name in names} - STANDARD - {"clary", "__future__"}
            assert not outside, f"{module.name} imports {sorted(outside)}"
