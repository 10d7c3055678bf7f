//! What the days came to, as tables and as JSON.

use super::Run;
use super::policy::Policy;
use crate::output::print_table;
use ::world::VisitTruth;
use domain::Surface;
use serde_json::{Value, json};

/// A day under a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Day {
    /// From 1.
    pub day: u32,
    /// Facts of the catalogue that were new.
    pub new: u64,
    pub visits: u64,
    /// Pinners who came.
    pub active: u64,
    /// The true value of all visits: of the pins that were looked at.
    pub value: f64,
    pub examined: u64,
    pub passed: u64,
    pub pages: u64,
    /// By surface, what pages were worth by what is expected to be looked at, and what the best would have been.
    expected: [f64; Surface::ALL.len()],
    best: [f64; Surface::ALL.len()],
    /// The night's training: seconds, and what it said.
    pub trained_s: f64,
    pub model: String,
}

/// All days under a policy.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub policy: Policy,
    pub days: Vec<Day>,
    pub seconds: f64,
}

impl Day {
    /// The `day`-th day, from 1, with so many facts of the catalogue that are new.
    pub(super) fn new(day: u32, new: u64) -> Day {
        Day { day, new, ..Day::default() }
    }

    /// A visit has ended.
    pub(super) fn add(&mut self, truth: &VisitTruth) {
        self.visits += 1;
        self.value += f64::from(truth.value);
        self.examined += u64::from(truth.examined);
        self.passed += u64::from(truth.passed);
        self.pages += u64::from(truth.pages);
        for (sum, value) in self.expected.iter_mut().zip(truth.expected) {
            *sum += f64::from(value);
        }
        for (sum, value) in self.best.iter_mut().zip(truth.best) {
            *sum += f64::from(value);
        }
    }

    /// The true value of a mean visit.
    pub(super) fn value_per_visit(&self) -> f64 {
        self.value / self.visits.max(1) as f64
    }

    /// What the best pages would have been worth more, per visit.
    pub(super) fn regret_per_visit(&self) -> f64 {
        (self.best.iter().sum::<f64>() - self.expected.iter().sum::<f64>()) / self.visits.max(1) as f64
    }

    /// What was shown as a part of the best, on the states in which it was asked for.
    pub(super) fn oracle_share(&self) -> f64 {
        share(self.expected.iter().sum(), self.best.iter().sum())
    }

    fn share_of(&self, surface: Surface) -> f64 {
        let place = usize::from(surface.code());
        share(self.expected[place], self.best[place])
    }

    /// The day on one line.
    pub(super) fn line(&self) -> String {
        format!(
            "day {:>2}: {} visits of {} pinners, value {:.3} a visit, regret {:.3}, oracle share {:.3} \
             (home {:.3}, related {:.3}, search {:.3}){}",
            self.day,
            self.visits,
            self.active,
            self.value_per_visit(),
            self.regret_per_visit(),
            self.oracle_share(),
            self.share_of(Surface::Home),
            self.share_of(Surface::Related),
            self.share_of(Surface::Search),
            if self.trained_s > 0.0 { format!(", trained in {:.0} s", self.trained_s) } else { String::new() }
        )
    }

    fn json(&self) -> Value {
        let mean = |sum: u64| sum as f64 / self.visits.max(1) as f64;
        json!({
            "day": self.day,
            "sessions": self.visits,
            "active_pinners": self.active,
            "value": self.value,
            "value_per_session": self.value_per_visit(),
            "regret_per_session": self.regret_per_visit(),
            "oracle_share": self.oracle_share(),
            "oracle_share_by_surface": {
                "home": self.share_of(Surface::Home),
                "related": self.share_of(Surface::Related),
                "search": self.share_of(Surface::Search),
            },
            "pins_examined_per_session": mean(self.examined),
            "pins_passed_per_session": mean(self.passed),
            "pages_per_session": mean(self.pages),
            "new_in_catalogue": self.new,
            "trained_s": self.trained_s,
            "model": self.model,
        })
    }
}

impl Course {
    pub(super) fn new(policy: Policy) -> Course {
        Course { policy, days: Vec::new(), seconds: 0.0 }
    }

    /// The true value of all visits: what the policy was worth in the long term, those who stayed away included.
    pub(super) fn value(&self) -> f64 {
        self.days.iter().map(|day| day.value).sum()
    }
}

/// Everything as one object.
pub(super) fn json(args: &Run, courses: &[Course]) -> Value {
    let course = |course: &Course| {
        json!({
            "policy": course.policy.name(),
            "value": course.value(),
            "sessions": course.days.iter().map(|day| day.visits).sum::<u64>(),
            "seconds": course.seconds,
            "days": course.days.iter().map(Day::json).collect::<Vec<_>>(),
        })
    };
    json!({
        "world": {"seed": args.seed, "pinners": args.pinners, "pins": args.pins, "days": args.days,
                  "pictures": !args.no_pictures},
        "policies": courses.iter().map(course).collect::<Vec<_>>(),
    })
}

/// What is told of a day.
type Cell = fn(&Day) -> String;

/// A table of days for what matters most, and one of the whole.
pub(super) fn print(courses: &[Course]) {
    let tables: [(&str, Cell); 4] = [
        ("true value of a visit", |day| format!("{:.3}", day.value_per_visit())),
        ("part of the best that could have been shown", |day| format!("{:.3}", day.oracle_share())),
        ("regret of a visit", |day| format!("{:.3}", day.regret_per_visit())),
        ("pinners who came", |day| day.active.to_string()),
    ];
    let days = courses.iter().map(|course| course.days.len()).max().unwrap_or(0);
    let headings = |first: &str| -> Vec<String> {
        std::iter::once(first).chain(courses.iter().map(|course| course.policy.name())).map(str::to_owned).collect()
    };
    for (name, cell) in tables {
        println!("{name}");
        let row = |day: usize| -> Vec<String> {
            let cells = courses.iter().map(|course| course.days.get(day).map_or(String::new(), cell));
            std::iter::once((day + 1).to_string()).chain(cells).collect()
        };
        print_table(&headings("day"), &(0..days).map(row).collect::<Vec<_>>());
        println!();
    }
    let whole = |course: &Course| -> Vec<String> {
        let visits: u64 = course.days.iter().map(|day| day.visits).sum();
        let name = course.policy.name().to_owned();
        vec![name, format!("{:.0}", course.value()), visits.to_string(), format!("{:.0}", course.seconds)]
    };
    let headings = ["policy", "value of all days", "visits", "seconds"].map(str::to_owned);
    print_table(&headings, &courses.iter().map(whole).collect::<Vec<_>>());
}

fn share(part: f64, of: f64) -> f64 {
    if of > 0.0 { part / of } else { 0.0 }
}
