//! What will this pinner do: weights, id tables, inference kernels, model cards.
