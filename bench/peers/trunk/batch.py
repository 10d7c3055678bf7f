"""Batches of the same sizes as the product's, drawn from the seed by the same rules, and padded."""

from dataclasses import dataclass

import numpy as np
import torch

from .shapes import ACTIONS, CONDITION_FACTS, DISTANCES, DWELLS, GAPS, KINDS, SURFACES, TOKEN_FACTS

HOME, RELATED, SEARCH, BOARD = 0, 1, 2, 3
NONE, PIN, OF_BOARD, QUERY, _TOPIC = range(KINDS)
NEXT, LATER = 0, 1
# Gaps of half of 0 to 48 hours, mostly: the bucket of a day.
GAP = 5


def unit(rows):
    """Rows of length one."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def distance_bucket(distance):
    """0, 1, 2, 3-4, 5-8, … , over 128."""
    far = 2 + np.floor(np.log2(np.maximum(distance - 1, 1))).astype(np.int64)
    return np.minimum(np.where(distance < 2, distance, far), DISTANCES - 1)


class World:
    """Pins with contents and neighbours, pinners with histories: as `bowerbird bench train` plants them."""

    def __init__(self, size, rng):
        self.size, self.rng = size, rng
        topics = rng.standard_normal((size["topics"], size["content_dim"]))
        of_pin = np.arange(size["pins"]) % size["topics"]
        noise = rng.standard_normal((size["pins"], size["content_dim"]))
        self.content = unit(topics[of_pin] + noise).astype(np.float32)
        self.neighbours = self.pins(np.repeat(of_pin[:, None], size["neighbours"], axis=1))
        self.histories = [self.history() for _ in range(size["pinners"])]

    def pins(self, topics):
        """A pin of each topic."""
        ranks = self.rng.random(topics.shape) ** 2 * (self.size["pins"] // self.size["topics"])
        return topics + self.size["topics"] * ranks.astype(np.int64)

    def history(self):
        """Different pins and their boards."""
        topics = self.rng.integers(0, self.size["topics"], self.size["boards"])
        pins = {}
        while len(pins) < self.size["acts"]:
            board = self.rng.integers(0, self.size["boards"])
            pins.setdefault(int(self.pins(topics[board : board + 1])[0]), board)
        return np.array(list(pins)), np.array(list(pins.values()))


@dataclass
class Batch:
    """What a step reads. `n` pinners, `t` tokens each, `q` questions each; all else is one list after the other."""

    tokens: torch.Tensor  # n × t pins; 0 beyond the history
    token_side: torch.Tensor  # n × t × (content, facts, whether there is no content)
    asked: torch.Tensor  # pins of all subjects
    asked_starts: torch.Tensor  # n · q starts in them
    condition_side: torch.Tensor  # n · q × (content, facts)
    distance: torch.Tensor  # n × q × t buckets
    hidden: torch.Tensor  # n × q × t: what a question does not see
    targets: torch.Tensor  # question · pins + pin, over all
    of_question: torch.Tensor  # the target's question
    weights: torch.Tensor  # the target's weight
    positives: torch.Tensor  # n × (pins of the pinner)
    counts: dict

    def to(self, device):
        """The same, on a device."""
        moved = {name: part.to(device) for name, part in vars(self).items() if name != "counts"}
        return Batch(**moved, counts=self.counts)


def question(place, pins, boards, content, config, rng):
    """Prefix, surface, kind, subject pins and content, answers of one question; None without answers."""
    surface, kind, asked, prefix = HOME, NONE, [], place
    later, later_boards = pins[place:], boards[place:]
    reach = NEXT if rng.random() < config.next_share else LATER
    if rng.random() < config.subject_share:
        chosen, draw = rng.integers(len(later)), rng.integers(10)
        on_board = pins[:place][boards[:place] == later_boards[chosen]]
        same = later[later_boards == later_boards[chosen]]
        if draw < 4:
            surface, kind, asked, later = RELATED, PIN, [later[chosen]], same
            prefix = 0 if rng.integers(2) == 0 else place
        elif draw >= 9:
            surface, kind = SEARCH, QUERY
        # The pins of this workload have no topics, so that who would ask about one asks at home.
        elif draw < 7 and len(on_board):
            surface, kind, asked, later = BOARD, OF_BOARD, on_board[-config.neighbours_max :], same
    answers = [pin for pin in later if pin not in asked][: 1 if reach == NEXT else config.targets_max]
    about = unit(content[asked].mean(axis=0)) if len(asked) else np.zeros(content.shape[1], np.float32)
    facts = np.zeros(CONDITION_FACTS, np.float32)
    gaps = SURFACES + KINDS
    facts[[surface, SURFACES + kind, gaps + (GAP if prefix else 0), gaps + GAPS + reach]] = 1
    return (prefix, asked, np.concatenate([about, facts]), answers) if answers else None


def batch(world, chosen, config):
    """The examples of some pinners."""
    rng, pins_all, content = world.rng, world.size["pins"], world.content
    n, q, room = len(chosen), config.questions, min(world.size["acts"] - 1, config.history_max)
    tokens, prefixes = np.zeros((n, room), np.int64), np.zeros((n, q), np.int64)
    asked, starts, sides, targets, weights, of_question, read = [], [], [], [], [], [], np.zeros(n, np.int64)
    for row, pinner in enumerate(chosen):
        pins, boards = world.histories[pinner]
        places = rng.permutation(np.arange(max(int(config.prefix_min * room), 1), room + 1))[:q]
        for at, place in enumerate(places):
            made = None
            while made is None:
                made = question(place, pins, boards, content, config, rng)
            prefixes[row, at], about, side, answers = made
            starts.append(len(asked))
            asked.extend(about)
            sides.append(side)
            share = (1.0 + np.arange(len(answers))) ** -config.nearness
            weights.extend(share / share.sum())
            targets.extend((row * q + at) * pins_all + np.array(answers))
            of_question.extend([row * q + at] * len(answers))
        read[row] = prefixes[row].max()
        tokens[row, : read[row]] = pins[: read[row]]
    longest = read.max()
    facts = np.zeros((n, longest, TOKEN_FACTS + 1), np.float32)
    # A save at home, no dwell time, about a day after the one before.
    facts[..., [0, ACTIONS + HOME, ACTIONS + SURFACES, ACTIONS + SURFACES + DWELLS + GAP]] = 1
    places = np.arange(longest)
    positives = np.stack([world.histories[pinner][0] for pinner in chosen])
    counts = {"examples": n, "questions": n * q, "tokens": int(read.sum()), "targets": len(targets)}
    return Batch(
        tokens=torch.from_numpy(tokens[:, :longest].copy()),
        token_side=torch.from_numpy(np.concatenate([content[tokens[:, :longest]], facts], axis=-1)),
        asked=torch.tensor(np.array(asked, np.int64)),
        asked_starts=torch.tensor(starts),
        condition_side=torch.from_numpy(np.stack(sides).astype(np.float32)),
        distance=torch.from_numpy(distance_bucket(np.maximum(prefixes[..., None] - places, 0))),
        hidden=torch.from_numpy(places >= prefixes[..., None]),
        targets=torch.tensor(np.array(targets, np.int64)),
        of_question=torch.tensor(of_question),
        weights=torch.tensor(weights, dtype=torch.float32),
        positives=torch.from_numpy(positives),
        counts=counts | {"candidates": pins_all},
    )
