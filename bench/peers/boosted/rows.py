"""Rows to learn from, of either origin, in one shape."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .kuairand import BEIJING_H, CATEGORIES, SURFACES, table

DAY_S = 86_400


@dataclass
class Rows:
    """Columns of one length; `labels` by head. The last days are measured, the one before tunes, the others teach."""

    names: list
    categories: list
    features: np.ndarray
    labels: dict
    pinners: np.ndarray
    surfaces: np.ndarray
    days: np.ndarray
    # How many days are measured.
    measured: int = 1

    @property
    def tuning_day(self):
        """The day before those that are measured."""
        return self.days.max() - self.measured

    @property
    def test(self):
        """Which rows are measured."""
        return self.days > self.tuning_day

    @property
    def tune(self):
        """Which rows choose."""
        return self.days == self.tuning_day

    @property
    def learn(self):
        """Which rows teach."""
        return self.days < self.tuning_day


def of_kuairand(folder):
    """Impressions of the log with features of our own making."""
    names, features, labels, where = table(folder)
    surfaces = np.array([SURFACES.get(tab, "notification") for tab in where["tab"]])
    categories = [name for name in names if name in CATEGORIES]
    return Rows(names, categories, features, labels, where["user"], surfaces, where["day"])


def exported(folder):
    """Rows as `bowerbird train --rows` writes them. Those of histories do not say how long was looked: left out."""
    meta = json.loads(Path(folder, "meta.json").read_text())
    column = {name: np.load(Path(folder, f"{name}.npy"), mmap_mode="r") for name in meta["columns"]}
    logged = ~np.isnan(column["looks_ms"])
    labels = np.asarray(column["labels"][logged]).astype(bool)
    heads = {head: labels[:, place] for place, head in enumerate(meta["heads"])}
    surfaces = np.array(meta["surfaces"])[np.asarray(column["surfaces"][logged])]
    days = (np.asarray(column["ts_ms"][logged]).astype(np.int64) // 1_000 + BEIJING_H * 3_600) // DAY_S
    features = np.asarray(column["features"][logged])
    return Rows(meta["features"], [], features, heads, np.asarray(column["pinners"][logged]), surfaces, days)
