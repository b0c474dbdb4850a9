"""Kernels that start warm: forked from one process that has imported the library and opened the study.

Importing and opening take some seconds, and every page needs both. The process is the fork server of multiprocessing,
which imports `warm` once; where an operating system has none, a kernel starts from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from .notebook import register

WARM = "forkserver" in multiprocessing.get_all_start_methods()


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this code, whatever else the user has registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class _Forked:
    """A forked kernel with the methods of `subprocess.Popen` that its manager asks for."""

    stdin = stdout = stderr = None

    def __init__(self, *arguments: Any) -> None:
        self.process = multiprocessing.get_context("forkserver").Process(target=serve, args=arguments, daemon=True)
        self.process.start()

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(int(self.process.pid or 0), number)

    def kill(self) -> None:
        self.process.kill()

    def terminate(self) -> None:
        self.process.terminate()


class _Manager(AsyncKernelManager):
    """Starts a kernel by a fork."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **named: Any) -> None:
        self.provisioner.process = _Forked(self.connection_file, named["env"], named["cwd"])  # type: ignore[union-attr]


def manager(connection: Path) -> AsyncKernelManager:
    """The manager of a kernel that is not started yet; the file ``connection`` will hold its keys."""
    kind = _Manager if WARM else AsyncKernelManager
    return kind(kernel_name="python3", kernel_spec_manager=_ThisInterpreter(), connection_file=str(connection))


def warm(variables: Mapping[str, str]) -> None:
    """Start the process that kernels are forked from, once; ``variables`` name the files of its study."""
    if not WARM:
        return
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        forkserver.set_forkserver_preload([f"{__package__}.warm"])
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


def serve(connection: str, variables: Mapping[str, str], folder: str) -> None:
    """Be the kernel of a connection file, with the variables and in the folder of a page, until it is told to end."""
    os.setsid()  # Ctrl-C is for the manager, which ends its kernels
    os.environ.clear()
    os.environ.update({**variables, "JPY_PARENT_PID": str(os.getppid())})
    os.chdir(folder)
    app = IPKernelApp.instance()
    app.initialize(["-f", connection, "--log-level=ERROR"])
    register()
    app.start()
