//! External ids ⇄ dense ids, and what is known of pins, boards and pinners.

mod defined;
mod file;
mod found;

use crate::facets::Facets;
use crate::names::Names;
use crate::pin_row::{PinRow, PinView};
use crate::words::{WordKind, Words};
use defined::Definitions;
use domain::{Board, BoardId, Pin, PinId, Pinner, PinnerId, Understood};
use found::{Alike, Reviews};
use index::{Columns, Filter, FilterError};
use std::collections::BTreeSet;

/// "None" in columns of numbers.
pub(crate) const NONE: u32 = u32::MAX;

/// Most pins that are kept in order of their making.
const NEWEST_MAX: usize = 4_096;

/// A save without a board lies on the pinner's unnamed board: this mark and the pinner's id. Ids from outside hold no
/// control characters, so it is nobody's.
const UNNAMED: char = '\u{1}';

/// Everything that has an id of its own. Ids are dense, given in the order of the log, and never given again.
///
/// An id that was only mentioned (by an event, by a board) is a placeholder: it has a number, and nothing is known of
/// it until it is described.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub(crate) pin_names: Names,
    pub(crate) board_names: Names,
    pub(crate) pinner_names: Names,
    pins: Vec<PinRow>,
    boards: Vec<BoardRow>,
    pinners: Vec<PinnerRow>,
    /// Creators, topics, traits and languages, each word once.
    words: Words,
    facets: Facets,
    /// The newest servable pins by the time they were made.
    newest: BTreeSet<(u64, PinId)>,
    alike: Alike,
    reviews: Reviews,
    /// Experiments by id.
    definitions: Definitions,
}

#[derive(Debug)]
struct BoardRow {
    title: Box<str>,
    owner: u32,
    created_ms: u64,
}

#[derive(Debug, Default)]
struct PinnerRow {
    name: Box<str>,
    language: Box<str>,
    created_ms: u64,
    traits: Box<[u32]>,
    boards: Vec<BoardId>,
}

/// What is known of a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoardView<'a> {
    /// The owner's id of it.
    pub key: &'a str,
    /// Its name; empty for a board that was only mentioned.
    pub title: &'a str,
    /// Whose it is.
    pub owner: Option<PinnerId>,
    /// When it was made (ms, UTC); 0 when unknown.
    pub created_ms: u64,
    /// Whether it is the place of a pinner's saves without a board, which nobody sees as a board.
    pub unnamed: bool,
}

/// What is known of a pinner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PinnerView<'a> {
    /// Their own id.
    pub key: &'a str,
    /// The name to show; empty for a pinner that was only mentioned.
    pub name: &'a str,
    /// Language as a two-letter code; empty when unknown.
    pub language: &'a str,
    /// When they joined (ms, UTC); 0 when unknown.
    pub created_ms: u64,
    /// Their boards, the unnamed one included, in the order of their numbers.
    pub boards: &'a [BoardId],
}

impl Catalogue {
    /// An empty catalogue.
    pub fn new() -> Catalogue {
        Catalogue::default()
    }

    /// The pin of an external id.
    pub fn pin(&self, key: &str) -> Option<PinId> {
        self.pin_names.find(key).map(PinId)
    }

    /// The board of an external id.
    pub fn board(&self, key: &str) -> Option<BoardId> {
        self.board_names.find(key).map(BoardId)
    }

    /// The pinner of an external id.
    pub fn pinner(&self, key: &str) -> Option<PinnerId> {
        self.pinner_names.find(key).map(PinnerId)
    }

    /// How many pins have a number, placeholders and removed ones included.
    pub fn pins(&self) -> usize {
        self.pins.len()
    }

    /// How many boards have a number.
    pub fn boards(&self) -> usize {
        self.boards.len()
    }

    /// How many pinners have a number.
    pub fn pinners(&self) -> usize {
        self.pinners.len()
    }

    /// The external id of a pin; empty for a number never given.
    pub fn pin_key(&self, pin: PinId) -> &str {
        self.pin_names.name(pin.0)
    }

    /// The external id of a board; empty for a number never given.
    pub fn board_key(&self, board: BoardId) -> &str {
        self.board_names.name(board.0)
    }

    /// The external id of a pinner; empty for a number never given.
    pub fn pinner_key(&self, pinner: PinnerId) -> &str {
        self.pinner_names.name(pinner.0)
    }

