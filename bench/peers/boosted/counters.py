"""Counters over a stream of events that know only the past, by key."""


class Counters:
    """Per key how often each of `width` things happened. Decayed counts beside the totals made no tree better."""

    def __init__(self, width):
        self.width = width
        self.rows = {}

    def add(self, key, values):
        """Counts `values`, one per thing."""
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = list(values)
            return
        for place, value in enumerate(values):
            row[place] += value

    def read(self, key):
        """The counts as of now."""
        return self.rows.get(key) or [0.0] * self.width
