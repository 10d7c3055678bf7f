//! An index outside of memory.

use super::geometry::{Geometry, Spread};
use super::held::Held;
use super::kernel::{Kernel, ROWS};
use super::part::{Part, Places, lists_of};
use super::query::width;
use super::{Compacted, NOWHERE, PINS_MAX, Tagged, VectorIndex};
use bytes::Bytes;
use domain::{Column, Snapshot, SnapshotError};
use std::io::{self, Write};
use std::sync::Arc;

const KIND: &str = "vectors";
const VERSION: u32 = 2;

/// Most dimensions of vectors that are read.
const DIM_MAX: usize = 1 << 14;

impl Compacted {
    /// Writes it as a snapshot, to be [opened](VectorIndex::open) again.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let part = &*self.held.part;
        let geometry = &*part.geometry;
        let about = [geometry.dim as u64, u64::from(self.space), geometry.lists as u64, self.learned_rows as u64];
        let Places::Packed(starts) = &part.places else { unreachable!("invariant: compacted parts are packed") };
        let sections: [(&str, &[u8]); 9] = [
            ("about", bytemuck::cast_slice(&about)),
            ("centres", bytemuck::cast_slice(&geometry.centres)),
            ("spreads", bytemuck::cast_slice(&geometry.spreads)),
            ("starts", bytemuck::cast_slice(starts)),
            ("sizes", bytemuck::cast_slice(&part.sizes)),
            ("blocks", bytemuck::cast_slice(&part.blocks)),
            ("pins", bytemuck::cast_slice(&part.pins)),
            ("scales", bytemuck::cast_slice(&part.scales)),
            ("lower", &part.lower),
        ];
        Snapshot::write(out, KIND, VERSION, &sections)
    }
}

impl VectorIndex {
    /// Opens a snapshot. Its rows are read where they lie.
    pub fn open(bytes: &Bytes) -> Result<VectorIndex, SnapshotError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let odd =
            |section: &str, reason: &str| SnapshotError::Section { section: section.into(), reason: reason.into() };
        let about: Column<u64> = snapshot.column("about")?;
        let &[dim, space, lists, learned_rows] = &about[..] else { return Err(odd("about", "is not of 4 numbers")) };
        let (dim, lists) = (dim as usize, lists as usize);
        if dim > DIM_MAX || lists == 0 || lists > PINS_MAX {
            return Err(odd("about", "is out of bounds"));
        }
        let centres: Column<f32> = snapshot.column("centres")?;
        let spreads: Column<Spread> = snapshot.column("spreads")?;
        let starts: Column<u32> = snapshot.column("starts")?;
        if centres.len() != dim * lists || spreads.len() != lists || starts.len() != lists + 1 {
            return Err(odd("centres", "does not fit the number of lists"));
        }
        let mut part = Part {
            geometry: Arc::new(Geometry::new(dim, centres, spreads)),
            sizes: snapshot.column("sizes")?,
            blocks: snapshot.column("blocks")?,
            pins: snapshot.column("pins")?,
            scales: snapshot.column("scales")?,
            lower: snapshot.column("lower")?,
            lists: Vec::new(),
            places: Places::Packed(starts),
        };
        check(&part).map_err(|(section, reason)| odd(section, reason))?;
        if let Places::Packed(starts) = &part.places {
            part.lists = lists_of(starts);
        }
        let (places, len) = places(&part).ok_or_else(|| odd("blocks", "holds a pin twice or an odd pin"))?;
        let live = Held::loose(part.geometry.clone());
        let base = Held::all(Arc::new(part));
        Ok(VectorIndex {
            dim,
            space: space as u32,
            kernel: Kernel::detect(),
            held: vec![Tagged { tag: 0, held: base }, Tagged { tag: 1, held: live }],
            places,
            len,
            learned_rows: learned_rows as usize,
            version: 0,
            meanwhile: None,
        })
    }
}

/// Whether the columns fit each other, so that no search leaves them.
fn check(part: &Part) -> Result<(), (&'static str, &'static str)> {
    let Places::Packed(starts) = &part.places else { unreachable!("invariant: snapshots are packed") };
    let blocks = part.len();
    let rising = starts.windows(2).all(|pair| pair[0] <= pair[1]);
    if starts[0] != 0 || !rising || starts[starts.len() - 1] as usize != blocks {
        return Err(("starts", "does not rise from the first block to the last"));
    }
    let fits = |(size, pair): (&u32, &[u32])| *size as usize <= (pair[1] - pair[0]) as usize * ROWS;
    if part.sizes.len() + 1 != starts.len() || !part.sizes.iter().zip(starts.windows(2)).all(fits) {
        return Err(("sizes", "does not fit the blocks"));
    }
    if part.pins.len() != blocks
        || part.blocks.len() != blocks * part.lines()
        || part.lower.len() != blocks * ROWS * width(part.geometry.dim)
    {
        return Err(("blocks", "does not fit the number of dimensions"));
    }
    Ok(())
}

/// Where each pin's row is, and how many there are.
fn places(part: &Part) -> Option<(Vec<u32>, usize)> {
    let view = part.view();
    let mut places = Vec::new();
    let mut len = 0;
    for (_, row) in part.rows() {
        let pin = view.pin(row);
        if pin.index() >= PINS_MAX {
            return None;
        }
        if places.len() <= pin.index() {
            places.resize(pin.index() + 1, NOWHERE);
        }
        if std::mem::replace(&mut places[pin.index()], row as u32) != NOWHERE {
            return None;
        }
        len += 1;
    }
    Some((places, len))
}
