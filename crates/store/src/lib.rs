//! What outlives a process: event log, state, blobs; the embedded engines.
