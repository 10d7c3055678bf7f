//! Neighbours by group, so that a walk can step to those of a language or a topic.

use crate::Graph;
use crate::csr::Csr;
use crate::direction::Direction;
use crate::order::Order;
use crate::packed::Entries;

/// The graph's neighbours once more, ordered by group: those of one group lie side by side, and a preference draws
/// among them alone (Pixie's biased walk). It costs what the graph's rows cost. Edges that come later are stepped on
/// without preference until it is made anew.
#[derive(Clone, Debug)]
pub struct Groups {
    to_boards: Grouped,
    to_pins: Grouped,
}

/// What a walk prefers.
#[derive(Clone, Copy, Debug)]
pub struct Preference<'a> {
    /// Which pins and boards are of which group.
    pub groups: &'a Groups,
    /// The group of boards to step to, if any.
    pub boards: Option<u16>,
    /// The group of pins to step to, if any.
    pub pins: Option<u16>,
    /// Chance that a step looks at its preferred group only; where a node has no such neighbours, at all of them.
    pub chance: f32,
}

/// One direction: rows by group, and the group of each neighbour.
#[derive(Clone, Debug)]
struct Grouped {
    rows: Csr,
    groups: Vec<u16>,
}

impl Groups {
    /// Groups of `graph`'s pins and boards as it is now: a number for each, 0 for those past the end.
    pub fn new(graph: &Graph, pins: &[u16], boards: &[u16]) -> Groups {
        let (to_boards, to_pins) = (graph.to_boards(), graph.to_pins());
        let count = graph.edges() as usize;
        let pins = by_place(&graph.base.pins, graph.pins(), pins);
        let boards = by_place(&graph.base.boards, graph.boards(), boards);
        Groups {
            to_boards: Grouped::new(to_boards, graph.pins(), boards, count),
            to_pins: Grouped::new(to_pins, graph.boards(), pins, count),
        }
    }
}

impl<'a> Preference<'a> {
    /// What is preferred from pins to boards, and from boards to pins.
    pub(crate) fn both(&self) -> [Option<Preferred<'a>>; 2] {
        let chance = (f64::from(self.chance).clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        let of = |side: &'a Grouped, group: Option<u16>| {
            group.map(|group| Preferred {
                rows: &side.rows,
                entries: side.rows.entries(),
                groups: &side.groups,
                group,
                chance,
            })
        };
        [of(&self.groups.to_boards, self.boards), of(&self.groups.to_pins, self.pins)]
    }
}

impl Grouped {
    fn new(direction: Direction<'_>, nodes: u32, groups: Vec<u16>, count: usize) -> Grouped {
        let lists = (0..nodes).map(|node| {
            let mut list: Vec<u32> = direction.list(node).collect();
            list.sort_by_key(|&neighbour| groups[neighbour as usize]);
            list.into_iter()
        });
        let rows = Csr::from_lists(lists, groups.len() as u32, count);
        Grouped { rows, groups }
    }
}

/// The groups of a side's nodes by their places.
fn by_place(order: &Order, nodes: u32, groups: &[u16]) -> Vec<u16> {
    (0..nodes).map(|place| groups.get(order.id(place) as usize).copied().unwrap_or(0)).collect()
}

/// One direction of a preference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preferred<'a> {
    rows: &'a Csr,
    entries: Entries<'a>,
    groups: &'a [u16],
    group: u16,
    /// Of 2⁶⁴.
    chance: u64,
}

impl Preferred<'_> {
    pub(crate) fn entry(self, entry: usize) -> u32 {
        self.entries.get(entry)
    }

    /// Where the node's preferred neighbours lie; `None` when there are none or when this step prefers nothing.
    pub(crate) fn span(self, node: u32, chance: u64) -> Option<(u32, u32)> {
        if chance >= self.chance {
            return None;
        }
        let (start, len) = self.rows.span(node);
        let first = |wanted: u32| {
            let (mut from, mut to) = (start, start + len);
            while from < to {
                let middle = from + (to - from) / 2;
                let group = self.groups.get(self.entry(middle as usize) as usize).copied().unwrap_or(0);
                if u32::from(group) < wanted { from = middle + 1 } else { to = middle }
            }
            from
        };
        let (from, to) = (first(u32::from(self.group)), first(u32::from(self.group) + 1));
        (from < to).then_some((from, to - from))
    }
}
