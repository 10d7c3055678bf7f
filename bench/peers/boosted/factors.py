"""Vectors of users and videos from the histories alone: truncated SVD of who watched, and who watched long."""

import numpy as np

WIDTH = 32
PASSES = 4
SEED = 7


def sparse_times(rows, cols, values, dense, height):
    """A sparse matrix, as triples, times a dense one."""
    out = np.zeros((height, dense.shape[1]), np.float64)
    np.add.at(out, rows, values[:, None] * dense[cols])
    return out


def svd(rows, cols, height, width):
    """Left and right vectors of the largest `WIDTH` singular values (randomised subspace iteration)."""
    degree = np.bincount(rows, minlength=height)[rows] * np.bincount(cols, minlength=width)[cols]
    values = 1.0 / np.sqrt(np.maximum(degree, 1.0))
    right = np.linalg.qr(np.random.default_rng(SEED).normal(size=(width, WIDTH)))[0]
    for _ in range(PASSES):
        left = np.linalg.qr(sparse_times(rows, cols, values, right, height))[0]
        right = np.linalg.qr(sparse_times(cols, rows, values, left, width))[0]
    return sparse_times(rows, cols, values, right, height), right


def unit(matrix):
    """Rows of length one."""
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


def factors(histories):
    """A function of user and video: cosines of their vectors, by what the histories were read for."""
    users = {str(row["user_id"]): place for place, row in enumerate(histories)}
    videos = {}
    parts = {}
    for name in ("watch", "long", "like"):
        rows, cols = [], []
        for place, row in enumerate(histories):
            for video in set(row[name]):
                rows.append(place)
                cols.append(videos.setdefault(str(video), len(videos)))
        parts[name] = (np.array(rows), np.array(cols))
    made = {}
    for name, (rows, cols) in parts.items():
        left, right = svd(rows, cols, len(users), len(videos))
        made[name] = (unit(left), unit(right))

    def latent(user, video):
        user, video = users.get(user), videos.get(video)
        known = user is not None and video is not None
        return {f"svd_{name}": float(u[user] @ v[video]) if known else np.nan for name, (u, v) in made.items()}

    return latent
