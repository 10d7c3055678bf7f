"""How good predicted chances are: AUC, AUC within pinners, log loss, calibration."""

import numpy as np

ECE_BINS = 20
CUT = 1e-7


def auc(labels, scores):
    """Chance that a positive is above a negative, ties counting half; None with one class only."""
    labels = np.asarray(labels, bool)
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[places]
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def grouped_auc(pinners, labels, scores):
    """Mean of each pinner's AUC, weighted by their rows; pinners with one class are left out."""
    order = np.argsort(pinners, kind="stable")
    pinners, labels, scores = pinners[order], labels[order], scores[order]
    bounds = np.flatnonzero(np.r_[True, pinners[1:] != pinners[:-1], True])
    total = weight = 0.0
    for start, end in zip(bounds[:-1], bounds[1:]):
        one = auc(labels[start:end], scores[start:end]) if end - start > 1 else None
        if one is not None:
            total += one * (end - start)
            weight += end - start
    return total / weight if weight else None


def log_loss(labels, scores):
    """Mean negative log likelihood, in nats."""
    scores = np.clip(scores, CUT, 1 - CUT)
    return float(-np.mean(np.where(labels, np.log(scores), np.log1p(-scores))))


def entropy(rate):
    """What always saying the rate would cost, in nats."""
    return float(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))) if 0 < rate < 1 else None


def calibration_error(labels, scores):
    """Mean distance of predicted and observed rates over bins of equal size."""
    parts = np.array_split(np.argsort(scores, kind="stable"), ECE_BINS)
    apart = [abs(float(scores[part].mean()) - float(labels[part].mean())) * len(part) for part in parts if len(part)]
    return sum(apart) / len(labels)


def figures(pinners, labels, scores):
    """Every figure of one head on some rows."""
    labels = np.asarray(labels, bool)
    loss, base = log_loss(labels, scores), entropy(labels.mean())
    positives = int(labels.sum())
    return {
        "auc": auc(labels, scores),
        "gauc": grouped_auc(pinners, labels, scores),
        "log_loss": loss,
        "ne": loss / base if base else None,
        "calibration": float(scores.sum() / positives) if positives else None,
        "ece": calibration_error(labels, scores),
        "positives": positives,
        "rows": len(labels),
    }
