//! Which pins match this vector, these words, this filter.
