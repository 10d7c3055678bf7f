"""Counters over a stream of events that know only the past: totals and decayed sums, by key."""

HALF_LIVES_S = (3_600.0, 86_400.0, 7 * 86_400.0)


class Counters:
    """Per key how often each of `width` things happened: ever, and decayed by each half-life."""

    def __init__(self, width, half_lives_s=()):
        self.width = width
        self.half_lives_s = half_lives_s
        self.rows = {}

    def add(self, key, values, at_s):
        """Counts `values` (one per thing) at a moment that is not before those counted already."""
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = [at_s, *([0.0] * (self.width * (1 + len(self.half_lives_s))))]
        place = 1
        for value in values:
            row[place] += value
            place += 1
        for half_life_s in self.half_lives_s:
            decay = 0.5 ** ((at_s - row[0]) / half_life_s)
            for value in values:
                row[place] = row[place] * decay + value
                place += 1
        row[0] = at_s

    def read(self, key, at_s):
        """Totals, then the decayed sums of each half-life, as of a moment; all in one list."""
        row = self.rows.get(key)
        if row is None:
            return [0.0] * (self.width * (1 + len(self.half_lives_s)))
        read, place = row[1 : 1 + self.width], 1 + self.width
        for half_life_s in self.half_lives_s:
            decay = 0.5 ** ((at_s - row[0]) / half_life_s)
            read += [value * decay for value in row[place : place + self.width]]
            place += self.width
        return read
