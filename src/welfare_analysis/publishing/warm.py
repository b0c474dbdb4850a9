"""The process that the kernels of a report are forked from: ``python -m welfare_analysis.publishing.warm``.

A line on its input asks for a kernel: its connection file, its variables and its folder, as JSON; the answer is the
number of the process. It ends with its input, and its kernels with it.
"""

import gc
import json
import os
import signal
import sys
from contextlib import suppress

from ipykernel.kernelapp import IPKernelApp

from .. import publishing
from ..results import runs
from ..study import Study
from . import figures  # noqa: F401 - each page draws, and finds it here


def serve(connection: str, variables: dict[str, str], folder: str) -> None:
    """Be a kernel until it is to end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.setsid()
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    app = IPKernelApp.instance(parent_handle=os.getppid())  # it ends, with the answers it holds, when that is killed
    app.initialize(["-f", connection, "--log-level=ERROR"])
    publishing.notebook.register()
    app.start()


if __name__ == "__main__":
    with suppress(Exception):  # the first cell of each page opens it again, and says what is wrong
        Study.open()
        runs.stale(runs.stored())  # of which code each run is: many pages say it
    gc.freeze()  # what no collection touches stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that have ended leave nothing behind
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
        else:
            serve(*json.loads(line))
            os._exit(0)
