"""The peer's steps, in turn with the product's, and what both took."""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import torch

from runner.results import commit, machine

from .batch import World, batch
from .learner import Learner
from .shapes import Config, workload

# On one thread CPU time counts, on a card the clock on the wall.
FIGURES = {
    "cpu": ("examples_per_cpu_s", "questions_per_cpu_s", "tokens_per_cpu_s", "step_cpu_ms"),
    "cuda": ("examples_per_s", "step_wall_ms"),
}

TABLE = """# Training: `train-20k`

{pinners:,} pinners with {acts} acts each on {pins:,} pins, {neighbours} neighbours a pin, contents of {content_dim} \
dimensions, seed {seed}. {machine}. {date}, commit `{commit}`.

`bench/peers/learning train --ours target/release/bowerbird`: both on one thread, in turn, medians of {rounds} rounds, \
by CPU time of the process. {note}Every figure is in `train.json`.

A step: {examples:.0f} pinners, {questions:,.0f} questions after {tokens:,.0f} tokens with {targets:,.0f} answers, \
against all {candidates:,} pins; the trunk (one block of width 64), the tower of all pins with pooled neighbours, the \
softmax, the way back, AdamW, row-wise Adagrad. Ours draws its examples within the step; the peer's batches are made \
before the clock starts.

| | examples a CPU second | questions | tokens | CPU ms a step | ours / peer |
|--|--:|--:|--:|--:|--:|
| **bowerbird** | {ours[0]} | {ours[1]} | {ours[2]} | {ours[3]} | {ratio:.2f} |
| PyTorch {torch} | {peer[0]} | {peer[1]} | {peer[2]} | {peer[3]} | |
"""


class Peer:
    """The learner with a pass of batches."""

    def __init__(self, options):
        config, rng = Config(), np.random.default_rng(workload()["seed"])
        world = World(workload(), rng)
        order = rng.permutation(world.size["pinners"])
        firsts = range(0, len(order), config.batch)
        drawn = [batch(world, order[first : first + config.batch], config) for first in firsts]
        self.batches = [one.to(options.device) for one in drawn]
        self.learner, self.options, self.done = Learner(config, world, options), options, 0

    def next(self):
        """One step; gives the batch and its loss."""
        read = self.batches[self.done % len(self.batches)]
        self.done += 1
        return read, self.learner.step(read)

    def wait(self):
        """Until the card has done what it was told."""
        if self.options.device == "cuda":
            torch.cuda.synchronize()

    def round(self):
        """Steps after a warm-up."""
        for _ in range(self.options.warm_up):
            self.next()
        self.wait()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        steps = [self.next() for _ in range(self.options.steps)]
        self.wait()
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        counts = {name: sum(read.counts[name] for read, _ in steps) for name in steps[0][0].counts}
        rates = {f"{name}_per_cpu_s": counts[name] / cpu_s for name in ("examples", "questions", "tokens")}
        rates["examples_per_s"] = counts["examples"] / wall_s
        per_step = {"step_cpu_ms": cpu_s * 1e3 / len(steps), "step_wall_ms": wall_s * 1e3 / len(steps)}
        step = {name: count / len(steps) for name, count in counts.items()}
        return {**rates, **per_step, "step": step, "loss": steps[-1][1]}


def our_round(options):
    """The product's own figures of one round."""
    steps = ["--warm-up", str(options.warm_up), "--steps", str(options.steps), "--repeats", "1"]
    device = ["--device", "gpu" if options.device == "cuda" else "cpu"]
    command = [options.ours, "bench", "train", "--json", *steps, *device]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if found["workload"] != workload():
        raise SystemExit("bowerbird was built with another workload")
    Config().check(found["config"])
    return found


def race(peer, options):
    """Rounds of both in turn; the object that is printed."""
    figures = FIGURES[options.device]
    rounds = {"peer": []} | ({"ours": []} if options.ours else {})
    for number in range(options.rounds):
        # Each goes first in turn.
        for name in sorted(rounds, reverse=number % 2 == 0):
            rounds[name].append(our_round(options) if name == "ours" else peer.round())
            print(f"{name}: {rounds[name][-1][figures[0]]:.0f} {figures[0]}", file=sys.stderr)
    medians = {name: {of: median(one[of] for one in all) for of in figures} for name, all in rounds.items()}
    kept = {name: getattr(options, name) for name in ("rounds", "warm_up", "steps", "softmax", "chunk", "compile", "device")}
    found = {"bench": "train", "workload": workload(), "torch": torch.__version__, "options": kept}
    found |= {"machine": machine(), "date": date.today().isoformat(), "commit": commit(), "note": options.note}
    found |= {"medians": medians, "rounds": rounds}
    if options.ours:
        found["ratio"] = medians["ours"][figures[0]] / medians["peer"][figures[0]]
    if options.device == "cuda":
        found["card"] = torch.cuda.get_device_name(0)
    if options.ours and options.results:
        write(found, options)
    return found


def write(found, options):
    """Both files of results."""
    folder = Path(options.results)
    if options.device == "cuda":
        (folder / "train-gpu.json").write_text(json.dumps(found, indent=1) + "\n")
        return
    (folder / "train.json").write_text(json.dumps(found, indent=1) + "\n")
    cells = {name: [f"{figures[of]:,.0f}" for of in FIGURES["cpu"]] for name, figures in found["medians"].items()}
    step = found["rounds"]["ours"][0]["step"]
    note = f"{options.note} " if options.note else ""
    at = "{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}".format(**found["machine"])
    about = {"machine": at, "date": found["date"], "commit": found["commit"], "rounds": options.rounds}
    about |= {"torch": found["torch"].split("+")[0], "ratio": found["ratio"], "note": note}
    (folder / "train.md").write_text(TABLE.format(**found["workload"], **about, **step, **cells))
