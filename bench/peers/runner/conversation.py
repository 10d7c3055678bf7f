"""A worker process from the outside: pinned to one core, one thread, orders in and figures out."""

import json
import os
import subprocess
import sys

from .plan import HERE

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
# Chosen for old OpenBLAS builds on some machines; they would slow a current numpy.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment():
    """The environment of everything that is measured."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return kept | {name: "1" for name in ONE_THREAD} | {"PYTHONPATH": str(HERE)}


class Conversation:
    """A worker at work on one peer."""

    def __init__(self, peer, folder, core, rust):
        program = [sys.executable, "-m", "runner.worker"] if peer.in_python else [str(rust)]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), *program, peer.library, json.dumps(peer.build), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            start_new_session=True,  # An interrupt at the terminal is the runner's to answer.
        )
        self.name = peer.name

    def order(self, **order):
        """Sends one order and returns the first line of the answer."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        """The next line. What a library itself prints is passed over."""
        for line in self.process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if isinstance(answer, dict):
                return answer
        raise RuntimeError(f"{self.name}: the worker ended with code {self.process.wait()}")

    def close(self):
        """Ends the worker."""
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def kill(self):
        """Ends the worker at once; nothing where it has ended."""
        self.process.kill()
