"""What leaves the study: protected tables, figures, sentences and the report."""

from .disclosure import Release, Released, protect

__all__ = ["Release", "Released", "protect"]
