//! The graph outside of memory.

use crate::Graph;
use crate::graph::Base;
use crate::order::Order;
use crate::packed::{PAD, Packed};
use crate::rows::Rows;
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError};
use std::io::{self, Write};

const KIND: &str = "graph";
const VERSION: u32 = 1;

impl Graph {
    /// Writes a snapshot; what came since the rows were packed is packed into it. Errors are those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let merged = (self.edges_since() > 0).then(|| self.merge().run());
        let Base { to_boards, to_pins, pins, boards } = merged.as_ref().map_or(&*self.base, |merged| &merged.base);
        let widths = [to_boards.packed.width as u32, to_pins.packed.width as u32];
        let sections: [(&str, &[u8]); 9] = [
            ("widths", cast_slice(&widths)),
            ("pin ids", cast_slice(&pins.ids)),
            ("pin places", cast_slice(&pins.places)),
            ("pin classes", cast_slice(&to_boards.classes)),
            ("pin entries", &to_boards.packed.bytes),
            ("board ids", cast_slice(&boards.ids)),
            ("board places", cast_slice(&boards.places)),
            ("board classes", cast_slice(&to_pins.classes)),
            ("board entries", &to_pins.packed.bytes),
        ];
        Snapshot::write(out, KIND, VERSION, &sections)
    }

    /// Opens a snapshot without copying it: the rows are read where they lie, new edges go to an overlay in memory.
    pub fn open(bytes: &Bytes) -> Result<Graph, SnapshotError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let widths = snapshot.column::<u32>("widths")?;
        let &[pin_width, board_width] = &widths[..] else { return Err(odd("widths", "are not two")) };
        let pins = order(&snapshot, ["pin ids", "pin places"])?;
        let boards = order(&snapshot, ["board ids", "board places"])?;
        let to_boards = rows(&snapshot, ["pin classes", "pin entries"], pin_width, pins.ids.len() as u32)?;
        let to_pins = rows(&snapshot, ["board classes", "board entries"], board_width, boards.ids.len() as u32)?;
        if to_boards.len() != to_pins.len() {
            return Err(odd("board entries", "are not as many as those of pins"));
        }
        Ok(Graph::from_base(Base { to_boards, to_pins, pins, boards }))
    }
}

fn order(snapshot: &Snapshot, names: [&str; 2]) -> Result<Order, SnapshotError> {
    let (ids, places) = (snapshot.column::<u32>(names[0])?, snapshot.column::<u32>(names[1])?);
    if ids.len() != places.len() || ids.len() >= u32::MAX as usize {
        return Err(odd(names[1], "are not as many as the ids"));
    }
    Ok(Order { ids, places })
}

/// Rows whose classes follow each other without gaps and end where the entries do: all that reading relies on.
fn rows(snapshot: &Snapshot, names: [&str; 2], width: u32, nodes: u32) -> Result<Rows, SnapshotError> {
    let (classes, bytes) = (snapshot.column::<[u32; 3]>(names[0])?, snapshot.column::<u8>(names[1])?);
    let (mut place, mut entry, mut last) = (0u64, 0u64, u32::MAX);
    let ends = classes.iter().skip(1).map(|&[place, ..]| place).chain([nodes]);
    for (&[first, start, degree], end) in classes.iter().zip(ends) {
        if u64::from(first) != place || u64::from(start) != entry || degree >= last || end <= first {
            return Err(odd(names[0], "do not follow each other"));
        }
        (place, last) = (end.into(), degree);
        entry += u64::from(end - first) * u64::from(degree);
    }
    let fits = (1..=4).contains(&width) && bytes.len() as u64 == entry * u64::from(width) + PAD as u64;
    if place != u64::from(nodes) || entry > u64::from(u32::MAX) || !fits {
        return Err(odd(names[1], "are not as long as the classes say"));
    }
    Ok(Rows::of(classes, Packed { bytes, width: width as usize }, nodes))
}

fn odd(section: &str, reason: &str) -> SnapshotError {
    SnapshotError::Section { section: section.to_owned(), reason: reason.to_owned() }
}
