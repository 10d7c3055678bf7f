"""One step: vectors of ids, trunk and tower, loss, the way back, AdamW and row-wise Adagrad."""

import numpy as np
import torch
import torch.nn.functional as F

from . import softmax
from .model import Model


class Pooled(torch.autograd.Function):
    """Means over neighbours, as a sparse matrix and its transpose."""

    @staticmethod
    def forward(ctx, vectors, matrix, transposed):
        ctx.transposed = transposed
        return matrix @ vectors

    @staticmethod
    def backward(ctx, gradient):
        return ctx.transposed @ gradient, None, None


def means(neighbours):
    """The matrix of means over neighbours, and its transpose, in compressed rows."""
    count, width = neighbours.shape
    rows = torch.arange(count).repeat_interleave(width)
    at = torch.stack([rows, torch.from_numpy(neighbours).reshape(-1)])
    values = torch.full((count * width,), 1.0 / width)
    return tuple(
        torch.sparse_coo_tensor(where, values, (count, count)).coalesce().to_sparse_csr() for where in (at, at.flip(0))
    )


class Learner:
    """Everything that changes. A pin's id vector is the sum of two rows of a table; only rows in use are kept here."""

    def __init__(self, config, world, options):
        torch.manual_seed(world.size["seed"])
        self.config, self.device = config, options.device
        self.content = torch.from_numpy(world.content).to(self.device)
        pins, rng = world.size["pins"], np.random.default_rng(world.size["seed"])
        table_rows = 1 << (4 * pins - 1).bit_length()
        used, places = np.unique(rng.integers(0, table_rows, (2, pins)), return_inverse=True)
        self.rows = torch.from_numpy(places.reshape(2, pins)).to(self.device)
        self.table = (torch.randn(len(used), config.dim) * 0.5 / config.dim**0.5).to(self.device)
        self.sums = torch.zeros(len(used), device=self.device)
        self.means = tuple(matrix.to(self.device) for matrix in means(world.neighbours))
        self.model = Model(config, world.size["content_dim"]).to(self.device)
        self.loss = softmax.whole if options.softmax == "whole" else softmax.chunked(options.chunk, options.compile)
        self.adamw = torch.optim.AdamW(self.groups(), config.rate_dense, betas=(0.9, 0.99), fused=True)
        self.trunk, self.tower = self.model.trunk, self.model.tower
        if options.compile:
            self.trunk, self.tower = torch.compile(self.trunk), torch.compile(self.tower)

    def groups(self):
        """Gains, biases and scales are not pulled to zero."""
        weights = list(self.model.parameters())
        pulled = [weight for weight in weights if weight.dim() > 1]
        free = [weight for weight in weights if weight.dim() < 2]
        return [{"params": pulled, "weight_decay": self.config.weight_decay}, {"params": free, "weight_decay": 0.0}]

    def step(self, batch):
        """Learns from a batch; gives the mean loss."""
        config, (first, second) = self.config, self.rows
        vectors = (self.table[first] + self.table[second]).requires_grad_()
        ids = vectors * (torch.rand(len(vectors), 1, device=self.device) >= config.id_dropout)
        pins = self.tower(ids, Pooled.apply(ids, *self.means), self.content)
        subjects = F.embedding_bag(batch.asked, ids, batch.asked_starts, mode="mean")
        users = self.trunk(F.embedding(batch.tokens, ids), subjects, batch)
        loss = self.loss(users, pins, self.model.log_scale, batch)
        self.adamw.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.adamw.step()
        self.adagrad(vectors.grad)
        return float(loss.detach())

    @torch.no_grad()
    def adagrad(self, gradient):
        """Row-wise Adagrad: gradients of pins that share a row add up."""
        rows = torch.zeros_like(self.table)
        for of_pin in self.rows:
            rows.index_add_(0, of_pin, gradient)
        self.sums += rows.square().mean(1)
        self.table -= rows * (self.config.rate_ids / (self.sums.sqrt() + 1e-10))[:, None]
