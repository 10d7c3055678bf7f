//! What stands for [`crate::zoo`] in a build without it: no published encoder can be read.

use std::collections::BTreeMap;

use crate::{ContentError, Picture};

/// There is none.
#[derive(Debug)]
pub(crate) enum Published {}

impl Published {
    pub(crate) fn read(_: &BTreeMap<&str, Vec<u8>>) -> Result<Published, ContentError> {
        let reason = "this program reads no published encoders: build it with `--features zoo`";
        Err(ContentError::Encoder { reason: reason.into() })
    }

    pub(crate) fn text(&self, _: &str) -> Option<Vec<f32>> {
        match *self {}
    }

    pub(crate) fn picture(&self, _: &Picture) -> Option<Vec<f32>> {
        match *self {}
    }
}
