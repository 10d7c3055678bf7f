//! Who was saved together: the pin-board graph, incremental, with random walks.
