"""One peer in a process of its own: reads one JSON order a line, answers a JSON line for each figure.

Orders: `{"do": "build", "index": DIR}`, `{"do": "load", "index": DIR, "settings": {…}}` (the parameters of the first
search) and `{"do": "measure", "settings": […], …}`. The Rust peers (`../rust`) speak the same.
"""

import json
import sys
from pathlib import Path

import numpy as np

from .clock import folder_bytes, measure, resident_bytes, timed
from .exchange import Workload, recall
from .libraries import LIBRARIES, Filter


class Worker:
    """A library, the workload and what was read of it."""

    def __init__(self, library, build, folder):
        self.library = LIBRARIES[library](build)
        self.workload = Workload.open(folder)
        self.queries = self.workload.queries()

    def build(self, order):
        """Builds on one thread and saves into the folder."""
        vectors, folder = self.workload.base(), Path(order["index"])
        _, cpu_s, wall_s = timed(lambda: self.library.build(vectors))
        folder.mkdir(parents=True, exist_ok=True)
        self.library.save(folder)
        call = self.library.call(vectors)
        _, figures = measure(call, self.queries, 0.5, 5.0)
        return {
            "build_cpu_s": cpu_s,
            "build_wall_s": wall_s,
            "bytes_saved": folder_bytes(folder),
            "binding_us": 1e6 / figures["queries_per_cpu_s"],
        }

    def load(self, order):
        """Loads what was built; memory is what the process gained by it and by a first query."""
        before = resident_bytes()
        self.library.load(Path(order["index"]), self.workload)
        self.library.search(10, order["settings"], None)(self.queries[0])
        return {"bytes_resident": resident_bytes() - before}

    def measure(self, order):
        """One figure for each setting, written as it comes."""
        truths = {}
        for setting in order["settings"]:
            name = setting["filter"]
            if name not in truths:
                truths[name] = self.workload.truth(name)
            found, figures = measure(self._search(setting), self.queries, order["cpu_min_s"], order["cpu_max_s"])
            reached = recall(found, truths[name], setting["k"])
            say({"setting": setting, "recall": reached, "queries": len(found), **figures})
        return {"done": True}

    def _search(self, setting):
        k, name, params = setting["k"], setting["filter"], setting["params"]
        if name is None:
            return self.library.search(k, params, None)
        chosen = Filter(self.workload.bits(name), self.workload.mask(name))
        if setting["filtered_by"] == "itself":
            return self.library.search(k, params, chosen)
        wide, mask = self.library.search(setting["fetch"], params, None), chosen.mask

        def after(query):
            ids = np.asarray(wide(query), np.int64)
            ids = ids[ids >= 0]  # faiss fills what it did not find with -1
            return ids[mask[ids]][:k]

        return after


def say(line):
    """One line of the conversation."""
    print(json.dumps(line), flush=True)


def main():
    """`worker LIBRARY BUILD_JSON EXPORT_DIR`"""
    library, build, folder = sys.argv[1:4]
    worker = Worker(library, json.loads(build), folder)
    for line in sys.stdin:
        order = json.loads(line)
        say({"build": worker.build, "load": worker.load, "measure": worker.measure}[order["do"]](order))


if __name__ == "__main__":
    main()
