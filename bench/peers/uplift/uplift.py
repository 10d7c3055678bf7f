"""scikit-uplift's and causalml's models on Hillstrom's e-mail experiment; one JSON object.

Any e-mail against none, target visit, half of the rows teach (row `i` is measured where splitmix64 of `i xor seed << 32`
is odd). `--scores FILE` writes a column of scores per model for `--example uplift`; `--ours FILE` reads ours and
computes its Qini by scikit-uplift, too.
"""

import argparse
import json
import re
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")

from causalml.inference.meta import BaseRClassifier, BaseTClassifier, BaseXClassifier
from causalml.inference.tree import UpliftRandomForestClassifier
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklift.metrics import qini_auc_score
from sklift.models import ClassTransformation, SoloModel, TwoModels

MASK = (1 << 64) - 1
NUMBERS = ["recency", "history", "mens", "womens", "newbie"]
WORDS = ["history_segment", "zip_code", "channel"]


def hash64(value):
    """splitmix64's finaliser."""
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def load(path, seed):
    """Columns, treatment, visits, and which rows are measured."""
    rows = pd.read_csv(path)
    columns = pd.get_dummies(rows[NUMBERS + WORDS], columns=WORDS).astype(float)
    columns = columns.rename(columns=lambda name: re.sub("[^A-Za-z0-9_]+", "_", name))
    measured = np.array([hash64(row ^ (seed << 32)) & 1 for row in range(len(rows))]) == 1
    return columns, (rows.segment != "No E-Mail").astype(int).to_numpy(), rows.visit.to_numpy(), measured


def logistic():
    """A logistic regression on scaled columns."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def boosted(kind=LGBMClassifier):
    """Small boosted trees."""
    return kind(n_estimators=100, max_depth=3, learning_rate=0.05, verbose=-1, n_jobs=1, random_state=1)


def sklift_models():
    """scikit-uplift's learners over both bases."""
    for name, base in [("logistic", logistic), ("trees", boosted)]:
        yield f"sklift two models, {name}", TwoModels(base(), base(), method="vanilla")
        yield f"sklift two models ddr, {name}", TwoModels(base(), base(), method="ddr_control")
        yield f"sklift one model, {name}", SoloModel(base())
        yield f"sklift class transformation, {name}", ClassTransformation(base())


def causalml_scores(columns, treated, visits, measured):
    """causalml's learners: name and scores of the measured rows."""
    taught = ~measured
    x, y, t = columns[taught].to_numpy(), visits[taught], treated[taught]
    asked, share = columns[measured].to_numpy(), t.mean()
    chances, chances_asked = np.full(len(t), share), np.full(len(asked), share)
    np.random.seed(1)
    made = BaseTClassifier(boosted())
    made.fit(x, t, y)
    yield "causalml T, trees", made.predict(asked).ravel()
    for name, outcome, effect in [("trees", boosted(), boosted(LGBMRegressor)), ("logistic", logistic(), LinearRegression())]:
        made = BaseXClassifier(outcome_learner=outcome, effect_learner=effect)
        made.fit(x, t, y, p=chances)
        yield f"causalml X, {name}", made.predict(asked, p=chances_asked).ravel()
        made = BaseRClassifier(outcome_learner=outcome, effect_learner=effect)
        made.fit(x, t, y, p=chances)
        yield f"causalml R, {name}", made.predict(asked).ravel()
    made = UpliftRandomForestClassifier(
        control_name="0", n_estimators=100, max_depth=4, min_samples_leaf=200, min_samples_treatment=50, random_state=1, n_jobs=1
    )
    made.fit(x, t.astype(str), y)
    yield "causalml forest", made.predict(asked).ravel()


def main():
    """Prints each model's Qini."""
    parser = argparse.ArgumentParser(prog="bench/peers/uplift/uplift.py", description=__doc__)
    parser.add_argument("--data", required=True, help="the experiment's CSV, packed or not")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", help="where the scores are written")
    parser.add_argument("--ours", help="scores that the example wrote")
    options = parser.parse_args()
    columns, treated, visits, measured = load(options.data, options.seed)
    taught = ~measured
    scores = {}
    for name, model in sklift_models():
        model.fit(columns[taught], visits[taught], treated[taught])
        scores[name] = np.asarray(model.predict(columns[measured]))
    scores.update(causalml_scores(columns, treated, visits, measured))
    if options.scores:
        pd.DataFrame(scores).to_csv(options.scores, index=False, float_format="%.17g", quoting=1)
    if options.ours:
        scores["ours"] = pd.read_csv(options.ours).score.to_numpy()
    qini = {name: float(qini_auc_score(visits[measured], score, treated[measured])) for name, score in scores.items()}
    found = {"seed": options.seed, "rows": int(measured.sum()), "qini": dict(sorted(qini.items(), key=lambda at: -at[1]))}
    json.dump(found, sys.stdout, indent=1)
    print()


main()
