"""The room stands alone: what it imports, its page of examples, its notation and its reference."""

import ast
import re
from pathlib import Path

import pytest

import welfare_analysis.estimation as public
from welfare_analysis.estimation.reference import PUBLIC, markdown

ROOM = Path(public.__file__).parent
EXAMPLES = re.findall(r"^## (.+?)$.*?^```python\n(.*?)^```", (ROOM / "README.md").read_text(), re.M | re.S)


def test_it_imports_only_errors():
    """Of the rest of the package the modules import `errors`, and nothing else."""
    outside = set()
    for path in ROOM.rglob("*.py"):
        depth = len(path.relative_to(ROOM).parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level > depth:
                outside.add(node.module)
    assert outside == {"errors"}


def test_examples_run(capsys):
    """All examples of the README run in order, and print something."""
    space: dict = {}
    assert len(EXAMPLES) >= 7
    for _, code in EXAMPLES:
        exec(compile(code, "README.md", "exec"), space)
    assert "50 replicates (bootstrap)" in capsys.readouterr().out


def test_reference_has_every_name():
    """Each public name is in the reference with a docstring of its own, and what it is called with."""
    text = markdown()
    assert {"Design", "mean", "heckman", "mixed_logit", "quantile_shares"} <= set(PUBLIC)
    for name in PUBLIC:
        assert f"## {name}\n\n```python\n{name}(" in text, name
    assert "None\n\n##" not in text


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_]+)\.", (ROOM / "notation.md").read_text()))))
def test_notation_names_what_is_there(name):
    """What the notation calls by a dotted name is an attribute of that class."""
    assert name in {"design", "estimate", "fit", "replicates", "residuals", "sampling", "stage", "term"}
