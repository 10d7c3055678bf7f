//! The request path and nothing else.
