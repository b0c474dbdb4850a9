"""The reference of the public names, from their docstrings: ``python -m welfare_analysis.estimation.reference``."""

from __future__ import annotations

import inspect

import welfare_analysis.estimation as public

PUBLIC = {name: thing for name, thing in sorted(vars(public).items()) if callable(thing)}


def markdown() -> str:
    """Every public name with its signature and docstring, in Markdown."""
    parts = ["# Reference of `estimation`\n"]
    for name, thing in PUBLIC.items():
        call = f"{name}{inspect.signature(thing)}"
        parts.append(f"## {name}\n\n```python\n{call}\n```\n\n{inspect.getdoc(thing)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(markdown())
