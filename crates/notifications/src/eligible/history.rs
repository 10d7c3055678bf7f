//! What a pinner was sent, and what they agreed to.

use crate::{ChannelKind, Key, Kind};
use domain::PinId;
use serde::{Deserialize, Serialize};

/// Most notifications that are remembered of one pinner: four weeks at the highest cap.
pub const SENT_MAX: usize = 256;

/// A notification that is on its way or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its key.
    pub key: Key,
    /// Its kind.
    pub kind: Kind,
    /// The pin that it is about.
    pub pin: PinId,
    /// When it went out, or is planned for (ms, UTC).
    pub at_ms: u64,
}

/// The last [`SENT_MAX`] notifications of a pinner.
///
/// What is planned counts as if it were sent, so that a process that ends between planning and sending leaves no gap
/// through which a cap could be passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    sent: Vec<Sent>,
}

impl History {
    /// Takes a notification in. One whose key is known counts at the later of both moments: it went out later than was
    /// planned, or was sent again.
    pub fn record(&mut self, sent: Sent) {
        if let Some(known) = self.sent.iter_mut().find(|known| known.key == sent.key) {
            known.at_ms = known.at_ms.max(sent.at_ms);
            return;
        }
        if self.sent.len() == SENT_MAX {
            let oldest = (0..SENT_MAX).min_by_key(|&place| self.sent[place].at_ms).unwrap_or(0);
            self.sent.remove(oldest);
        }
        self.sent.push(sent);
    }

    /// Takes back one that never went out.
    pub fn withdraw(&mut self, key: Key) {
        self.sent.retain(|sent| sent.key != key);
    }

    /// All that is remembered.
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// How many others than `key`, of one kind or of all, lie less than `window_ms` before `at_ms`. What lies after it
    /// counts too: the clock was set back, or it is planned.
    pub(crate) fn within(&self, key: Key, kind: Option<Kind>, at_ms: u64, window_ms: u64) -> usize {
        let counts = |sent: &&Sent| {
            sent.key != key && kind.is_none_or(|kind| kind == sent.kind) && at_ms.saturating_sub(sent.at_ms) < window_ms
        };
        self.sent.iter().filter(counts).count()
    }
}

/// Which kinds of notification a pinner wants, by channel. Nothing is agreed to before somebody agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    kinds: [u16; ChannelKind::ALL.len()],
}

impl Consent {
    /// The same with a kind allowed on a channel.
    #[must_use]
    pub fn with(mut self, kind: Kind, channel: ChannelKind) -> Consent {
        self.kinds[channel as usize] |= bit(kind);
        self
    }

    /// The same with a kind not allowed on a channel any more.
    #[must_use]
    pub fn without(mut self, kind: Kind, channel: ChannelKind) -> Consent {
        self.kinds[channel as usize] &= !bit(kind);
        self
    }

    /// Whether a kind may come by a channel.
    pub fn allows(self, kind: Kind, channel: ChannelKind) -> bool {
        self.kinds[channel as usize] & bit(kind) != 0
    }
}

fn bit(kind: Kind) -> u16 {
    1u16.checked_shl(u32::from(kind.0)).unwrap_or(0)
}
