"""A `functools.cache` that remembers failures too: a model that cannot be fitted is not tried again for each table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

STANDARD = functools.cache


def install() -> None:
    """Take the place of `functools.cache`; to be called before the modules that use it are imported."""
    functools.cache = cache


def cache(function: Callable[..., Any]) -> Callable[..., Any]:
    """`functools.cache`, with the error raised again where there was one."""

    @STANDARD
    def attempt(*args: Any, **named: Any) -> tuple[Any, Exception | None]:
        try:
            return function(*args, **named), None
        except Exception as error:
            return None, error.with_traceback(None)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        value, fault = attempt(*args, **named)
        if fault is not None:
            raise fault.with_traceback(None)
        return value

    call.cache_clear, call.cache_info = attempt.cache_clear, attempt.cache_info  # type: ignore[attr-defined]
    return call
