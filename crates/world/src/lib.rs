//! A planted world with known truth, drawn pictures and behaviour.
