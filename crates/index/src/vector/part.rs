//! Rows of pins, by list.

use super::geometry::Geometry;
use super::kernel::{Line, ROWS, Scale, prefetch};
use super::query::width;
use super::row::{self, Coded, NOBODY, Row};
use domain::{Column, PinId};
use std::ops::Range;
use std::sync::Arc;

/// Where the blocks of each list lie.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// List `i` has blocks `starts[i]..starts[i + 1]`.
    Packed(Column<u32>),
    /// Each list has a chain of blocks, in the order in which they were filled.
    Loose(Vec<Vec<u32>>),
}

/// The columns of a part, looked up once.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) part: &'a Part,
    blocks: &'a [Line],
    pub(super) scales: &'a [[Scale; ROWS]],
    pub(super) pins: &'a [[u32; ROWS]],
    /// Rows of each list.
    pub(super) sizes: &'a [u32],
    lower: &'a [u8],
    lines: usize,
    width: usize,
}

impl<'a> View<'a> {
    /// Lines of a run of blocks.
    #[inline]
    pub(super) fn lines_of(&self, run: Range<usize>) -> &'a [Line] {
        &self.blocks[run.start * self.lines..run.end * self.lines]
    }

    #[inline]
    pub(super) fn lower_of(&self, row: usize) -> &'a [u8] {
        &self.lower[row * self.width..][..self.width]
    }

    #[inline]
    pub(super) fn pin(&self, row: usize) -> PinId {
        PinId(self.pins[row / ROWS][row % ROWS])
    }

    #[inline]
    pub(super) fn prefetch_pin(&self, row: usize) {
        prefetch(bytemuck::bytes_of(&self.pins[row / ROWS][row % ROWS]));
    }

    /// Asks for all that [`View::coded`] and [`Part::list_of`] read of a row.
    #[inline]
    pub(super) fn prefetch_row(&self, row: usize) {
        let at = row / ROWS;
        self.lines_of(at..at + 1).iter().for_each(|line| prefetch(&line.0));
        prefetch(self.lower_of(row));
        prefetch(bytemuck::bytes_of(&self.scales[at][row % ROWS]));
        prefetch(bytemuck::bytes_of(&self.part.lists[at]));
    }

    /// The codes of a row.
    #[inline]
    pub(super) fn coded(&self, row: usize) -> Coded<'a> {
        let (at, slot) = (row / ROWS, row % ROWS);
        let block = self.lines_of(at..at + 1);
        Coded { block, slot, lower: self.lower_of(row), scale: self.scales[at][slot] }
    }
}

/// Rows of pins in blocks of sixteen; a block belongs to one list. Row `r` lies in place `r % 16` of block `r / 16`.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) geometry: Arc<Geometry>,
    pub(super) places: Places,
    /// The list of each block.
    pub(super) lists: Vec<u32>,
    /// Upper parts of codes.
    pub(super) blocks: Column<Line>,
    /// The pin of each row, by block.
    pub(super) pins: Column<[u32; ROWS]>,
    pub(super) scales: Column<[Scale; ROWS]>,
    /// Lower parts of codes, by row.
    pub(super) lower: Column<u8>,
    /// Rows of each list.
    pub(super) sizes: Column<u32>,
}

impl Part {
    /// Without rows, to be filled by [`Part::push`].
    pub(super) fn loose(geometry: Arc<Geometry>) -> Part {
        let places = Places::Loose(vec![Vec::new(); geometry.lists]);
        let sizes = vec![0; geometry.lists].into();
        Part {
            geometry,
            places,
            lists: Vec::new(),
            blocks: Column::default(),
            pins: Column::default(),
            scales: Column::default(),
            lower: Column::default(),
            sizes,
        }
    }

    /// With room for `sizes[list]` rows of each list, to be filled by [`Part::put`].
    pub(super) fn packed(geometry: Arc<Geometry>, sizes: Vec<u32>) -> Part {
        let mut starts = vec![0];
        starts.extend(sizes.iter().scan(0, |end, size| {
            *end += size.div_ceil(ROWS as u32);
            Some(*end)
        }));
        let lists = lists_of(&starts);
        let mut part = Part { places: Places::Packed(starts.into()), lists, ..Part::loose(geometry) };
        let blocks = sizes.iter().map(|size| size.div_ceil(ROWS as u32) as usize).sum();
        part.blocks = vec![Line([0; 64]); blocks * part.lines()].into();
        part.pins = vec![[NOBODY; ROWS]; blocks].into();
        part.scales = vec![[Scale::default(); ROWS]; blocks].into();
        part.lower = vec![0; blocks * ROWS * part.width()].into();
        part.sizes = sizes.into();
        part
    }

