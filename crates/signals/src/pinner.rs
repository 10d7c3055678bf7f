//! What is known of one pinner.

use crate::bytes::{BadState, Reader, put_int};
use crate::lifelong::{self, LIFELONG_MAX};
use crate::recent::RecentIds;
use crate::shown::{self, SHOWN_MAX, Shown};
use domain::{Act, Action, BoardId, PinId, Surface};

/// Most positive acts kept per pinner.
pub const SEQUENCE_MAX: usize = 256;
/// Most boards kept per pinner.
pub const BOARDS_MAX: usize = 1_024;
/// Most negative acts kept per pinner.
pub const NEGATIVES_MAX: usize = 64;
const SEEN_MAX: usize = 4_096;
const SAVED_MAX: usize = 32_768;
const VERSION: u8 = 4;

/// One pinner's state; only pinners who acted have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct PinnerState {
    /// Positive acts sorted by time, newest last; one per (pin, action).
    pub(crate) history: Vec<Act>,
    /// Pins of positive acts that no longer fit there, in order of time.
    pub(crate) lifelong: Vec<Shown>,
    /// Negative acts likewise.
    pub(crate) negatives: Vec<Act>,
    /// Impressions sorted by time, newest last.
    pub(crate) shown: Vec<Shown>,
    pub(crate) seen: RecentIds<SEEN_MAX>,
    pub(crate) saved: RecentIds<SAVED_MAX>,
    pub(crate) hidden: RecentIds<SAVED_MAX>,
    /// Most recently used last.
    pub(crate) boards: Vec<BoardId>,
}

impl PinnerState {
    pub(crate) fn apply(&mut self, act: &Act) {
        if act.action.is_on_pin() {
            self.seen.add(act.pin.0);
        }
        if act.action == Action::Impression {
            shown::insert(&mut self.shown, Shown::new(act.pin, act.ts_ms), SHOWN_MAX);
        }
        if act.action.is_positive()
            && let Some(oldest) = remember(&mut self.history, *act, SEQUENCE_MAX)
        {
            lifelong::insert(&mut self.lifelong, Shown::new(oldest.pin, oldest.ts_ms));
        }
        if act.action.is_negative() {
            remember(&mut self.negatives, *act, NEGATIVES_MAX);
            self.hidden.add(act.pin.0);
        }
        if act.action == Action::Save {
            self.saved.add(act.pin.0);
            if let Some(board) = act.board {
                self.use_board(board);
            }
        }
    }

    fn use_board(&mut self, board: BoardId) {
        if let Some(place) = self.boards.iter().rposition(|&known| known == board) {
            self.boards[place..].rotate_left(1);
            return;
        }
        if self.boards.len() >= BOARDS_MAX {
            self.boards.remove(0);
        }
        self.boards.push(board);
    }

    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        to.push(VERSION);
        put_acts(to, &self.history);
        shown::encode(&self.lifelong, to);
        put_acts(to, &self.negatives);
        shown::encode(&self.shown, to);
        self.seen.encode(to);
        self.saved.encode(to);
        self.hidden.encode(to);
        put_int(to, self.boards.len() as u64);
        self.boards.iter().for_each(|board| put_int(to, u64::from(board.0)));
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<PinnerState, BadState> {
        let mut from = Reader::new(bytes, VERSION)?;
        let mut state = PinnerState {
            history: read_acts(&mut from, SEQUENCE_MAX, Action::is_positive)?,
            lifelong: shown::decode(&mut from, LIFELONG_MAX)?,
            negatives: read_acts(&mut from, NEGATIVES_MAX, Action::is_negative)?,
            shown: shown::decode(&mut from, SHOWN_MAX)?,
            seen: RecentIds::decode(&mut from)?,
            saved: RecentIds::decode(&mut from)?,
            hidden: RecentIds::decode(&mut from)?,
            boards: Vec::new(),
        };
        for _ in 0..from.length(BOARDS_MAX)? {
            state.boards.push(BoardId(from.int32()?));
        }
        from.end()?;
        Ok(state)
    }
}

/// Puts an act in its place in time; of the same action on the same pin only the newest stays. Gives the oldest where
/// there is no room for all.
fn remember(acts: &mut Vec<Act>, act: Act, max: usize) -> Option<Act> {
    let twin = acts.iter().position(|old| (old.pin, old.action) == (act.pin, act.action));
    if let Some(twin) = twin {
        if acts[twin].ts_ms > act.ts_ms {
            return None;
        }
        acts.remove(twin);
    }
    let mut place = acts.partition_point(|old| old.ts_ms <= act.ts_ms);
    let mut oldest = None;
    if acts.len() >= max {
        if place == 0 {
            return Some(act);
        }
        oldest = Some(acts.remove(0));
        place -= 1;
    }
    if acts.len() == acts.capacity() {
        acts.reserve_exact((acts.len() / 4 + 4).min(max - acts.len()));
    }
    acts.insert(place, act);
    oldest
}

fn put_acts(to: &mut Vec<u8>, acts: &[Act]) {
    put_int(to, acts.len() as u64);
    let mut before_ms = 0;
    for act in acts {
        put_act(to, act, before_ms);
        before_ms = act.ts_ms;
    }
}

fn read_acts(from: &mut Reader<'_>, max: usize, kind: fn(Action) -> bool) -> Result<Vec<Act>, BadState> {
    let length = from.length(max)?;
    let mut acts = Vec::with_capacity(length);
    let mut before_ms = 0;
    for _ in 0..length {
        let act = read_act(from, before_ms)?;
        if !kind(act.action) {
            return Err(BadState::Value("action"));
        }
        before_ms = act.ts_ms;
        acts.push(act);
    }
    Ok(acts)
}

/// The board's id is stored plus one, 0 is none; the time as what passed since the act before.
fn put_act(to: &mut Vec<u8>, act: &Act, before_ms: u64) {
    put_int(to, u64::from(act.pin.0));
    put_int(to, act.board.map_or(0, |board| u64::from(board.0) + 1));
    to.extend([act.action.code(), act.surface.code()]);
    put_int(to, act.ts_ms - before_ms);
    to.extend(act.value.to_le_bytes());
}

fn read_act(from: &mut Reader<'_>, before_ms: u64) -> Result<Act, BadState> {
    let pin = PinId(from.int32()?);
    let board = match from.int()? {
        0 => None,
        above => Some(BoardId(u32::try_from(above - 1).map_err(|_| BadState::Value("board"))?)),
    };
    let action = Action::from_code(from.byte()?).ok_or(BadState::Value("action"))?;
    let surface = Surface::from_code(from.byte()?).ok_or(BadState::Value("surface"))?;
    let ts_ms = before_ms.checked_add(from.int()?).ok_or(BadState::Value("time"))?;
    Ok(Act { pin, board, action, surface, ts_ms, value: from.amount()? })
}
