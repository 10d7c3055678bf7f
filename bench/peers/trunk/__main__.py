"""`bench/peers/learning`: training steps and the second pass in PyTorch on one thread, in turn with ours."""

import argparse
import json
import sys

import torch

from . import rank
from .race import Peer, race


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/peers/learning", description=__doc__)
    whats = parser.add_subparsers(required=True, dest="what")
    ranking = whats.add_parser("rank", help="the second pass: 1,000 candidates beside a history of 256")
    ranking.add_argument("--ours", metavar="BOWERBIRD", required=True, help="the product's program, measured in turn")
    ranking.add_argument("--rounds", type=int, default=3)
    ranking.add_argument("--candidates", type=int, default=1_000)
    ranking.add_argument("--history", type=int, default=256)
    train = whats.add_parser("train", help="training steps")
    train.add_argument("--ours", metavar="BOWERBIRD", help="the product's program: measured in turn with the peer")
    train.add_argument("--rounds", type=int, default=3)
    train.add_argument("--warm-up", type=int, default=3, help="steps before each round")
    train.add_argument("--steps", type=int, default=10, help="steps that are measured in a round")
    train.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: both on the first card")
    train.add_argument("--softmax", choices=("chunked", "whole"), default="chunked")
    train.add_argument("--chunk", type=int, default=256, help="questions whose scores are held at once")
    train.add_argument("--compile", action="store_true", help="torch.compile for trunk, tower and exponents")
    train.add_argument("--results", metavar="DIR", help="where train.json and train.md are written")
    train.add_argument("--note", default="", help="goes into the table")
    return parser.parse_args()


def main():
    """Prints one JSON object."""
    options = arguments()
    if options.what == "rank" or options.device == "cpu":
        torch.set_num_threads(1)
    if options.what == "rank":
        print(json.dumps(rank.race(options)))
        return
    print("drawing batches", file=sys.stderr)
    print(json.dumps(race(Peer(options), options)))


main()
