//! What do we know of a pin, a pinner, a query right now: events become counters, sequences and columns.
