"""The model: the same matrices, starts and operations as the product's."""

import torch
import torch.nn.functional as F
from torch import nn

from .shapes import CONDITION_FACTS, DISTANCES, TOKEN_FACTS

NORM_EPSILON, UNIT_EPSILON = 1e-6, 1e-12


def matrix(rows, columns, scale):
    """A matrix that starts normal, or at zero."""
    return nn.Parameter(torch.randn(rows, columns) * scale / rows**0.5)


def unit_matrix(size, scale=1.0):
    """A matrix that starts as the unit matrix."""
    return nn.Parameter(torch.eye(size) * scale)


def row(size, value=0.0):
    """A gain, a bias."""
    return nn.Parameter(torch.full((size,), value))


def normed(x, gain):
    """Rows over their root mean squares, times a gain."""
    return F.rms_norm(x, x.shape[-1:], gain, NORM_EPSILON)


def to_unit(x):
    """Rows over their lengths."""
    return x * torch.rsqrt((x * x).sum(-1, keepdim=True) + UNIT_EPSILON)


class Block(nn.Module):
    """What a transformer block holds."""

    def __init__(self, config):
        super().__init__()
        d = config.dim
        self.norm, self.hidden_norm = row(d, 1.0), row(d, 1.0)
        self.query, self.key_value, self.out = matrix(d, d, 1), matrix(d, 2 * d, 1), matrix(d, d, 0)
        self.distance = nn.Parameter(torch.zeros(config.heads, DISTANCES + 1))
        self.up, self.up_bias, self.down = matrix(d, config.hidden, 1), row(config.hidden), matrix(config.hidden, d, 0)


class Model(nn.Module):
    """The trunk, the read-out and the tower of pins. One block only: of the last, only questions are encoded."""

    def __init__(self, config, content_dim):
        super().__init__()
        d, hidden = config.dim, config.hidden
        if config.layers != 1 or content_dim != d:
            raise SystemExit("this peer has one block, and contents as wide as vectors")
        self.heads, self.dropout = config.heads, config.dropout
        self.content, self.token_id, self.condition_id = unit_matrix(d), unit_matrix(d), unit_matrix(d)
        # Contents, facts and what stands for no content are one matrix over one input.
        facts = torch.randn(TOKEN_FACTS, d) * 0.5 / TOKEN_FACTS**0.5
        self.token_side = nn.Parameter(torch.cat([torch.eye(d), facts, torch.zeros(1, d)]))
        facts = torch.randn(CONDITION_FACTS, d) / CONDITION_FACTS**0.5
        self.condition_side = nn.Parameter(torch.cat([torch.eye(d), facts]))
        self.pool_key, self.pool_query, self.pool_distance = matrix(d, d, 1), matrix(d, d, 0), row(DISTANCES)
        self.user_norm, self.gates, self.gates_bias = row(d, 1.0), matrix(d, 2, 0), row(2, 1.0)
        self.user_up, self.user_up_bias, self.user_down = matrix(d, hidden, 1), row(hidden), matrix(hidden, d, 0)
        self.near = unit_matrix(d, 0.5)
        self.pin_up, self.pin_up_bias, self.pin_down = matrix(2 * d, hidden, 1), row(hidden), matrix(hidden, d, 0)
        self.log_scale = nn.Parameter(torch.tensor(config.log_scale))
        self.block = Block(config)

    def drop(self, x):
        """Zeroes a part of the numbers."""
        return F.dropout(x, self.dropout)

    def tower(self, own_ids, pooled, content):
        """Vectors of pins."""
        own = torch.addmm(own_ids, content, self.content)
        d = own.shape[1]
        wide = torch.addmm(torch.addmm(self.pin_up_bias, own, self.pin_up[:d]), pooled, self.pin_up[d:])
        return to_unit(torch.addmm(torch.addmm(own, pooled, self.near), F.silu(wide), self.pin_down))

    def trunk(self, ids, subject_ids, batch):
        """User vectors: a row per question."""
        (n, t, d), q = ids.shape, self.questions(batch)
        content = batch.token_side[..., :d].reshape(n * t, d)
        ids, side = ids.reshape(n * t, d), batch.token_side.reshape(n * t, -1)
        own = torch.addmm(ids, content, self.content)
        x = torch.addmm(ids @ self.token_id, side, self.token_side)
        subject = torch.addmm(subject_ids, batch.condition_side[:, :d], self.content)
        c = torch.addmm(subject_ids @ self.condition_id, batch.condition_side, self.condition_side)
        pool_keys = x @ self.pool_key
        c = self.transform(c + self.drop(self.attend(c, self.drop(x), batch, (n, t, q))))
        return self.read_out(c, pool_keys, own, subject, batch, (n, t, q))

    def questions(self, batch):
        """Questions of a pinner."""
        return batch.distance.shape[1]

    def attend(self, c, x, batch, shape):
        """Each question over its history and itself."""
        (n, t, q), d, heads, block = shape, c.shape[1], self.heads, self.block
        width = d // heads
        c = normed(c, block.norm)
        key_value, own = normed(x, block.norm) @ block.key_value, c @ block.key_value
        query = (c @ block.query).view(n, q, heads, width)
        keys, values = key_value.view(n, t, 2, heads, width).unbind(2)
        own_key, own_value = own.view(n, q, 2, heads, width).unbind(2)
        scale = width**-0.5
        scores = query.transpose(1, 2) @ keys.permute(0, 2, 3, 1) * scale
        scores = scores + block.distance[:, batch.distance].transpose(0, 1)
        scores = scores.masked_fill(batch.hidden[:, None], -torch.inf)
        itself = (query * own_key).sum(-1).transpose(1, 2) * scale + block.distance[:, 0, None]
        shares = torch.cat([scores, itself[..., None]], -1).softmax(-1)
        mixed = shares[..., :t] @ values.transpose(1, 2) + shares[..., t:] * own_value.transpose(1, 2)
        return mixed.transpose(1, 2).reshape(n * q, d) @ block.out

    def transform(self, c):
        """The block's hidden layer."""
        block = self.block
        wide = F.silu(torch.addmm(block.up_bias, normed(c, block.hidden_norm), block.up))
        return c + self.drop(wide @ block.down)

    def read_out(self, c, pool_keys, own, subject, batch, shape):
        """Pooled history, subject and a hidden layer, in the space of pins."""
        (n, t, q), d = shape, c.shape[1]
        h = normed(c, self.user_norm)
        gates = torch.addmm(self.gates_bias, h, self.gates)
        query = (h @ self.pool_query).view(n, q, d)
        scores = query @ pool_keys.view(n, t, d).transpose(1, 2) * d**-0.5 + self.pool_distance[batch.distance]
        # A question without a history pools nothing.
        scores = scores.masked_fill(batch.hidden, -1e9)
        shares = scores.softmax(-1).masked_fill(batch.hidden, 0.0)
        pooled = (shares @ own.view(n, t, d)).reshape(n * q, d)
        deep = F.silu(torch.addmm(self.user_up_bias, h, self.user_up)) @ self.user_down
        return to_unit(gates[:, :1] * pooled + gates[:, 1:] * subject + self.drop(deep))
