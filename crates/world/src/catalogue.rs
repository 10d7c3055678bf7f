//! The world's pins, pinners and boards as facts.

use std::ops::Range;

use domain::{Board, EventId, Fact, Pin, Pinner, Rng, hash64};

use crate::plant::World;
use crate::{TOPICS, words};

impl World {
    /// Every pin, pinner and board of the beginning, in this order, each with the id that it always has.
    pub fn catalogue(&self) -> impl Iterator<Item = (EventId, Fact)> + '_ {
        self.facts_of(0..self.config.pins, 0..self.config.pinners)
    }

    /// What is new at the beginning of a day: pins, pinners and boards; of day 0, nothing.
    pub fn catalogue_of_day(&self, day: u32) -> impl Iterator<Item = (EventId, Fact)> + '_ {
        let new = |first: u32, daily: u32, end: usize| {
            let from = day.checked_sub(1).map_or(first, |before| first.saturating_add(before.saturating_mul(daily)));
            let to = if day == 0 { from } else { from.saturating_add(daily) };
            from.min(end as u32)..to.min(end as u32)
        };
        let (config, growth) = (&self.config, self.growth);
        let pins = new(config.pins, growth.pins, self.pins.len());
        self.facts_of(pins, new(config.pinners, growth.pinners, self.pinners.len()))
    }

    fn facts_of(&self, pins: Range<u32>, pinners: Range<u32>) -> impl Iterator<Item = (EventId, Fact)> + '_ {
        let boards = self.boards_of(&pinners);
        let pins = pins.map(|pin| {
            let fact = self.pin(pin);
            self.named(4, pin, fact.created_ms, Fact::Pin(fact))
        });
        let pinners = pinners.map(|pinner| {
            let fact = self.pinner(pinner);
            self.named(5, pinner, fact.created_ms, Fact::Pinner(fact))
        });
        let boards = boards.map(|board| {
            let fact = self.board(board);
            self.named(6, board, fact.created_ms, Fact::Board(fact))
        });
        pins.chain(pinners).chain(boards)
    }

    /// How many facts [`World::catalogue`] gives.
    pub fn catalogue_len(&self) -> usize {
        let boards = self.boards_of(&(0..self.config.pinners)).len();
        self.config.pins as usize + self.config.pinners as usize + boards
    }

    /// The boards of some pinners.
    fn boards_of(&self, pinners: &Range<u32>) -> Range<u32> {
        let of = |pinner: u32| self.pinners.get(pinner as usize).map(|pinner| pinner.boards.clone());
        match (of(pinners.start), pinners.end.checked_sub(1).and_then(of)) {
            (Some(first), Some(last)) if !pinners.is_empty() => first.start..last.end,
            _ => 0..0,
        }
    }

    /// How many pins there are at a moment (ms, UTC); theirs are the first numbers.
    pub fn pins_by(&self, at_ms: u64) -> u32 {
        self.pins.partition_point(|pin| pin.created_ms <= at_ms) as u32
    }

    /// The id of a pin.
    pub fn pin_id(&self, pin: u32) -> String {
        format!("pin-{pin:05}")
    }

    /// The id of a pinner.
    pub fn pinner_id(&self, pinner: u32) -> String {
        format!("pinner-{pinner:05}")
    }

    /// The id of a board.
    pub(crate) fn board_id(&self, board: u32) -> String {
        format!("board-{board:05}")
    }

    /// Which pin of this world has the id, if one has.
    pub fn pin_number(&self, id: &str) -> Option<u32> {
        let number = id.strip_prefix("pin-")?.parse().ok()?;
        ((number as usize) < self.pins.len() && self.pin_id(number) == id).then_some(number)
    }

    /// Which pinner of this world has the id, if one has.
    pub fn pinner_number(&self, id: &str) -> Option<u32> {
        let number = id.strip_prefix("pinner-")?.parse().ok()?;
        ((number as usize) < self.pinners.len() && self.pinner_id(number) == id).then_some(number)
    }

    /// A pin as its owner describes it. Its picture is [`World::draw`]'s, to be kept under the key in `image`.
    pub fn pin(&self, number: u32) -> Pin {
        let planted = &self.pins[number as usize];
        let mut rng = Rng::new(self.seed_of(7, u64::from(number)));
        let language = self.language_of(number);
        let studio = words::studio(planted.creator);
        let address = studio.to_lowercase().replace([' ', '&'], "-").replace("--", "-");
        Pin {
            id: self.pin_id(number),
            title: words::title(planted, language, &mut rng),
            description: words::description(planted, language, &mut rng),
            image: Some(format!("media/{}.jpg", self.pin_id(number))),
            creator: Some(studio),
            topics: vec![TOPICS[usize::from(planted.topic)].name.to_owned()],
            language: Some(language.code().to_owned()),
            link: Some(format!("https://{address}.example/{}", self.pin_id(number))),
            created_ms: planted.created_ms,
            ..Pin::default()
        }
    }

    fn pinner(&self, number: u32) -> Pinner {
        let planted = &self.pinners[number as usize];
        Pinner {
            id: self.pinner_id(number),
            name: words::person(&mut Rng::new(self.seed_of(9, u64::from(number)))),
            language: Some(planted.language.code().to_owned()),
            created_ms: planted.created_ms,
            ..Pinner::default()
        }
    }

    fn board(&self, number: u32) -> Board {
        let planted = &self.boards[number as usize];
        Board {
            id: self.board_id(number),
            title: words::board_title(planted.holds, &mut Rng::new(self.seed_of(10, u64::from(number)))),
            pinner: Some(self.pinner_id(planted.pinner)),
            created_ms: self.pinners[planted.pinner as usize].created_ms,
        }
    }

    fn named(&self, purpose: u64, number: u32, ts_ms: u64, fact: Fact) -> (EventId, Fact) {
        let seed = self.seed_of(purpose, u64::from(number));
        (EventId::new(ts_ms, u128::from(hash64(seed)) << 64 | u128::from(seed)), fact)
    }
}
