"""What leaves the study: protected tables, figures, sentences and the report."""

from .catalogue import release
from .disclosure import protect
from .plan import Release, Released

__all__ = ["Release", "Released", "protect", "release"]
