//! Sends what is planned, each key once.
//!
//! **What is guaranteed.** Before anything leaves this machine, an entry says so in the journal. So after any end of
//! the process the outbox knows of every attempt that may have been made. An attempt of which no end is known is
//! *unknown*, and [`Unknown`] decides by channel:
//!
//! - [`Unknown::GiveUp`]: **at most once**. No message is handed to the channel a second time after an attempt that may
//!   have succeeded; one that was under way when the process ended is dead, whether or not it arrived. So mails go.
//! - [`Unknown::Resend`]: **at least once** up to the last attempt, under the same key each time. The receiver that
//!   drops keys it has seen gets it once. So webhooks go (`Idempotency-Key`), and the app's own list.
//!
//! Exactly once, without the receiver's help, does not exist: between the channel's taking a message and the journal's
//! saying so, the process can end.

mod inbox;
mod outbox;
mod params;
mod sign;
mod smtp;
mod token;
mod webhook;

pub use inbox::{InApp, Inbox, InboxEntry, Sink};
pub use outbox::{Entry, Outbox, State};
pub use params::{DeliverParams, Unknown};
pub use sign::verify_signature;
pub use smtp::{Smtp, SmtpParams, SmtpTls};
pub use token::{UNSUBSCRIBE_BYTES_MAX, UnsubscribeTokens};
pub use webhook::{Webhook, WebhookParams};

use crate::zone::HOUR_MS;
use crate::{Ask, ChannelKind, EligibilityParams, Message, NotifyError, PinnerState, Refusal, may_go};
use async_trait::async_trait;
use futures::future::join_all;
use std::time::Duration;

/// Why a channel will never take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The channel took it.
    Accepted,
    /// The channel will never take it.
    Refused(Refused),
    /// It did not arrive, for sure; later it may.
    Failed {
        /// Why.
        reason: String,
        /// How long to wait at least, if the channel said so (ms).
        after_ms: Option<u64>,
    },
    /// It may have arrived or not.
    Unknown(String),
}

/// A way to reach pinners.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> ChannelKind;

    /// Hands a message over, once; `now_ms` is the moment (ms, UTC). Dropped when it takes too long: the outcome is
    /// unknown then.
    async fn send(&self, message: &Message, now_ms: u64) -> Outcome;
}

/// Where entries are kept.
pub trait Journal: Send {
    /// Writes entries in their order. When it returns they survive the end of the process, and a loss of power.
    ///
    /// # Errors
    /// What went wrong; then none of them may be relied on.
    fn append(&mut self, entries: &[Entry]) -> Result<(), String>;
}

/// What the guards say of a message right before it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It goes.
    Go,
    /// Not before a moment (ms, UTC).
    Wait(u64),
    /// Never.
    Drop(Refusal),
}

/// What [`may_go`] means for a planned message at `now_ms`.
pub fn gate(params: &EligibilityParams, pinner: &PinnerState, ask: &Ask, now_ms: u64) -> Gate {
    match may_go(params, pinner, ask, now_ms) {
        Ok(()) => Gate::Go,
        Err(Refusal::QuietHours) => Gate::Wait(params.quiet.next_open(pinner.zone, now_ms)),
        Err(refusal) if refusal.is_for_now() => Gate::Wait(now_ms + HOUR_MS),
        Err(refusal) => Gate::Drop(refusal),
    }
}

/// What one [`Delivery::step`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Messages that a channel took.
    pub sent: usize,
    /// Messages that are tried again.
    pub failed: usize,
    /// Messages that are given up.
    pub dead: usize,
    /// Messages that the guards hold back for now.
    pub postponed: usize,
}

/// The outbox and the channels.
pub struct Delivery {
    params: DeliverParams,
    outbox: Outbox,
    channels: Vec<Box<dyn Channel>>,
}

impl Delivery {
    /// Goes on from an outbox that was made from all entries of the journal.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where parameters are wrong.
    pub fn new(
        params: DeliverParams,
        outbox: Outbox,
        channels: Vec<Box<dyn Channel>>,
    ) -> Result<Delivery, NotifyError> {
        params.validate()?;
        Ok(Delivery { params, outbox, channels })
    }

    /// Where all messages stand.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Plans a message; false where its key is known.
    ///
    /// # Errors
    /// [`NotifyError::Full`], [`NotifyError::Invalid`] (see [`Outbox::plan`]) or [`NotifyError::Journal`].
    pub fn plan(&mut self, journal: &mut dyn Journal, message: Message) -> Result<bool, NotifyError> {
        let Some(entry) = self.outbox.plan(&self.params, message)? else { return Ok(false) };
        self.write(journal, vec![entry]).map(|()| true)
    }

