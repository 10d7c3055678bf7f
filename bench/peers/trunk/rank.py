"""The second pass in PyTorch: candidates beside a history through the trunk, then the ranking head."""

import json
import subprocess
import time
from statistics import median

import torch
import torch.nn.functional as F

KNOTS, PHI, OUTS, RANK, MASK, EXPERTS, EXPERT, BAG = 16, 64, 9, 32, 48, 4, 32, 80
FEATURES, TRAIT_ROWS, PINNER_TRAITS, PIN_TRAITS = 97, 8192, 20, 6
DISTANCES, TOKEN_FACTS = 9, 32


def rms(x):
    """Rows over their root mean squares."""
    return F.rms_norm(x, x.shape[-1:], eps=1e-6)


class Request:
    """A request with its candidates, and weights that are drawn: what is computed does not depend on them."""

    def __init__(self, ours):
        shape, self.n, self.t = ours["shape"], ours["candidates"], ours["history"]
        d, hidden, content = shape["dim"], shape["hidden"], shape["content_dim"]
        if shape["layers"] != 1:
            raise SystemExit("this peer has one block")
        self.d, self.heads, draw = d, shape["heads"], torch.randn
        self.table = draw(shape["id_rows"], d)
        self.history_ids = torch.randint(0, shape["id_rows"], (2, self.t))
        self.ids = torch.randint(0, shape["id_rows"], (2, self.n))
        self.history_content, self.content = draw(self.t, content), draw(self.n, content)
        self.facts = torch.randint(0, TOKEN_FACTS, (self.t, 4))
        self.token_facts, self.token_id, self.token_content = draw(TOKEN_FACTS, d), draw(d, d), draw(content, d)
        self.own, self.candidate = draw(content, d), draw(d)
        self.query, self.key_value, self.out = draw(d, d), draw(d, 2 * d), draw(d, d)
        self.up, self.up_bias, self.down = draw(d, hidden), draw(hidden), draw(hidden, d)
        self.bias = draw(self.heads, self.t + 2)
        x = 2 * d + PHI
        self.features = draw(self.n, FEATURES)
        self.knots = draw(FEATURES, KNOTS).sort(1).values.contiguous()
        self.knot_table, self.trait_table = draw(FEATURES * KNOTS, BAG), draw(TRAIT_ROWS, BAG)
        self.pinner_traits = torch.randint(0, TRAIT_ROWS, (PINNER_TRAITS,))
        self.pin_traits = torch.randint(0, TRAIT_ROWS, (self.n, PIN_TRAITS))
        self.crosses = [(draw(x, RANK), draw(RANK, x), draw(x)) for _ in range(2)]
        masks = range(2)
        self.masks = [(draw(PHI, MASK), draw(MASK), draw(MASK, x), draw(x), draw(x, MASK)) for _ in masks]
        self.expert, self.expert_bias = draw(x + 2 * MASK, EXPERTS * EXPERT), draw(EXPERTS * EXPERT)
        self.read, self.gates = draw(EXPERT, OUTS), draw(EXPERTS, OUTS).softmax(0)

    def embed(self, ids, content):
        """Rows of the stream without what was done."""
        return (self.table[ids[0]] + self.table[ids[1]]) @ self.token_id + content @ self.token_content

    def past(self):
        """The history's rows of the stream, and what was asked (as one more)."""
        x = self.embed(self.history_ids, self.history_content) + self.token_facts[self.facts].sum(1)
        return torch.cat([x, x.mean(0, keepdim=True)])

    def trunk(self, shared):
        """Candidates beside the history: its keys and values once, or once for each candidate."""
        width = self.d // self.heads
        x = self.embed(self.ids, self.content) + self.candidate
        normed = rms(x)
        query = (normed @ self.query).view(self.n, self.heads, width)
        own_key, own_value = (normed @ self.key_value).view(self.n, 2, self.heads, width).unbind(1)
        past = self.past()
        if not shared:
            past = past.repeat(self.n, 1, 1)
        keys, values = (rms(past) @ self.key_value).unflatten(-1, (2, self.heads, width)).unbind(-3)
        if shared:
            scores = torch.einsum("nhw,thw->nht", query, keys)
        else:
            scores = torch.einsum("nhw,nthw->nht", query, keys)
        itself = (query * own_key).sum(-1, keepdim=True)
        shares = (torch.cat([scores, itself], -1) * width**-0.5 + self.bias).softmax(-1)
        shares, of_itself = shares[..., :-1], shares[..., -1:]
        mixed = torch.einsum("nht,thw->nhw" if shared else "nht,nthw->nhw", shares, values)
        x = x + (mixed + of_itself * own_value).reshape(self.n, self.d) @ self.out
        x = x + F.silu(torch.addmm(self.up_bias, rms(x), self.up)) @ self.down
        user = past.reshape(-1, self.d)[: self.t].mean(0)
        own = self.table[self.ids[0]] + self.table[self.ids[1]] + self.content @ self.own
        return torch.cat([rms(x), user * own], -1)

    def head(self, encoded):
        """Chances and looks."""
        at = torch.searchsorted(self.knots, self.features.T.contiguous(), right=True).T
        at = (at - 1).clamp(0, KNOTS - 2)
        low = self.knots.T.gather(0, at)
        high = self.knots.T.gather(0, at + 1)
        share = ((self.features - low) / (high - low)).clamp(0, 1)
        rows = at + torch.arange(FEATURES) * KNOTS
        sums = F.embedding_bag(
            torch.cat([rows, rows + 1], 1),
            self.knot_table,
            per_sample_weights=torch.cat([1 - share, share], 1),
            mode="sum",
        )
        sums = sums + F.embedding_bag(self.pin_traits, self.trait_table, mode="mean")
        sums = sums + self.trait_table[self.pinner_traits].mean(0)
        phi = sums[:, :PHI]
        x = rms(torch.cat([encoded, phi], 1))
        crossed = x
        for inner, outer, bias in self.crosses:
            crossed = crossed + x * torch.addmm(bias, crossed @ inner, outer)
        parts = [crossed]
        for up, up_bias, down, down_bias, out in self.masks:
            mask = torch.addmm(down_bias, F.silu(torch.addmm(up_bias, phi, up)), down)
            parts.append(F.silu(rms((mask * x) @ out)))
        experts = F.silu(torch.addmm(self.expert_bias, torch.cat(parts, 1), self.expert))
        read = (experts.view(-1, EXPERTS, EXPERT) @ self.read * self.gates).sum(1)
        outs = read + sums[:, PHI : PHI + OUTS]
        return torch.cat([outs[:, :-1].sigmoid(), outs[:, -1:]], 1)

    def rank(self, shared):
        """All of it."""
        return self.head(self.trunk(shared))


def cpu_ms(work, rounds):
    """Median milliseconds of the processor."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append(1e3 * (time.process_time() - start))
    return median(took)


def race(options):
    """Ours and the peer in turn; medians over the rounds."""
    torch.set_num_threads(1)
    command = [options.ours, "--json", "bench", "rank", "--candidates", str(options.candidates)]
    command += ["--history", str(options.history)]
    figures = {"ours": [], "shared": [], "apart": []}
    with torch.inference_mode():
        for _ in range(options.rounds):
            ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            figures["ours"].append(ours["cpu_ms_p50"])
            request = Request(ours)
            request.rank(True)
            figures["shared"].append(cpu_ms(lambda request=request: request.rank(True), 30))
            figures["apart"].append(cpu_ms(lambda request=request: request.rank(False), 3))
    ours, shared, apart = (median(figures[name]) for name in ("ours", "shared", "apart"))
    return {
        "bench": "rank",
        "candidates": options.candidates,
        "history": options.history,
        "torch": torch.__version__,
        "cpu_ms": {"ours": ours, "torch_shared_history": shared, "torch_history_for_each": apart},
        "times": {"torch_shared_history": shared / ours, "torch_history_for_each": apart / ours},
        "rounds": figures,
    }
