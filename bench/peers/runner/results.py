"""What is known so far, written after every step so that an interrupted run goes on where it stopped."""

import json
import os
import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path

from .plan import HERE, PACKAGES

FIGURES = ("answered", "queries_per_cpu_s", "cpu_us_p50", "cpu_us_p99", "wall_us_p50", "wall_us_p99")
BEATEN = 1.4


class Results:
    """The JSON file of one run."""

    def __init__(self, path, workload, resume):
        self.path = Path(path)
        self.data = self._earlier(workload) if resume else None
        if self.data is None:
            self.data = {"workload": workload.meta, "fingerprint": workload.fingerprint(), "note": "", "peers": {}}
            self.stamp("")

    def stamp(self, note):
        """Says when and where figures are taken; an empty note leaves an earlier one."""
        self.data |= {"date": date.today().isoformat(), "machine": machine(), "commit": commit()}
        self.data["note"] = note or self.data["note"]

    def _earlier(self, workload):
        if not self.path.exists():
            return None
        data = json.loads(self.path.read_text())
        if data["fingerprint"] != workload.fingerprint():
            raise SystemExit(f"{self.path} is of another export of {workload.name}; leave --resume out to start anew")
        return data

    def peer(self, name, title, library):
        """What is known of one peer."""
        fresh = {"title": title, "library": library, "version": library_version(library), "rounds": [], "points": []}
        return self.data["peers"].setdefault(name, fresh)

    def add_points(self, known, round_number, lines):
        """One round's figures; the lines of a setting that is already there join it."""
        for line in lines:
            point = next((p for p in known["points"] if p["setting"] == line["setting"]), None)
            if point is None:
                point = {"setting": line["setting"], "recall": line["recall"], "queries": line["queries"], "rounds": []}
                known["points"].append(point)
            point["recall"] = line["recall"]
            point["rounds"].append({name: line[name] for name in FIGURES})
        known["rounds"].append(round_number)

    def worth_asking(self, known, settings):
        """All settings in the first round; after it those that could still be the fastest at some recall.

        Left out is what another setting beat in recall and by more than `BEATEN` in speed, which no noise turns round.
        """
        if not known["points"]:
            return settings
        speed = {key(p["setting"]): (p["recall"], p["rounds"][0]["queries_per_cpu_s"]) for p in known["points"]}

        def beaten(setting):
            recall, rate = speed.get(key(setting), (1.0, 0.0))
            rivals = [s for s in settings if (s["k"], s["filter"]) == (setting["k"], setting["filter"])]
            rivals = [speed[key(rival)] for rival in rivals if key(rival) in speed]
            return any(other >= recall and fast > BEATEN * rate > 0 for other, fast in rivals)

        return [setting for setting in settings if not beaten(setting)]

    def save(self):
        """Replaces the file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".part")
        fresh.write_text(json.dumps(self.data, indent=1) + "\n")
        os.replace(fresh, self.path)


def key(setting):
    """A setting as a dictionary's key, whatever the order of its fields."""
    return json.dumps(setting, sort_keys=True)


def library_version(library):
    """Of the Python package, or as the crate's lock file has it."""
    if library == "bowerbird":
        return commit()
    if library in ("usearch", "hnsw_rs", "diskann"):
        lock = (HERE / "rust" / "Cargo.lock").read_text().split("[[package]]")
        entry = next(entry for entry in lock if f'\nname = "{library}"\n' in entry)
        return entry.split('version = "')[1].split('"')[0]
    return version(PACKAGES.get(library, library))


def machine():
    """Processor, cores, memory and system."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    flags = Path("/proc/cpuinfo").read_text()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release(),
        "simd": [name for name in ("avx2", "avx512f", "avx512_vnni") if f" {name} " in flags],
    }


def commit():
    """The commit of the tree that ran."""
    command = ["git", "-C", str(HERE), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
