"""The exchange folder of `bench/README.md`: vectors, queries, exact answers and filters."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NOTHING = 0xFFFFFFFF
"""Fills the rest of a row of `truth` when fewer vectors pass than the row is wide."""


@dataclass
class Workload:
    """One exported workload. Vectors are read when asked for, so that a search process does not hold them."""

    folder: Path
    meta: dict

    @classmethod
    def open(cls, folder):
        folder = Path(folder)
        meta = json.loads((folder / "meta.json").read_text())
        if meta["format"] != 1 or meta["metric"] != "inner_product":
            raise SystemExit(f"{folder}: this runner reads format 1 with inner products, not {meta}")
        return cls(folder, meta)

    @property
    def name(self):
        return self.meta["workload"]

    @property
    def filters(self):
        """Name -> how many vectors pass."""
        return {entry["name"]: entry["passing"] for entry in self.meta["filters"]}

    def base(self):
        """float32, vectors x dimensions."""
        return self._floats("base.f32", self.meta["vectors"])

    def queries(self):
        """float32, queries x dimensions."""
        return self._floats("queries.f32", self.meta["queries"])

    def truth(self, name=None):
        """uint32, queries x truth_width: the exact nearest, best first; `NOTHING` where there is no further one."""
        path = self.folder / (f"truth-{name}.u32" if name else "truth.u32")
        return np.fromfile(path, "<u4").reshape(self.meta["queries"], self.meta["truth_width"])

    def bits(self, name):
        """The filter as bytes; vector i is bit i % 8 (lowest first) of byte i / 8."""
        return np.fromfile(self.folder / f"filter-{name}.bits", np.uint8)

    def mask(self, name):
        """The filter as one bool a vector."""
        return np.unpackbits(self.bits(name), bitorder="little")[: self.meta["vectors"]].astype(bool)

    def fingerprint(self):
        """Changes when the vectors do; names the folder in which built indexes are kept."""
        digest = hashlib.sha256(json.dumps(self.meta, sort_keys=True).encode())
        with (self.folder / "base.f32").open("rb") as base:
            digest.update(base.read(1 << 20))
        return digest.hexdigest()[:12]

    def _floats(self, file, rows):
        return np.fromfile(self.folder / file, "<f4").reshape(rows, self.meta["dimensions"])


def recall(found, truth, k):
    """Mean share of the k exact neighbours found. `found`: a list of id arrays, one a query; `truth`: rows of it.

    Where fewer than k vectors pass a filter, the share of those.
    """
    shares = []
    for ids, exact in zip(found, truth):
        exact = exact[:k]
        exact = exact[exact != NOTHING]
        if len(exact):
            shares.append(np.intersect1d(np.asarray(ids, np.int64)[:k], exact).size / len(exact))
    return float(np.mean(shares)) if shares else 1.0
