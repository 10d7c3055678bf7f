//! How far long work is: a bar on a terminal, a plain line now and then elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Seconds until the first plain line; later ones come more slowly, the longer the work takes.
const LINE_EVERY_S: u64 = 5;
const LINE_EVERY_S_MAX: u64 = 60;

/// Progress of one piece of work; may be shared by threads.
pub(crate) struct Progress {
    what: String,
    started: Instant,
    bar: Option<ProgressBar>,
    plain: Mutex<Plain>,
}

struct Plain {
    done: u64,
    total: u64,
    next: Instant,
    note: String,
}

impl Progress {
    /// Work named `what` of `total` units (0: unknown). Everything goes to stderr, so that stdout stays for figures.
    pub(crate) fn new(what: &str, total: u64) -> Progress {
        let started = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| bar(what, total));
        let next = started + Duration::from_secs(LINE_EVERY_S);
        let plain = Mutex::new(Plain { done: 0, total, next, note: String::new() });
        Progress { what: what.to_owned(), started, bar, plain }
    }

    /// Work that nobody watches.
    pub(crate) fn quiet() -> Progress {
        let started = Instant::now();
        let never = started + Duration::from_secs(1 << 32);
        let plain = Mutex::new(Plain { done: 0, total: 0, next: never, note: String::new() });
        Progress { what: String::new(), started, bar: None, plain }
    }

    /// `more` units were done.
    pub(crate) fn add(&self, more: u64) {
        self.advance(|done| done + more);
    }

    /// `done` units are done in all.
    pub(crate) fn set(&self, done: u64) {
        self.advance(|_| done);
    }

    fn advance(&self, to: impl FnOnce(u64) -> u64) {
        if let Ok(mut plain) = self.plain.lock() {
            plain.done = to(plain.done);
            match &self.bar {
                Some(bar) => bar.set_position(plain.done),
                None => self.line(&mut plain),
            }
        }
    }

    /// There are `total` units, as has turned out.
    pub(crate) fn total(&self, total: u64) {
        if let Ok(mut plain) = self.plain.lock()
            && plain.total != total
        {
            plain.total = total;
            if let Some(bar) = &self.bar {
                bar.set_length(total);
                bar.set_style(style(true));
            }
        }
    }

    /// How far a training is.
    pub(crate) fn follow(&self, training: &train::Progress) {
        self.total(training.steps);
        self.note(format!("epoch {} of {}, loss {:.4}", training.epoch, training.epochs, training.loss));
        self.set(training.step);
    }

    /// A few words beside the bar: a loss, a count.
    pub(crate) fn note(&self, note: impl Into<String>) {
        let note = note.into();
        if let Some(bar) = &self.bar {
            bar.set_message(note.clone());
        }
        if let Ok(mut plain) = self.plain.lock() {
            plain.note = note;
        }
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// The work is over: the bar goes, one line stays.
    pub(crate) fn finish(&self, words: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {words} ({:.1} s)", self.what, self.started.elapsed().as_secs_f64());
    }

    fn line(&self, plain: &mut Plain) {
        let now = Instant::now();
        if now < plain.next {
            return;
        }
        let pause = LINE_EVERY_S.max(self.started.elapsed().as_secs() / 8).min(LINE_EVERY_S_MAX);
        plain.next = now + Duration::from_secs(pause);
        let seconds = self.started.elapsed().as_secs_f64();
        let note = if plain.note.is_empty() { String::new() } else { format!(", {}", plain.note) };
        match plain.done.checked_mul(100).and_then(|hundred| hundred.checked_div(plain.total)) {
            Some(percent) if plain.done > 0 => {
                let left = seconds * plain.total.saturating_sub(plain.done) as f64 / plain.done as f64;
                eprintln!("{}: {percent} %, {seconds:.0} s, about {left:.0} s left{note}", self.what);
            }
            _ => eprintln!("{}: {}, {seconds:.0} s{note}", self.what, plain.done),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(known: bool) -> ProgressStyle {
    let template = if known { "{prefix} {wide_bar} {percent}% {eta} left {msg}" } else { "{prefix} {pos} {msg}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn bar(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_style(style(total > 0)).with_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
