"""`bench/peers/allocation`: HiGHS on the returns that `--example allocate -- PINNERS --export FILE` wrote."""

import argparse
import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, kron, vstack

VOLUMES = 8


def solved(returns, budget, method):
    """The linear relaxation: which volumes, in parts, maximise the sum of returns within the budget."""
    pinners = len(returns)
    gains = (returns[:, 1:] - returns[:, :1]).astype(np.float64)
    sends = np.arange(1, VOLUMES, dtype=np.float64)
    one_volume = kron(eye_array(pinners, format="csr"), np.ones((1, VOLUMES - 1)), format="csr")
    within = csr_array(np.tile(sends, pinners)[None, :])
    bounds = np.append(np.ones(pinners), float(budget))
    started = time.perf_counter()
    found = linprog(
        -gains.ravel(), A_ub=vstack([one_volume, within], format="csr"), b_ub=bounds, bounds=(0, None), method=method
    )
    seconds = time.perf_counter() - started
    return seconds, returns[:, 0].sum(dtype=np.float64) - found.fun, found.message


def main():
    """Each method on all rows of the file."""
    parser = argparse.ArgumentParser(prog="bench/peers/allocation", description=__doc__)
    parser.add_argument("--from", dest="file", required=True, help="the exported returns")
    parser.add_argument("--methods", nargs="+", default=["highs-ds", "highs-ipm"])
    options = parser.parse_args()
    returns = np.fromfile(options.file, dtype="<f4").reshape(-1, VOLUMES)
    budget = len(returns) * 3 // 2
    for method in options.methods:
        seconds, value, message = solved(returns, budget, method)
        print(f"{method}: {len(returns)} pinners in {seconds:.2f} s, optimum of the relaxation {value:.6f} ({message})")


main()
