//! Dense internal ids, assigned once by the catalogue and stable.

/// Internal id of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinId(pub u32);

/// Internal id of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardId(pub u32);

/// Internal id of a pinner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnerId(pub u32);

impl PinId {
    /// Position in columns that hold one row per pin.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl BoardId {
    /// Position in columns that hold one row per board.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl PinnerId {
    /// Position in columns that hold one row per pinner.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
