//! Places of nodes: the most connected first.

use domain::Column;

/// A side's nodes by falling degree, ties by id. A node's number in that order is its place; the rows are in this
/// order and their entries are places. Nodes that came since keep their id as their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The id at each place.
    pub(crate) ids: Column<u32>,
    /// The place of each id.
    pub(crate) places: Column<u32>,
}

impl Order {
    pub(crate) fn new(nodes: u32, degree: impl Fn(u32) -> u32) -> Order {
        let mut ids: Vec<u64> = (0..nodes).map(|id| u64::from(!degree(id)) << 32 | u64::from(id)).collect();
        ids.sort_unstable();
        let ids: Vec<u32> = ids.into_iter().map(|key| key as u32).collect();
        let mut places = vec![0; ids.len()];
        (0..).zip(&ids).for_each(|(place, &id)| places[id as usize] = place);
        Order { ids: ids.into(), places: places.into() }
    }

    #[inline]
    pub(crate) fn id(&self, place: u32) -> u32 {
        self.ids.get(place as usize).copied().unwrap_or(place)
    }

    #[inline]
    pub(crate) fn place(&self, id: u32) -> u32 {
        self.places.get(id as usize).copied().unwrap_or(id)
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        (self.ids.len() + self.places.len()) * size_of::<u32>()
    }
}
