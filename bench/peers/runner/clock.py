"""Measurement of one search setting: queries one by one, CPU time of the whole process."""

import ctypes
import gc
import time
from pathlib import Path

import numpy as np

ANSWERED_MIN = 20


def resident_bytes():
    """Memory of this process that is in RAM, after freed pages were given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def folder_bytes(folder):
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def timed(work):
    """Runs `work`; returns its result, the CPU seconds of all threads and the seconds on the wall."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def measure(search, queries, cpu_min_s, cpu_max_s):
    """Asks `search(query)` for every query in turn. Returns the answers and the figures.

    The first pass takes each query's latency, by the calling thread's CPU clock and on the wall; it stops early once
    `cpu_max_s` is spent and `ANSWERED_MIN` queries are answered. If it took less than `cpu_min_s`, bare passes follow
    until that much is spent, and the rate is theirs, since reading the clocks would cost quick indexes some hundredths.
    """
    for query in queries[:5]:
        search(query)
    found, cpu_ns, wall_ns = [], [], []
    started = time.process_time()
    for query in queries:
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        found.append(search(query))
        cpu_ns.append(time.thread_time_ns() - cpu)
        wall_ns.append(time.perf_counter_ns() - wall)
        if len(found) >= ANSWERED_MIN and time.process_time() - started > cpu_max_s:
            break
    answered, spent = len(found), time.process_time() - started
    if spent < cpu_min_s:
        answered, spent, started = 0, 0.0, time.process_time()
        while spent < cpu_min_s:
            for query in queries:
                search(query)
            answered, spent = answered + len(queries), time.process_time() - started
    return found, figures(answered, spent, cpu_ns, wall_ns)


def figures(count, cpu_s, cpu_ns, wall_ns):
    """One round's figures for one setting."""
    return {
        "answered": count,
        "queries_per_cpu_s": count / cpu_s,
        "cpu_us_p50": float(np.percentile(cpu_ns, 50)) / 1e3,
        "cpu_us_p99": float(np.percentile(cpu_ns, 99)) / 1e3,
        "wall_us_p50": float(np.percentile(wall_ns, 50)) / 1e3,
        "wall_us_p99": float(np.percentile(wall_ns, 99)) / 1e3,
    }
