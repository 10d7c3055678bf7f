//! The generators that live in the process.

mod content;
mod exploration;
mod fresh;
mod popular;
mod retrieval;
mod text;
mod walks;

pub(crate) use content::Content;
pub(crate) use exploration::Exploration;
pub(crate) use fresh::Fresh;
pub(crate) use popular::Popular;
pub(crate) use retrieval::Retrieval;
pub(crate) use text::Text;
pub(crate) use walks::Walks;
