"""Kernels of a report: forked from one process that has imported the library and opened the study (`warm`).

Importing and opening take some seconds, and every page needs both. Where the operating system is not known to fork
well, a kernel starts from nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

FORKS = sys.platform == "linux"


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this code, whatever else the user has registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class Warm:
    """The process that kernels are forked from; it ends with the block that it is opened for.

    Parameters
    ----------
    variables : mapping
        Name the files of the study.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
            start_new_session=True,  # Ctrl-C is for the manager, which ends its kernels
        )
        self.one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def fork(self, connection: str, variables: Mapping[str, str], folder: str) -> _Forked:
        """Start the kernel of a connection file, with its own variables, in a folder."""
        assert self.process.stdin
        assert self.process.stdout
        with self.one_at_a_time:
            print(json.dumps([connection, dict(variables), str(folder)]), file=self.process.stdin, flush=True)
            return _Forked(int(self.process.stdout.readline()))


class _Forked:
    """A kernel with the methods of `subprocess.Popen` that its manager asks for: it is no child of this process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self) -> int | None:
        return self.poll()

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class _Manager(AsyncKernelManager):
    """Has its kernel forked."""

    warm: Warm

    async def _async_launch_kernel(self, kernel_cmd: list[str], **named: Any) -> None:
        forked = self.warm.fork(self.connection_file, named["env"], named["cwd"])
        self.provisioner.process = forked  # type: ignore[union-attr]


def manager(connection: Path, warm: Warm | None) -> AsyncKernelManager:
    """The manager of a kernel that is not started yet; the file ``connection`` will hold its keys."""
    kind = AsyncKernelManager if warm is None else _Manager
    made = kind(kernel_name="python3", kernel_spec_manager=_ThisInterpreter(), connection_file=str(connection))
    if isinstance(made, _Manager) and warm is not None:
        made.warm = warm
    return made
