//! The verbs, one file each.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod experiment;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod models;
pub(crate) mod query;
pub(crate) mod relevance;
pub(crate) mod serve;
pub(crate) mod sql;
pub(crate) mod train;
pub(crate) mod understand;
pub(crate) mod world;
