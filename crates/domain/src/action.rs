//! What pinners do, and where.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a pinner did (or what was done to them: an impression, a notification).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the vocabulary itself
pub enum Action {
    Impression,
    Closeup,
    Click,
    LongClick,
    Save,
    Hide,
    Report,
    Share,
    Download,
    Follow,
    Search,
    NotificationSent,
    NotificationOpen,
    Unsubscribe,
    Comment,
}

/// The actions that the ranking model predicts, in the order of its heads.
pub const HEADS: [Action; HEAD_COUNT] = [
    Action::Save,
    Action::Closeup,
    Action::Click,
    Action::LongClick,
    Action::Share,
    Action::Follow,
    Action::Comment,
    Action::Hide,
];

/// How many heads the ranking model has.
pub const HEAD_COUNT: usize = 8;

impl Action {
    /// Every action, in the order of its code.
    pub const ALL: [Action; 15] = [
        Action::Impression,
        Action::Closeup,
        Action::Click,
        Action::LongClick,
        Action::Save,
        Action::Hide,
        Action::Report,
        Action::Share,
        Action::Download,
        Action::Follow,
        Action::Search,
        Action::NotificationSent,
        Action::NotificationOpen,
        Action::Unsubscribe,
        Action::Comment,
    ];

    /// The word used in events, configuration and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Impression => "impression",
            Action::Closeup => "closeup",
            Action::Click => "click",
            Action::LongClick => "long_click",
            Action::Save => "save",
            Action::Hide => "hide",
            Action::Report => "report",
            Action::Share => "share",
            Action::Download => "download",
            Action::Follow => "follow",
            Action::Search => "search",
            Action::NotificationSent => "notification_sent",
            Action::NotificationOpen => "notification_open",
            Action::Unsubscribe => "unsubscribe",
            Action::Comment => "comment",
        }
    }

    /// The stable code used on disk.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The action of a code, if there is one.
    pub fn from_code(code: u8) -> Option<Action> {
        Action::ALL.get(usize::from(code)).copied()
    }

    /// Whether the pinner showed that they like the pin. Only these become history tokens and start walks.
    pub fn is_positive(self) -> bool {
        use Action::{Click, Closeup, Comment, Download, Follow, LongClick, Save, Share};
        matches!(self, Closeup | Click | LongClick | Save | Share | Download | Follow | Comment)
    }

    /// Whether the pinner asked not to see the pin again.
    pub fn is_negative(self) -> bool {
        matches!(self, Action::Hide | Action::Report)
    }

    /// Whether an event of it that names a pin is an act on that pin.
    pub fn is_on_pin(self) -> bool {
        self.is_positive() || self.is_negative() || self == Action::Impression
    }

    /// Whether an event of it must name a pin. `follow` may: with a pin, the pin's creator is followed because of it;
    /// without one the event says whom by other means and is an act on no pin.
    pub fn needs_pin(self) -> bool {
        self.is_on_pin() && self != Action::Follow
    }
}

/// A set of actions as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionSet(pub u16);

impl ActionSet {
    /// The set with `action` added.
    #[must_use]
    pub fn with(self, action: Action) -> ActionSet {
        ActionSet(self.0 | 1 << action.code())
    }

    /// Whether `action` is in the set.
    pub fn has(self, action: Action) -> bool {
        self.0 & (1 << action.code()) != 0
    }
}

/// Where pins are shown. A surface is a value, not a code path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the vocabulary itself
pub enum Surface {
    Home,
    Related,
    Search,
    Board,
    Notification,
}

impl Surface {
    /// Every surface, in the order of its code.
    pub const ALL: [Surface; 5] =
        [Surface::Home, Surface::Related, Surface::Search, Surface::Board, Surface::Notification];

    /// The word used in events, configuration and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Surface::Home => "home",
            Surface::Related => "related",
            Surface::Search => "search",
            Surface::Board => "board",
            Surface::Notification => "notification",
        }
    }

    /// The stable code used on disk.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The surface of a code, if there is one.
    pub fn from_code(code: u8) -> Option<Surface> {
        Surface::ALL.get(usize::from(code)).copied()
    }
}

/// A word that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} '{word}' (known: {known})")]
pub struct UnknownWord {
    /// What was expected: `action` or `surface`.
    pub kind: &'static str,
    /// What came, cut to 64 characters.
    pub word: String,
    /// The words that exist.
    pub known: String,
}

impl FromStr for Action {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Action::ALL
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or_else(|| unknown("action", word, Action::ALL.map(Action::as_str).join(" ")))
    }
}

impl FromStr for Surface {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Surface::ALL
            .into_iter()
            .find(|surface| surface.as_str() == word)
            .ok_or_else(|| unknown("surface", word, Surface::ALL.map(Surface::as_str).join(" ")))
    }
}

fn unknown(kind: &'static str, word: &str, known: String) -> UnknownWord {
    UnknownWord { kind, word: word.chars().take(64).collect(), known }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_code_comes_back() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
            assert_eq!(Action::from_code(action.code()), Some(action));
        }
        for surface in Surface::ALL {
            assert_eq!(surface.as_str().parse(), Ok(surface));
            assert_eq!(Surface::from_code(surface.code()), Some(surface));
        }
        assert_eq!(Action::from_code(15), None);
    }

    #[test]
    fn an_unknown_action_is_named_with_the_known_ones() {
        let error = "repin".parse::<Action>().expect_err("not in the vocabulary").to_string();
        assert!(error.starts_with("unknown action 'repin' (known: impression closeup"), "{error}");
    }
}
