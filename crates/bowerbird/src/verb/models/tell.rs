//! What is known of models, in words, as a table and as JSON.

use crate::moment::readable;
use crate::output::{figure_text, print_json, print_table, setting, thousands};
use crate::registry::Registry;
use crate::setup::Setup;
use anyhow::Result;
use models::ModelCard;
use serde_json::json;

/// The figures of a row in the list, and what they are called there.
const MAIN: [(&str, &str); 3] =
    [("validation/recall@20", "recall@20"), ("live/recall@20", "live then"), ("ranker/save/auc", "AUC of saves")];

/// All versions, oldest first.
pub(super) fn list(setup: &Setup, registry: &Registry) -> Result<()> {
    let (live, versions) = (registry.live()?, registry.versions()?);
    let cards: Vec<(&String, Result<ModelCard>)> = versions.iter().map(|name| (name, registry.card(name))).collect();
    let is_live = |version: &str| live.as_deref() == Some(version);
    if setup.json {
        let model = |(version, card): &(&String, Result<ModelCard>)| match card {
            Ok(card) => json!({
                "version": version,
                "live": is_live(version),
                "created_ms": card.created_ms,
                "counts": card.counts,
                "metrics": card.metrics,
            }),
            Err(error) => json!({ "version": version, "live": is_live(version), "error": format!("{error:#}") }),
        };
        let models: Vec<_> = cards.iter().map(model).collect();
        print_json(&json!({ "live": live, "before": registry.history()?, "models": models }));
        return Ok(());
    }
    if versions.is_empty() {
        println!("no model is kept yet (bowerbird train makes one)");
        return Ok(());
    }
    let headings = ["version", "live", "made (UTC)"].into_iter().chain(MAIN.map(|(_, heading)| heading));
    let row = |(version, card): &(&String, Result<ModelCard>)| {
        let mut row = vec![(*version).clone(), if is_live(version) { "live" } else { "" }.to_owned()];
        match card {
            Ok(card) => {
                row.push(readable(card.created_ms));
                let figure = |(name, _)| card.metrics.get(name).map_or(String::new(), |value| format!("{value:.4}"));
                row.extend(MAIN.map(figure));
            }
            Err(error) => row.push(format!("{error:#}")),
        }
        row
    };
    print_table(&headings.map(str::to_owned).collect::<Vec<_>>(), &cards.iter().map(row).collect::<Vec<_>>());
    if let Some(live) = live.filter(|live| !versions.contains(live)) {
        eprintln!("remark: {live} should be live and is not kept: promote another version");
    }
    Ok(())
}

/// The card of a version.
pub(super) fn show(version: &str, setup: &Setup, registry: &Registry) -> Result<()> {
    let card = registry.card(version)?;
    if setup.json {
        println!("{}", card.to_json());
        return Ok(());
    }
    let live = registry.live()?.is_some_and(|live| live == version);
    println!("model {version}{}", if live { ", live" } else { "" });
    for (name, words) in about(&card) {
        println!("  {name:<34} {words}");
    }
    print_figures(&card);
    for (name, value) in card.training.as_object().into_iter().flatten() {
        println!("  train.{name:<28} {:>12}", setting(value));
    }
    Ok(())
}

/// When and from what a version was made, in words.
fn about(card: &ModelCard) -> Vec<(&'static str, String)> {
    let mut about = vec![("made (UTC)", readable(card.created_ms))];
    if card.data_range_ms.1 > 0 {
        let (from, to) = card.data_range_ms;
        about.push(("learned from (UTC)", format!("{} to {}", readable(from), readable(to))));
    }
    if card.seconds > 0.0 {
        about.push(("took", format!("{:.1} s", card.seconds)));
    }
    if !card.parents.is_empty() {
        about.push(("live before", card.parents.join(", ")));
    }
    about.extend((!card.code.is_empty()).then(|| ("code", card.code.clone())));
    about.extend(card.seeds.values().map(|seed| ("seed", seed.to_string())));
    about
}

/// Counts and metrics of a card, a line each.
pub(crate) fn print_figures(card: &ModelCard) {
    for (name, count) in &card.counts {
        println!("  {name:<34} {:>12}", thousands(*count));
    }
    for (name, value) in &card.metrics {
        println!("  {name:<34} {:>12}", figure_text(*value));
    }
}
