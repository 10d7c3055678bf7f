"""The committed table: for each bar the fastest measured point that reaches it; nothing is interpolated."""

from statistics import median

from .results import BEATEN

BARS = [(10, 0.95), (10, 0.99), (100, 0.90), (100, 0.95), (100, 0.97), (100, 0.99), (1000, 0.95), (1000, 0.99)]
FILTER_BAR = (100, 0.95)


def middle(point, figure):
    """The median of a figure over the rounds."""
    return median(entry[figure] for entry in point["rounds"])


def fastest(points, k, recall, name=None):
    """The point with the most queries per CPU second among those that reach the recall, or None."""
    reached = [p for p in points if p["setting"]["k"] == k and p["setting"]["filter"] == name and p["recall"] >= recall]
    return max(reached, key=lambda point: middle(point, "queries_per_cpu_s"), default=None)


def best(points, k, name=None):
    """The highest recall that was reached, or None where nothing was measured."""
    return max((p["recall"] for p in points if p["setting"]["k"] == k and p["setting"]["filter"] == name), default=None)


def cell(points, k, recall, name=None):
    """`queries per CPU second (recall)`; where the bar is not reached, the best recall that was."""
    point = fastest(points, k, recall, name)
    if point:
        return f"{middle(point, 'queries_per_cpu_s'):,.0f} ({short(point['recall'])})"
    reached = best(points, k, name)
    return "–" if reached is None else f"– (best {short(reached)})"


def short(recall):
    """A recall to three places, never rounded up to 1."""
    return "1" if recall == 1 else f"{int(recall * 1000) / 1000:.3f}".lstrip("0")


def row(cells):
    return "| " + " | ".join(cells) + " |"


def head(columns):
    return [row(columns), row(["---"] + ["--:"] * (len(columns) - 1))]


def markdown(data):
    """The whole file."""
    peers = {name: peer for name, peer in data["peers"].items() if peer["points"]}
    return "\n".join([*preface(data, peers), *curves(peers), *costs(data, peers), *filters(data, peers)]) + "\n"


def preface(data, peers):
    """What was run, where and when."""
    meta, box = data["workload"], data["machine"]
    rounds = " or ".join(str(count) for count in sorted({len(peer["rounds"]) for peer in peers.values()}))
    rounds = "one round" if rounds == "1" else f"medians of {rounds} rounds"
    lines = [
        f"# Vector search: `{meta['workload']}`",
        "",
        f"{meta['vectors']:,} × {meta['dimensions']} float32, inner product, {meta['queries']:,} queries, "
        f"seed {meta['seed']}. {box['cpu']}, {box['cores']} cores ({', '.join(box['simd'])}), {box['memory_gib']} GiB, "
        f"Linux {box['kernel']}. {data['date']}, commit `{data['commit']}`.",
        "",
        "One thread on one core, queries one by one, all indexes alternately; figures are **queries per CPU second**, "
        f"{rounds}, recall in brackets. For each bar the fastest "
        "point of the measured curve that reaches it; nothing is interpolated. Settings that another one of the same "
        f"index beat in recall and by more than {BEATEN} in speed in the first round were not asked again.",
    ]
    return lines + (["", data["note"]] if data["note"] else [])


def curves(peers):
    """Speed at each recall bar."""
    lines = ["", *head(["", *(f"recall@{k:,} ≥ {bar:.2f}".replace("0.", ".") for k, bar in BARS)])]
    return lines + [row([peer["title"], *(cell(peer["points"], *bar) for bar in BARS)]) for peer in peers.values()]


def costs(data, peers):
    """Memory, build and latency."""
    vectors = data["workload"]["vectors"]
    columns = ["", "version", "bytes a vector in RAM", "bytes a vector on disk", "build CPU s"]
    columns += ["binding, CPU µs a call", "CPU µs p50 / p99 at recall@100 ≥ .95"]
    lines = ["", *head(columns)]
    for peer in peers.values():
        point = fastest(peer["points"], *FILTER_BAR)
        latency = f"{middle(point, 'cpu_us_p50'):,.0f} / {middle(point, 'cpu_us_p99'):,.0f}" if point else "–"
        sizes = [peer.get(name) for name in ("bytes_resident", "bytes_saved")]
        sizes = [f"{size / vectors:,.0f}" if size else "–" for size in sizes]
        binding = peer.get("binding_us")
        spent = [f"{peer['build_cpu_s']:,.0f}", f"{binding:,.1f}" if binding else "–"]
        lines.append(row([peer["title"], peer["version"], *sizes, *spent, latency]))
    return lines


def filters(data, peers):
    """Speed and tail under each filter."""
    k, bar = FILTER_BAR
    names = [entry["name"] for entry in data["workload"]["filters"]]
    peers = {n: p for n, p in peers.items() if any(point["setting"]["filter"] for point in p["points"])}
    if not names or not peers:
        return []
    lines = ["", f"## Filters, recall@{k} ≥ {bar}", ""]
    lines += ["Share passing in %. In brackets the recall, then CPU µs p99; *after*: the library has no filter, more are"]
    lines += ["fetched and those that do not pass dropped.", ""]
    lines += head(["", *names])
    for peer in peers.values():
        cells = []
        for name in names:
            point, text = fastest(peer["points"], k, bar, name), cell(peer["points"], k, bar, name)
            if point:
                after = ", *after*" if point["setting"]["filtered_by"] == "after" else ""
                text = f"{text[:-1]}, {middle(point, 'cpu_us_p99'):,.0f} µs{after})"
            cells.append(text)
        lines.append(row([peer["title"], *cells]))
    return lines
