"""The Open Bandit Pipeline's estimators on the Open Bandit Dataset's sample; one JSON object.

Logs of both policies and both campaigns are read. A log of the random policy judges Thompson sampling: the chance of an
item at a position is how often Thompson's log has it there, one added to each count. A log of Thompson sampling judges
the random policy. Expected rewards are the log's own clicks by item and position, drawn towards the mean click rate by
100 impressions. `--ours FILE` compares with what `--example off_policy` printed.
"""

import argparse
import json
import os
import sys

import numpy as np
import pandas as pd
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    SelfNormalizedInverseProbabilityWeighting,
    SwitchDoublyRobust,
)

POSITIONS = 3
PRIOR = 100.0
SWITCH = 1.5


def log(folder, policy, campaign):
    """Action, position from 0, reward and propensity of each row."""
    columns = ["item_id", "position", "click", "propensity_score"]
    rows = pd.read_csv(os.path.join(folder, policy, f"{campaign}.csv.gz"), usecols=columns)
    return (
        rows.item_id.to_numpy(),
        rows.position.to_numpy() - 1,
        rows.click.to_numpy(dtype=float),
        rows.propensity_score.to_numpy(),
    )


def shares(actions, positions, count):
    """Chance of each item at each position, one added to each count: (items, positions)."""
    seen = np.ones((count, POSITIONS))
    np.add.at(seen, (actions, positions), 1.0)
    return seen / seen.sum(axis=0)


def expected(actions, positions, rewards, count):
    """Click rate of each item at each position, drawn towards the mean: (items, positions)."""
    clicks, seen = np.zeros((count, POSITIONS)), np.zeros((count, POSITIONS))
    np.add.at(clicks, (actions, positions), rewards)
    np.add.at(seen, (actions, positions), 1.0)
    return (clicks + PRIOR * rewards.mean()) / (seen + PRIOR)


def case(folder, logged, judged, campaign):
    """All estimates of one policy on the log of another."""
    actions, positions, rewards, propensities = log(folder, logged, campaign)
    other = log(folder, judged, campaign)
    count = int(max(actions.max(), other[0].max())) + 1
    uniform = np.full((count, POSITIONS), 1.0 / count)
    policy = shares(other[0], other[1], count) if judged == "bts" else uniform
    model = expected(actions, positions, rewards, count)
    rows = len(actions)
    given = {
        "reward": rewards,
        "action": actions,
        "position": positions,
        "pscore": propensities,
        "action_dist": np.broadcast_to(policy, (rows, count, POSITIONS)),
        "estimated_rewards_by_reg_model": np.broadcast_to(model, (rows, count, POSITIONS)),
    }
    estimators = {
        "ips": InverseProbabilityWeighting(),
        "snips": SelfNormalizedInverseProbabilityWeighting(),
        "dm": DirectMethod(),
        "dr": DoublyRobust(),
        "switch": SwitchDoublyRobust(tau=SWITCH),
    }
    values = {name: float(made.estimate_policy_value(**given)) for name, made in estimators.items()}
    return {"logged": logged, "judged": judged, "campaign": campaign, "rows": rows, "on_policy": float(other[2].mean()), **values}


def main():
    """Prints the cases, and how far ours are from them."""
    parser = argparse.ArgumentParser(prog="bench/peers/bandit/offpolicy.py", description=__doc__)
    parser.add_argument("--data", required=True, help="folder of the sample: random/, bts/")
    parser.add_argument("--ours", help="what the example printed")
    options = parser.parse_args()
    pairs = [("random", "bts"), ("bts", "random")]
    cases = [case(options.data, *pair, campaign) for pair in pairs for campaign in ("men", "women")]
    found = {"peer": "obp", "cases": cases}
    if options.ours:
        with open(options.ours, encoding="utf-8") as text:
            ours = json.load(text)["cases"]
        names = ["ips", "snips", "dm", "dr", "switch"]
        apart = {name: max(abs(a[name] - b[name]["value"]["value"]) for a, b in zip(cases, ours, strict=True)) for name in names}
        found["largest_difference"] = apart
    json.dump(found, sys.stdout, indent=1)
    print()


main()
