"""A study that has words and no answers: what labels, sentences and tables ask of one."""

from types import SimpleNamespace

from welfare_analysis.study import Study


class Wording(SimpleNamespace):
    """A codebook and a language, and what else a test names."""

    text, written = Study.text, Study.written
