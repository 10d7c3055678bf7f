"""Which peers are measured, and at which settings: `peers.toml` spelled out for one workload."""

import tomllib
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from .libraries import near_root

HERE = Path(__file__).resolve().parent.parent
PYTHON = ("faiss", "hnswlib", "scann")
PACKAGES = {"faiss": "faiss-cpu"}


@dataclass
class Peer:
    """One built index and the settings at which it is asked."""

    name: str
    title: str
    library: str
    build: dict
    kept: bool
    settings: list

    @property
    def in_python(self):
        """Whether the Python worker runs it; the others are crates."""
        return self.library in PYTHON


def peers(workload, wanted, filters):
    """The peers of `wanted` (names), or all that are not optional; `filters` are those to measure under."""
    entries = tomllib.loads((HERE / "peers.toml").read_text())["peer"]
    unknown = set(wanted) - {entry["name"] for entry in entries}
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(sorted(unknown))}")
    chosen = [entry for entry in entries if entry["name"] in wanted or not (wanted or entry.get("optional"))]
    return [_peer(entry, workload, filters) for entry in chosen]


def _peer(entry, workload, filters):
    settings = []
    for table in entry["search"]:
        settings += _combinations(table, workload, [None])
    for table in entry.get("filtered", []):
        settings += _combinations(table, workload, filters)
    return Peer(
        name=entry["name"],
        title=entry["title"],
        library=entry["library"],
        build=entry["build"],
        kept=entry.get("kept", False),
        settings=settings,
    )


def _combinations(table, workload, filters):
    """Every combination of the table's lists; what reads more lists than there are is read once, with all of them."""
    lists, made = near_root(workload.meta["vectors"]), []
    names = [name for name in table if name not in ("k", "filtered_by", "fetch")]
    for name, k, fetch in product(filters, table["k"], table.get("fetch", [None])):
        if k > workload.meta["truth_width"]:
            continue
        for values in product(*(table[parameter] for parameter in names)):
            params = dict(zip(names, values))
            for parameter in {"nprobe", "leaves"} & set(params):
                params[parameter] = min(params[parameter], lists)
            by = table.get("filtered_by")
            setting = {"k": k, "filter": name, "filtered_by": by, "fetch": fetch, "params": params}
            if setting not in made:
                made.append(setting)
    return made
