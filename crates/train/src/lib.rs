//! How are weights learned: data sets, losses, loops, evaluation, promotion gates.
