"""What may be shown. Only this package makes `Released`, and only `Released` can be shown, drawn or said."""

from .marks import marks
from .policy import Policy, policy
from .protection import combined, document, evidence, protect, protect_estimate
from .released import CATEGORY, NUMBERS, Lazy, Release, Released, declared, restored

__all__ = [
    "CATEGORY",
    "NUMBERS",
    "Lazy",
    "Policy",
    "Release",
    "Released",
    "combined",
    "declared",
    "document",
    "evidence",
    "marks",
    "policy",
    "protect",
    "protect_estimate",
    "restored",
]
