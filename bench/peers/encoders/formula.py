"""Weights and pictures that follow from a formula in whole numbers: the same here and in the tests of `content`."""

import numpy as np


def mixed(numbers):
    """Whole numbers of 32 bits, mixed up (the last step of MurmurHash3)."""
    numbers = numbers.astype(np.uint32)
    with np.errstate(over="ignore"):
        numbers ^= numbers >> np.uint32(16)
        numbers *= np.uint32(0x85EBCA6B)
        numbers ^= numbers >> np.uint32(13)
        numbers *= np.uint32(0xC2B2AE35)
        numbers ^= numbers >> np.uint32(16)
    return numbers


def seed_of(name, seed):
    """FNV-1a of a name, on top of a seed."""
    number = 0x811C9DC5 ^ seed
    for byte in name.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number


def tensor(name, shape, seed):
    """The values of a tensor: matrices keep the size of what they read, norms lie around 1."""
    count = int(np.prod(shape, dtype=np.int64))
    places = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed_of(name, seed))
    values = mixed(places).astype(np.float64) / 2.0**31 - 1.0
    if len(shape) < 2:
        is_gain = "norm" in name.lower() and name.endswith("weight")
        values = 1.0 + 0.2 * values if is_gain else 0.2 * values
    elif "embedding" in name and len(shape) == 2:
        values = 0.5 * values
    else:
        values = values * 1.5 * np.sqrt(3.0 / (count / shape[0]))
    return values.astype(np.float32).reshape(shape)


def picture(width, height, number):
    """Rows of RGB bytes: slopes that fold over, on a chequered ground."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    values = x * (5 + 2 * c) + y * (3 + 4 * c) + (x // 8 + y // 8) % 2 * 90 + x * y * number // 16 + 40 * number
    return (values % 256).astype(np.uint8)
