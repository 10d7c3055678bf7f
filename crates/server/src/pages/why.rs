//! "Why this pin?" in the words of a person: where it came from, what the model expects, what moved it.

use super::icons;
use crate::recent::Answered;
use domain::{HEADS, PinId, ServedItem, Source};
use maud::{Markup, html};

/// The panel for the pin at `position` of a request; nothing when another pin stands there.
pub(crate) fn why(told: &Answered, position: usize, pin: PinId, may_trace: bool) -> Option<Markup> {
    let item = told.trace().ranked.get(position).filter(|item| item.pin == pin)?;
    let ranked = told.trace().ranked.len();
    Some(html! {
        details.why {
            summary { (icons::spark()) "Why this pin?" (icons::chevron()) }
            ul {
                @for (source, (rank, _)) in item.sources.iter().zip(&item.offers) {
                    li { span { (reason(source)) } small { "place " (rank + 1) } }
                }
                @for moved in &item.moves {
                    li { span { (rule(&moved.by)) } small { (moved.from + 1) " → " (moved.to + 1) } }
                }
                li {
                    span { "Of " (ranked) " pins it came out as number " (position + 1) "." }
                    small { "utility " (format!("{:.3}", item.utility)) }
                }
            }
            (gauges(item))
            @if may_trace {
                p.small {
                    a.quiet href={ "/console/requests/" (told.request_id) "#p" (position) } { "The whole trace" }
                }
            }
        }
    })
}

/// What the model expects the pinner to do.
fn gauges(item: &ServedItem) -> Markup {
    html! {
        div.gauges {
            @for (head, chance) in HEADS.iter().zip(item.heads) {
                span { (head.as_str().replace('_', " ")) }
                meter min="0" max="1" value=(format!("{:.4}", chance.clamp(0.0, 1.0))) {}
                span { (percent(chance)) }
            }
        }
    }
}

pub(super) fn percent(share: f32) -> String {
    let share = if share.is_finite() { share * 100.0 } else { 0.0 };
    if share < 10.0 { format!("{share:.1} %") } else { format!("{share:.0} %") }
}

fn reason(source: Source) -> &'static str {
    match source {
        Source::Retrieval => "It fits what you did lately",
        Source::Walks => "People who saved what you saved also saved this",
        Source::Text => "Its words match",
        Source::Content => "It is like pins that you liked",
        Source::Fresh => "It is new here",
        Source::Popular => "Many people like it",
        Source::Exploration => "Few have seen it yet, so we are curious",
    }
}

/// What moved a pin, in words: `ssd`, `spacing/creator`, `quota/walks`, `fresh`, `explore`, `rule/spring`.
fn rule(by: &str) -> String {
    let words = match by.split_once('/') {
        None if by == "ssd" => "Moved so that the pins around it look different".to_owned(),
        None if by == "fresh" => "Moved to give new pins a chance".to_owned(),
        None if by == "explore" => "Moved because we are curious what you think".to_owned(),
        Some(("spacing", "near_duplicate")) => "Moved away from pins that look the same".to_owned(),
        Some(("spacing", set)) => format!("Moved away from pins with the same {set}"),
        Some(("quota", source)) => format!("Moved so that not all comes from {source}"),
        Some(("rule", name)) => return format!("Moved by the rule “{name}”"),
        _ => format!("Moved ({by})"),
    };
    words.replace('_', " ")
}
