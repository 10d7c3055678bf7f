"""The loss of what comes next: each target against all pins that are not its pinner's. Two ways, the same numbers."""

import torch


def whole(users, pins, log_scale, batch):
    """All scores at once, differentiated by PyTorch."""
    scale = log_scale.exp()
    scores = users @ pins.T * scale
    own = scores.view(-1).gather(0, batch.targets)
    known = batch.positives.repeat_interleave(len(users) // len(batch.positives), dim=0)
    rest = scores.scatter(1, known, -torch.inf).logsumexp(1)[batch.of_question]
    return (batch.weights * (torch.logaddexp(own, rest) - own)).sum() / len(users)


def exponents(scores, scale):
    """Scores become e to them, less the highest that there can be; gives the sums of rows."""
    scores.sub_(scale).exp_()
    return scores.sum(1)


class Chunked(torch.autograd.Function):
    """Scores of a few questions at a time with the gradient written out, so that they stay in the cache."""

    @staticmethod
    def forward(ctx, users, pins, log_scale, batch, options):
        (chunk, exponents), scale, count = options, log_scale.detach().exp(), len(pins)
        share, loss = 1.0 / len(users), 0.0
        d_users, d_pins = torch.empty_like(users), torch.zeros_like(pins)
        known = batch.positives.repeat_interleave(len(users) // len(batch.positives), dim=0)
        ends = torch.searchsorted(batch.of_question, torch.arange(0, len(users) + chunk, chunk, device=users.device)).tolist()
        buffer = users.new_empty(min(chunk, len(users)), count)
        for number, start in enumerate(range(0, len(users), chunk)):
            of = users[start : start + chunk]
            own = slice(ends[number], ends[number + 1])
            row = batch.of_question[own] - start
            target = batch.targets[own] - start * count
            scores = torch.mm(of * scale, pins.T, out=buffer[: len(of)])
            # No score is above the scale, so it keeps every exponent below zero.
            hit = scores.view(-1).gather(0, target).sub_(scale).exp_()
            rest = exponents(scores.scatter_(1, known[start : start + chunk], -torch.inf), scale)
            total = hit + rest[row]
            weight = batch.weights[own] * share
            loss -= float((weight * (hit / total).log()).sum())
            # What all scores of a question are pulled by is taken out of the products.
            pull = of.new_zeros(len(of)).index_add_(0, row, weight * scale / total)
            scores.view(-1).scatter_(0, target, -weight * (1 - hit / total) * scale / pull[row])
            torch.mm(scores, pins, out=d_users[start : start + chunk]).mul_(pull[:, None])
            d_pins.addmm_(scores.T, of * pull[:, None])
        # Scores are scale · u · v: the gradient of the scale's logarithm is that of u along u.
        ctx.save_for_backward(d_users, d_pins, (d_users * users).sum())
        return users.new_tensor(loss)

    @staticmethod
    def backward(ctx, gradient):
        d_users, d_pins, d_log_scale = ctx.saved_tensors
        return gradient * d_users, gradient * d_pins, gradient * d_log_scale, None, None


def chunked(chunk, compiled):
    """The loss with so many questions at a time."""
    options = (chunk, torch.compile(exponents) if compiled else exponents)
    return lambda users, pins, log_scale, batch: Chunked.apply(users, pins, log_scale, batch, options)
