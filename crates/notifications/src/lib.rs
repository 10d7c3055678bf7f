//! Whether, what, when and by which channel?
//!
//! A notification is a question about a pinner's weeks, not about a click: does it bring them here, or only tire them?
//! This room answers it in steps, each a function of its arguments:
//!
//! 1. [`eligible`]: the guards. Consent, a holdout who never gets any, quiet hours in the pinner's zone, caps, spacing,
//!    what was seen or sent before. A refusal has a name ([`Refusal`]).
//! 2. [`ValueModel`]: what so many notifications a week are worth, less the chance of losing the pinner.
//! 3. [`allocate`]: how many each pinner gets, so that all together are worth most within a budget.
//! 4. [`choose`]: by which channel, and when in their day. [`Pace`] spreads what is triggered by events over the week.
//! 5. [`plan`]: all of that for a week, with a reason for each candidate; nothing is sent.
//! 6. [`Delivery`]: sends what is planned, each key once, through a [`Channel`]: [`Webhook`], [`Smtp`] or [`InApp`].
//!
//! ```text
//!  candidates ──► eligible ──► value ──► allocate ──► choose ──► plan ──► Outbox ──► guards again ──► Channel
//!                                                                            │
//!                                                            entries ──► Journal (before anything leaves)
//! ```
//!
//! Nothing but delivery waits for sockets, and nothing asks for the time: it is an argument, or a clock that is handed
//! over.
//!
//! **Architecture invariant:** nothing leaves this machine before the journal says that it is about to. What that
//! guarantees is told in [`Unknown`]: at most once, or at least once under one key; never "exactly once" without
//! the receiver's help.
//!
//! **Architecture invariant:** the guards are asked when something is planned and again right before it goes out. A
//! clock that is set back makes them stricter.

mod allocate;
mod choose;
mod deliver;
mod eligible;
mod error;
mod message;
mod pace;
mod params;
mod plan;
mod value;
mod zone;

pub use allocate::{
    AllocateFigures, Allocation, VOLUMES_MAX, allocate, allocate_streamed, bench_allocate, planted_returns,
};
pub use choose::{Choice, ChooseParams, Opens, Window, choose};
pub use deliver::{
    Channel, DeliverParams, Delivery, Entry, Gate, InApp, Inbox, InboxEntry, Journal, Outbox, Outcome, Refused, Sink,
    Smtp, SmtpParams, SmtpTls, State, Step, UNSUBSCRIBE_BYTES_MAX, Unknown, UnsubscribeTokens, Webhook, WebhookParams,
    gate, verify_signature,
};
pub use eligible::{
    Ask, Consent, EligibilityParams, History, KindParams, PinnerState, Refusal, SENT_MAX, Sent, WEEK_CAP_MAX, eligible,
    is_held_out, may_go,
};
pub use error::NotifyError;
pub use message::{ChannelKind, KINDS_MAX, Key, Kind, Message};
pub use pace::{Pace, PaceParams, WEEK_HOURS};
pub use params::{NotifyParams, PlanParams};
pub use plan::{Candidate, Plan, PlanInput, Planned, plan};
pub use value::{Returns, ValueModel, ValueParams, Weeks};
pub use zone::{QuietHours, Zone};