    /// See [`Outbox::forget`].
    pub fn forget(&mut self, before_ms: u64) {
        self.outbox.forget(before_ms);
    }

    /// Sends up to [`DeliverParams::in_flight_max`] messages that are due, and waits until all of them have an outcome
    /// or their time is up.
    ///
    /// `guard` is asked right before each message goes out; where it lets one go it has to count it as sent, since the
    /// next one may be for the same pinner. `clock` tells the moment (ms, UTC). What an earlier step left without an
    /// outcome (it was dropped, or the journal failed) is settled as unknown first. The journal is written to on this
    /// thread.
    ///
    /// # Errors
    /// [`NotifyError::Journal`]: nothing was sent that the journal does not know of.
    pub async fn step(
        &mut self,
        journal: &mut dyn Journal,
        guard: &mut (dyn FnMut(&Message, u64) -> Gate + Send),
        clock: &(dyn Fn() -> u64 + Sync),
    ) -> Result<Step, NotifyError> {
        let mut step = Step::default();
        let left = self.outbox.unsettled();
        let lost = Outcome::Unknown("the process ended, or its journal failed, while it was sent".to_owned());
        let settled = left.iter().filter_map(|&key| self.outbox.settle(&self.params, key, &lost, clock()));
        let settled: Vec<Entry> = settled.collect();
        self.keep(journal, settled, &mut step)?;

        let now_ms = clock();
        let (going, entries) = self.decide(guard, now_ms);
        self.keep(journal, entries, &mut step)?;
        let sends = going.iter().map(|message| self.send(message, now_ms));
        let outcomes = join_all(sends).await;
        let ended_ms = clock();
        let ends = going.iter().zip(&outcomes);
        let ends =
            ends.filter_map(|(message, outcome)| self.outbox.settle(&self.params, message.key, outcome, ended_ms));
        let ends: Vec<Entry> = ends.collect();
        self.keep(journal, ends, &mut step)?;
        Ok(step)
    }

    /// Who goes now, and what is to be written before they do.
    fn decide(&self, guard: &mut (dyn FnMut(&Message, u64) -> Gate + Send), now_ms: u64) -> (Vec<Message>, Vec<Entry>) {
        let (mut going, mut entries) = (Vec::new(), Vec::new());
        for message in self.outbox.due(now_ms, self.params.in_flight_max) {
            let key = message.key;
            let dead = |reason: String| Entry::Dead { key, at_ms: now_ms, reason };
            if now_ms >= message.expires_ms {
                entries.push(dead("expired".to_owned()));
                continue;
            }
            entries.push(match guard(message, now_ms) {
                Gate::Go => {
                    going.push(message.clone());
                    Entry::Sending { key, at_ms: now_ms }
                }
                Gate::Wait(until_ms) if until_ms >= message.expires_ms => dead("expires while it waits".to_owned()),
                Gate::Wait(until_ms) => Entry::Postponed { key, until_ms: until_ms.max(now_ms + 1) },
                Gate::Drop(refusal) => dead(refusal.to_string()),
            });
        }
        (going, entries)
    }

    async fn send(&self, message: &Message, now_ms: u64) -> Outcome {
        let Some(channel) = self.channels.iter().find(|channel| channel.kind() == message.channel) else {
            return Outcome::Refused(Refused(format!("there is no channel {}", message.channel)));
        };
        let limit = Duration::from_millis(self.params.timeout_ms);
        let sent = tokio::time::timeout(limit, channel.send(message, now_ms)).await;
        sent.unwrap_or_else(|_| Outcome::Unknown(format!("no answer within {} ms", self.params.timeout_ms)))
    }

    /// Writes entries, then counts them.
    fn keep(&mut self, journal: &mut dyn Journal, entries: Vec<Entry>, step: &mut Step) -> Result<(), NotifyError> {
        for entry in &entries {
            match entry {
                Entry::Sent { .. } => step.sent += 1,
                Entry::Failed { .. } => step.failed += 1,
                Entry::Dead { .. } => step.dead += 1,
                Entry::Postponed { .. } => step.postponed += 1,
                Entry::Planned { .. } | Entry::Sending { .. } => {}
            }
        }
        self.write(journal, entries)
    }

    fn write(&mut self, journal: &mut dyn Journal, entries: Vec<Entry>) -> Result<(), NotifyError> {
        if entries.is_empty() {
            return Ok(());
        }
        journal.append(&entries).map_err(NotifyError::Journal)?;
        entries.iter().try_for_each(|entry| self.outbox.apply(entry))
    }
}

#[cfg(test)]
mod tests;
