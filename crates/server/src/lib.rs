//! HTTP, pinner app, auth, metrics; the only wire types.
