//! What comes in over the wire: bodies become rows, rows become facts.

pub(crate) mod base64;
mod facts;
mod fields;
pub(crate) mod rows;

pub(crate) use facts::is_web_address;
pub use facts::{RowKind, TakenRow, read_line, read_row};
pub use fields::RowRefusal;
