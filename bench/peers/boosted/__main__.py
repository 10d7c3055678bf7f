"""`bench/peers/ranking`: LightGBM a head, with features of its own from KuaiRand's files or on exported rows."""

import argparse
import json
import sys

from .figures import figures
from .fit import fitted
from .rows import exported, of_kuairand


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/peers/ranking", description=__doc__)
    parser.add_argument("--data", help="KuaiRand's folder: features of its own, streamed from histories and log")
    parser.add_argument("--rows", help="folder written by `bowerbird train --rows`: the same trees on those features")
    parser.add_argument("--heads", default="", help="names with commas (default: those with 100 positives or more)")
    parser.add_argument("--days", type=int, default=1, help="so many last days are measured")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def judged(name, rows, options):
    """Figures by head and by surface, of trees on some rows."""
    rows.measured = options.days
    made = {}
    for head, labels in rows.labels.items():
        wanted = head in options.heads.split(",") if options.heads else labels.sum() >= 100
        if not wanted:
            continue
        scores, tuned = fitted(rows, labels, options.threads, options.seed)
        test = rows.test
        parts = {"all": figures(rows.pinners[test], labels[test], scores)}
        for surface in sorted(set(rows.surfaces[test])):
            part = rows.surfaces[test] == surface
            parts[str(surface)] = figures(rows.pinners[test][part], labels[test][part], scores[part])
        made[head] = {"tuned": tuned, **parts}
        print(f"{name} {head}: AUC {parts['all']['auc']:.4f}, GAUC {parts['all']['gauc']:.4f}", file=sys.stderr)
    return made


def main():
    """Prints one JSON object."""
    options = arguments()
    split = f"by day: measured on the last {options.days} of the log, learned before; tuned on the day before"
    results = {"split": split}
    if options.data:
        results["own_features"] = judged("own features", of_kuairand(options.data), options)
    if options.rows:
        results["exported_rows"] = judged("exported rows", exported(options.rows), options)
    print(json.dumps(results))


main()
