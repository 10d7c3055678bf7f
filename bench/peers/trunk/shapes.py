"""What is trained on, and how large everything is: the workload's file, and the defaults of `TrainConfig`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

WORKLOAD = Path(__file__).parents[2] / "workloads" / "train-20k.toml"

# Vocabularies of the product: actions, surfaces, buckets of dwell time, of gaps, of distance, kinds of subjects, reaches.
ACTIONS, SURFACES, DWELLS, GAPS, DISTANCES, KINDS, REACHES = 15, 5, 8, 12, 10, 5, 2
TOKEN_FACTS = ACTIONS + SURFACES + DWELLS + GAPS
CONDITION_FACTS = SURFACES + KINDS + GAPS + REACHES


@dataclass(frozen=True)
class Config:
    """The part of `TrainConfig` that a step depends on."""

    dim: int = 64
    layers: int = 1
    heads: int = 2
    hidden: int = 128
    neighbours_max: int = 32
    history_max: int = 64
    batch: int = 512
    questions: int = 8
    next_share: float = 0.8
    targets_max: int = 16
    nearness: float = 1.0
    prefix_min: float = 0.3
    subject_share: float = 0.2
    candidates_max: int = 20_000
    rate_dense: float = 1e-3
    rate_ids: float = 0.03
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    id_dropout: float = 0.1
    dropout: float = 0.2
    log_scale: float = 2.0

    def check(self, ours):
        """Ends the program where the product's own configuration says something else."""
        for name, value in vars(self).items():
            if abs(ours[name] - value) > 1e-6 * abs(value):
                raise SystemExit(f"bowerbird trains with {name} {ours[name]}, this peer with {value}")


def workload():
    """The workload's numbers by name."""
    return tomllib.loads(WORKLOAD.read_text())