    pub(super) fn width(&self) -> usize {
        width(self.geometry.dim)
    }

    /// Lines of a block.
    pub(super) fn lines(&self) -> usize {
        row::block_lines(self.width())
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    /// The runs of blocks of a list.
    pub(super) fn runs(&self, list: usize) -> impl Iterator<Item = Range<usize>> {
        let (packed, loose) = match &self.places {
            Places::Packed(starts) => (Some(starts[list] as usize..starts[list + 1] as usize), &[][..]),
            Places::Loose(chains) => (None, &chains[list][..]),
        };
        packed.into_iter().chain(loose.iter().map(|&block| block as usize..block as usize + 1))
    }

    /// The list of a row.
    pub(super) fn list_of(&self, row: usize) -> usize {
        self.lists[row / ROWS] as usize
    }

    /// The first row of a packed list.
    pub(super) fn start(&self, list: usize) -> usize {
        self.runs(list).next().map_or(0, |run| run.start * ROWS)
    }

    pub(super) fn view(&self) -> View<'_> {
        let (lines, width) = (self.lines(), self.width());
        View {
            part: self,
            blocks: &self.blocks,
            scales: &self.scales,
            pins: &self.pins,
            sizes: &self.sizes,
            lower: &self.lower,
            lines,
            width,
        }
    }

    pub(super) fn get(&self, row: usize) -> Row {
        let view = self.view();
        let block = view.lines_of(row / ROWS..row / ROWS + 1);
        row::get(block, view.lower_of(row), view.scales[row / ROWS][row % ROWS], row % ROWS)
    }

    /// Writes a row in its place.
    pub(super) fn put(&mut self, at: usize, row: &Row, pin: PinId) {
        let (lines, width) = (self.lines(), self.width());
        let block = &mut self.blocks.to_mut()[at / ROWS * lines..][..lines];
        row::put(block, &mut self.lower.to_mut()[at * width..][..width], at % ROWS, row);
        self.pins.to_mut()[at / ROWS][at % ROWS] = pin.0;
        self.scales.to_mut()[at / ROWS][at % ROWS] = row.scale;
    }

    /// Appends a row to a list; where it lies.
    pub(super) fn push(&mut self, list: usize, row: &Row, pin: PinId) -> usize {
        let (slot, fresh) = (self.sizes[list] as usize % ROWS, self.len());
        let Places::Loose(chains) = &mut self.places else { unreachable!("invariant: only loose parts grow") };
        if slot == 0 {
            chains[list].push(fresh as u32);
            self.lists.push(list as u32);
        }
        let block = chains[list][chains[list].len() - 1] as usize;
        if slot == 0 {
            let width = self.width();
            let lines = self.blocks.len() + row::block_lines(width);
            self.blocks.to_mut().resize(lines, Line([0; 64]));
            self.pins.to_mut().push([NOBODY; ROWS]);
            self.scales.to_mut().push([Scale::default(); ROWS]);
            self.lower.to_mut().resize((fresh + 1) * ROWS * width, 0);
        }
        self.sizes.to_mut()[list] += 1;
        self.put(block * ROWS + slot, row, pin);
        block * ROWS + slot
    }

    /// All rows with their lists, list by list.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let view = self.view();
        (0..self.geometry.lists).flat_map(move |list| {
            let rows = self.runs(list).flat_map(|run| run.start * ROWS..run.end * ROWS);
            rows.filter(move |&row| view.pin(row).0 != NOBODY).map(move |row| (list, row))
        })
    }

    /// Bytes in memory, the geometry included.
    pub(super) fn bytes(&self) -> usize {
        let places = match &self.places {
            Places::Packed(starts) => starts.len() * 4,
            Places::Loose(chains) => chains.iter().map(|chain| size_of::<Vec<u32>>() + chain.capacity() * 4).sum(),
        };
        let rows = self.blocks.len() * size_of::<Line>() + self.scales.len() * (2 + 4) * ROWS + self.lower.len();
        self.geometry.bytes() + places + rows + (self.sizes.len() + self.lists.len()) * 4
    }
}

/// The list of each block, from where the blocks of each list start.
pub(super) fn lists_of(starts: &[u32]) -> Vec<u32> {
    let run = |(list, pair): (usize, &[u32])| std::iter::repeat_n(list as u32, (pair[1] - pair[0]) as usize);
    starts.windows(2).enumerate().flat_map(run).collect()
}
