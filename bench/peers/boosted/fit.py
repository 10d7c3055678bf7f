"""LightGBM with a fair tuning: sizes and rates by the day before the last, as many rounds as that day wants."""

import lightgbm as lgb

LEAVES = (15, 31, 63)
RATES = (0.05, 0.1)
ROUNDS_MAX = 800
PATIENCE = 50
# The model that is measured learns from a day more than the one whose rounds were counted.
LONGER = 1.1
FIXED = {
    "objective": "binary",
    "metric": "auc",
    "min_data_in_leaf": 100,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10,
    "max_bin": 127,
    "cat_smooth": 50,
    "max_cat_threshold": 16,
    "verbose": -1,
}


def dataset(rows, labels, mask, reference=None):
    """Some rows as LightGBM wants them."""
    return lgb.Dataset(
        rows.features[mask],
        labels[mask],
        feature_name=rows.names,
        categorical_feature=rows.categories,
        reference=reference,
        free_raw_data=False,
    )


def fitted(rows, labels, threads, seed):
    """Chances for the test rows, and what was chosen."""
    best = None
    for leaves in LEAVES:
        for rate in RATES:
            options = {**FIXED, "num_leaves": leaves, "learning_rate": rate, "num_threads": threads, "seed": seed}
            learned = dataset(rows, labels, rows.learn)
            tuned = dataset(rows, labels, rows.tune, learned)
            stop = lgb.early_stopping(PATIENCE, verbose=False)
            model = lgb.train(options, learned, ROUNDS_MAX, valid_sets=[tuned], callbacks=[stop])
            found = (model.best_score["valid_0"]["auc"], model.best_iteration, options)
            best = max(best, found, key=lambda one: one[0]) if best else found
    auc, rounds, options = best
    rounds = max(int(rounds * LONGER), 5)
    model = lgb.train(options, dataset(rows, labels, rows.learn | rows.tune), rounds)
    tuned = {"auc_of_the_day_before": auc, "rounds": rounds}
    tuned.update({name: options[name] for name in ("num_leaves", "learning_rate")})
    return model.predict(rows.features[rows.test]), tuned
