//! Whether, what, when and by which channel?

mod eligible;
mod error;
mod message;
mod zone;

pub use eligible::{
    Ask, Consent, EligibilityParams, History, KindParams, PinnerState, Refusal, SENT_MAX, Sent, WEEK_CAP_MAX, eligible,
    is_held_out, may_go,
};
pub use error::NotifyError;
pub use message::{ChannelKind, KINDS_MAX, Key, Kind, Message};
pub use zone::{QuietHours, Zone};