    /// What is known of a pin; `None` for a number never given.
    pub fn pin_view(&self, pin: PinId) -> Option<PinView<'_>> {
        Some(PinView::new(self.pin_key(pin), self.pins.get(pin.index())?, &self.words))
    }

    /// What is known of a board; `None` for a number never given.
    pub fn board_view(&self, board: BoardId) -> Option<BoardView<'_>> {
        let row = self.boards.get(board.index())?;
        let key = self.board_key(board);
        let owner = (row.owner != NONE).then_some(PinnerId(row.owner));
        let unnamed = key.starts_with(UNNAMED);
        Some(BoardView { key, title: &row.title, owner, created_ms: row.created_ms, unnamed })
    }

    /// What is known of a pinner; `None` for a number never given.
    pub fn pinner_view(&self, pinner: PinnerId) -> Option<PinnerView<'_>> {
        let row = self.pinners.get(pinner.index())?;
        let key = self.pinner_key(pinner);
        let PinnerRow { name, language, created_ms, boards, .. } = row;
        Some(PinnerView { key, name, language, created_ms: *created_ms, boards })
    }

    /// Numbers of a pinner's traits, as their owner gave them; empty for a number never given.
    pub fn pinner_traits(&self, pinner: PinnerId) -> &[u32] {
        self.pinners.get(pinner.index()).map_or(&[], |row| &row.traits)
    }

    /// The keys that what is said of a pin is learned under: its creator, its topics, its traits, see
    /// [`WordKind::key`].
    pub fn pin_keys(&self, pin: PinId) -> impl Iterator<Item = u64> {
        let row = self.row(pin);
        let creator = row.and_then(PinRow::creator).map(|number| (WordKind::Creator, number));
        let topics = self.pin_topics(pin).iter().map(|&number| (WordKind::Topic, number));
        let traits = row.map_or(&[][..], PinRow::traits).iter().map(|&number| (WordKind::Trait, number));
        creator.into_iter().chain(topics).chain(traits).map(|(kind, number)| self.words.key(kind, number))
    }

    /// Numbers of a pin's topics; empty for a number never given.
    pub fn pin_topics(&self, pin: PinId) -> &[u32] {
        self.row(pin).map_or(&[], PinRow::topics)
    }

    /// The keys that a pinner's traits are learned under.
    pub fn pinner_keys(&self, pinner: PinnerId) -> impl Iterator<Item = u64> {
        self.pinner_traits(pinner).iter().map(|&number| self.words.key(WordKind::Trait, number))
    }

    /// The key of a numbered word of a kind, see [`WordKind::key`]; 0 for a number never given.
    pub fn word_key(&self, kind: WordKind, number: u32) -> u64 {
        self.words.key(kind, number)
    }

    /// A numbered word; empty for a number never given.
    pub(crate) fn word(&self, number: u32) -> &str {
        self.words.word(number)
    }

    /// Whether a pin may be shown at `now_ms`: described, not removed, not expired, not unsafe, and not
    /// withheld by a label or a decision.
    pub fn servable(&self, pin: PinId, now_ms: u64) -> bool {
        self.row(pin).is_some_and(|row| row.described() && !row.gone(now_ms) && !row.not_safe() && !row.withheld())
    }

    /// Whether a pin may be shown at some time.
    pub(crate) fn may_be_shown(&self, pin: PinId) -> bool {
        self.servable(pin, 0)
    }

    /// The newest pins with a known time of making, newest first.
    pub fn newest(&self) -> impl Iterator<Item = (u64, PinId)> {
        self.newest.iter().rev().copied()
    }

    /// What filters may say of pins.
    pub fn columns(&self) -> &Columns {
        self.facets.columns()
    }

    /// Why a filter cannot be read or asked, if so; the empty one is fine.
    pub fn check_filter(&self, filter: &str) -> Result<(), FilterError> {
        Filter::parse(filter)?.bind_roughly(self.columns())?;
        Ok(())
    }

    pub(crate) fn row(&self, pin: PinId) -> Option<&PinRow> {
        self.pins.get(pin.index())
    }

    /// The number of a pin's id, a placeholder when it is new. `None` when all numbers are given.
    pub(crate) fn intern_pin(&mut self, key: &str) -> Option<PinId> {
        let number = self.pin_names.intern(key)?;
        if number as usize == self.pins.len() {
            self.pins.push(PinRow::default());
        }
        Some(PinId(number))
    }

    /// The number of a pinner's id.
    pub(crate) fn intern_pinner(&mut self, key: &str) -> Option<PinnerId> {
        let number = self.pinner_names.intern(key)?;
        if number as usize == self.pinners.len() {
            self.pinners.push(PinnerRow::default());
        }
        Some(PinnerId(number))
    }

    /// The number of a board's id; a new one belongs to `owner` until it is described.
    pub(crate) fn intern_board(&mut self, key: &str, owner: Option<PinnerId>) -> Option<BoardId> {
        let number = self.board_names.intern(key)?;
        if number as usize == self.boards.len() {
            self.boards.push(BoardRow { title: "".into(), owner: NONE, created_ms: 0 });
            self.give(BoardId(number), owner);
        }
        Some(BoardId(number))
    }

    /// The board of a pinner's saves without a board.
    pub(crate) fn intern_unnamed_board(&mut self, pinner: PinnerId) -> Option<BoardId> {
        let key = format!("{UNNAMED}{}", self.pinner_key(pinner));
        self.intern_board(&key, Some(pinner))
    }

    pub(crate) fn owner(&self, board: BoardId) -> Option<PinnerId> {
        self.boards.get(board.index()).map(|row| row.owner).filter(|&owner| owner != NONE).map(PinnerId)
    }

    fn give(&mut self, board: BoardId, owner: Option<PinnerId>) {
        let Some(owner) = owner else { return };
        let before = std::mem::replace(&mut self.boards[board.index()].owner, owner.0);
        if before == owner.0 {
            return;
        }
        if let Some(row) = self.pinners.get_mut(before as usize) {
            row.boards.retain(|&known| known != board);
        }
        let boards = &mut self.pinners[owner.index()].boards;
        let place = boards.partition_point(|&known| known < board);
        boards.insert(place, board);
    }

    pub(crate) fn describe_pin(&mut self, pin: &Pin) -> Option<PinId> {
        let id = self.intern_pin(&pin.id)?;
        let row = &mut self.pins[id.index()];
        self.newest.remove(&(row.created_ms(), id));
        row.describe(pin, &mut self.words);
        self.reviews.put(id, row.standing());
        self.facets.describe(id, &PinView::new(&pin.id, row, &self.words));
        if pin.created_ms > 0 {
            self.newest.insert((pin.created_ms, id));
            if self.newest.len() > NEWEST_MAX {
                self.newest.pop_first();
            }
        }
        Some(id)
    }

    pub(crate) fn remove_pin(&mut self, key: &str) -> Option<PinId> {
        let id = self.intern_pin(key)?;
        let row = &mut self.pins[id.index()];
        row.remove();
        self.reviews.put(id, row.standing());
        self.facets.remove(id);
        self.newest.remove(&(row.created_ms(), id));
        Some(id)
    }

    pub(crate) fn understand_pin(&mut self, understood: &Understood) -> Option<PinId> {
        let id = self.intern_pin(&understood.pin)?;
        let row = &mut self.pins[id.index()];
        row.understand(understood);
        self.facets.understand(id, &PinView::new(&understood.pin, row, &self.words));
        Some(id)
    }

    pub(crate) fn describe_board(&mut self, board: &Board) -> Option<BoardId> {
        let owner = match &board.pinner {
            Some(key) => Some(self.intern_pinner(key)?),
            None => None,
        };
        let id = self.intern_board(&board.id, owner)?;
        self.give(id, owner);
        let row = &mut self.boards[id.index()];
        row.title = board.title.as_str().into();
        row.created_ms = board.created_ms;
        Some(id)
    }

    pub(crate) fn describe_pinner(&mut self, pinner: &Pinner) -> Option<PinnerId> {
        let id = self.intern_pinner(&pinner.id)?;
        let traits = self.words.intern_all(&pinner.traits).into();
        let row = &mut self.pinners[id.index()];
        row.traits = traits;
        row.name = pinner.name.as_str().into();
        row.language = pinner.language.as_deref().unwrap_or("").into();
        row.created_ms = pinner.created_ms;
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(id: &str, created_ms: u64) -> Pin {
        Pin { id: id.into(), title: format!("title of {id}"), created_ms, ..Pin::default() }
    }

    #[test]
    fn a_placeholder_becomes_servable_when_it_is_described() {
        let mut catalogue = Catalogue::new();
        let id = catalogue.intern_pin("p").expect("a number");
        assert!(!catalogue.servable(id, 0));
        assert_eq!(catalogue.describe_pin(&pin("p", 5)), Some(id));
        assert!(catalogue.servable(id, 0));
        assert_eq!(catalogue.pin_view(id).map(|view| (view.key, view.title)), Some(("p", "title of p")));
        catalogue.remove_pin("p");
        assert!(!catalogue.servable(id, 0));
        catalogue.describe_pin(&Pin { expires_ms: Some(10), ..pin("p", 5) });
        assert!(catalogue.servable(id, 9), "described anew it is back");
        assert!(!catalogue.servable(id, 10), "expired");
        catalogue.describe_pin(&Pin { unsafe_content: true, ..pin("p", 5) });
        assert!(!catalogue.servable(id, 0), "unsafe");
    }

    #[test]
    fn a_board_belongs_to_the_first_who_saved_to_it_until_it_is_described() {
        let mut catalogue = Catalogue::new();
        let (ann, ben) = (catalogue.intern_pinner("ann").expect("ann"), catalogue.intern_pinner("ben").expect("ben"));
        let board = catalogue.intern_board("b", Some(ann)).expect("a board");
        catalogue.intern_board("b", Some(ben));
        assert_eq!(catalogue.owner(board), Some(ann));
        let described = Board { id: "b".into(), title: "Blue".into(), pinner: Some("ben".into()), created_ms: 1 };
        catalogue.describe_board(&described);
        assert_eq!(catalogue.owner(board), Some(ben));
        assert_eq!(catalogue.pinner_view(ann).map(|view| view.boards.len()), Some(0));
        assert_eq!(catalogue.pinner_view(ben).map(|view| view.boards), Some(&[board][..]));
        let unnamed = catalogue.intern_unnamed_board(ann).expect("a board");
        assert_eq!(catalogue.board_view(unnamed).map(|view| view.unnamed), Some(true));
    }

    fn keys(catalogue: &Catalogue) -> [Vec<u64>; 2] {
        let (pin, pinner) = (catalogue.pin("p").expect("a pin"), catalogue.pinner("ann").expect("a pinner"));
        [catalogue.pin_keys(pin).collect(), catalogue.pinner_keys(pinner).collect()]
    }

    #[test]
    fn what_is_said_of_a_pin_or_pinner_is_kept_and_has_the_same_keys_everywhere() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
        let (topics, traits) = (words(&["lamps"]), words(&["size=m", "legs=4", "size=m"]));
        let lamp = Pin { topics, traits, creator: Some("studio".into()), ..pin("p", 5) };
        let ann = Pinner { id: "ann".into(), traits: words(&["plan=free", "size=m"]), ..Pinner::default() };
        let mut catalogue = Catalogue::new();
        let id = catalogue.describe_pin(&lamp).expect("a number");
        let annie = catalogue.describe_pinner(&ann).expect("a number");
        catalogue.intern_pinner("ben");
        let view = catalogue.pin_view(id).expect("known");
        assert_eq!((view.topics().collect(), view.traits().collect()), (vec!["lamps"], vec!["size=m", "legs=4"]));
        let row = catalogue.row(id).expect("a row");
        assert_eq!(row.traits()[0], catalogue.pinner_traits(annie)[1], "one word has one number");
        let expected = [
            vec![
                WordKind::Creator.key("studio"),
                WordKind::Topic.key("lamps"),
                WordKind::Trait.key("size=m"),
                WordKind::Trait.key("legs=4"),
            ],
            vec![WordKind::Trait.key("plan=free"), WordKind::Trait.key("size=m")],
        ];
        assert_eq!(keys(&catalogue), expected);
        let mut bytes = Vec::new();
        catalogue.write(&mut bytes).expect("in memory");
        assert_eq!(keys(&Catalogue::open(&bytes.into()).expect("whole")), expected, "after a restart");
        let mut elsewhere = Catalogue::new();
        elsewhere.describe_pinner(&Pinner { traits: words(&["other"]), ..ann.clone() });
        elsewhere.describe_pinner(&ann);
        elsewhere.describe_pin(&lamp);
        assert_eq!(keys(&elsewhere), expected, "in another order");
        catalogue.understand_pin(&Understood { pin: "p".into(), palette: vec![[1, 2, 3]], ..Understood::default() });
        assert_eq!(keys(&catalogue), expected, "whatever else becomes known");
    }

    #[test]
    fn the_newest_pins_come_first_and_stay_bounded() {
        let mut catalogue = Catalogue::new();
        for i in 0..NEWEST_MAX as u64 + 10 {
            catalogue.describe_pin(&pin(&format!("p{i}"), 1 + i));
        }
        catalogue.describe_pin(&pin("timeless", 0));
        let newest: Vec<(u64, PinId)> = catalogue.newest().collect();
        assert_eq!(newest.len(), NEWEST_MAX);
        assert_eq!(newest[0].0, NEWEST_MAX as u64 + 10);
    }
}
