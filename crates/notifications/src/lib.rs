//! Whether, what, when and by which channel?

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

pub use allocate::{AllocateFigures, Allocation, VOLUMES_MAX, allocate, allocate_streamed, bench_allocate};
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
