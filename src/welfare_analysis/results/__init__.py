"""Every published table, declared: one module a subject, a few lines a table."""

from .catalogue import TOPICS, release
from .descriptive import HEADLINES

__all__ = ["HEADLINES", "TOPICS", "release"]
