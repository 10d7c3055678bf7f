//! The report of a model: its card as one HTML file that needs nothing else. No script; light or dark as the reader's
//! system is; every figure of a chart is in a table too.

mod chart;
mod table;

use crate::moment::readable;
use crate::output::{setting, thousands};
use chart::{Line, Ratio, diagonal, line, ratios};
use models::ModelCard;
use table::{by_group, listed, section};

const STYLE: &str = include_str!("report.css");

/// The report of a version.
pub(crate) fn html(card: &ModelCard) -> String {
    let version = escaped(&card.version);
    let parts = [about(card), tiles(card), curves(card), calibration(card), figures(card), configuration(card)];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Model {version}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Model {version}</h1>\n{}</main>\n</body>\n</html>\n",
        parts.concat()
    )
}

fn about(card: &ModelCard) -> String {
    let mut words = vec![format!("made {} UTC", readable(card.created_ms))];
    if card.data_range_ms.1 > 0 {
        let (from, to) = card.data_range_ms;
        words.push(format!("learned from {} to {}", readable(from), readable(to)));
    }
    if let Some(parent) = card.parents.first() {
        words.push(format!("{parent} was live then"));
    }
    words.extend((!card.code.is_empty()).then(|| format!("bowerbird {}", card.code)));
    format!("<p class=\"about\">{}</p>\n", escaped(&words.join(" · ")))
}

/// The few figures that are looked for first.
fn tiles(card: &ModelCard) -> String {
    let metric = |name: &str| card.metrics.get(name).copied();
    let mut tiles = Vec::new();
    if let Some(recall) = metric("validation/recall@20") {
        let beside = metric("live/recall@20").map_or("on held-back pinners".to_owned(), |live| {
            format!("live model {live:.4}, {:+.1}\u{a0}%", 100.0 * (recall - live) / live.max(f64::MIN_POSITIVE))
        });
        tiles.push(("recall@20", format!("{recall:.4}"), beside));
    }
    if let Some(auc) = metric("ranker/save/auc") {
        tiles.push(("AUC of saves", format!("{auc:.4}"), "ranking head, requests it did not see".to_owned()));
    }
    let count = |name: &str| card.counts.get(name).copied();
    if let (Some(acts), Some(pinners)) = (count("acts"), count("pinners")) {
        tiles.push(("acts learned from", thousands(acts), format!("of {} pinners", thousands(pinners))));
    }
    if card.seconds > 0.0 {
        let passed = count("acts").unwrap_or(0) as f64 * card.curve.len() as f64 / card.seconds;
        let beside = format!("{} acts a second, all told", thousands(passed as u64));
        tiles.push(("training took", format!("{:.1} s", card.seconds), beside));
    }
    let tile = |(name, value, beside): &(&str, String, String)| {
        format!("<div class=\"tile\"><span>{name}</span><b>{value}</b><span>{}</span></div>", escaped(beside))
    };
    format!("<section class=\"tiles\">{}</section>\n", tiles.iter().map(tile).collect::<String>())
}

/// Loss and recall by epoch.
fn curves(card: &ModelCard) -> String {
    if card.curve.is_empty() {
        return String::new();
    }
    let loss: Vec<f64> = card.curve.iter().map(|epoch| f64::from(epoch.loss)).collect();
    let recall: Option<Vec<f64>> = card.curve.iter().map(|epoch| epoch.recall.map(f64::from)).collect();
    let best = card.metrics.get("validation/epoch").map(|epoch| *epoch as usize);
    let mut charts = figure("Loss", "mean of each epoch", &line(&Line { values: &loss, ..Line::default() }));
    if let Some(recall) = recall {
        let live = card.metrics.get("live/recall@20").map(|live| ("live model", *live));
        let chart = line(&Line { values: &recall, kept: best, level: live });
        charts += &figure("Recall@20", "on held-back pinners, after each epoch", &chart);
    }
    let row = |(at, epoch): (usize, &models::Epoch)| {
        let kept = if best == Some(at + 1) { "kept" } else { "" };
        let recall = epoch.recall.map_or(String::new(), |recall| format!("{recall:.4}"));
        format!("<tr><td>{}</td><td>{:.4}</td><td>{recall}</td><td>{kept}</td></tr>", at + 1, epoch.loss)
    };
    let rows: String = card.curve.iter().enumerate().map(row).collect();
    format!(
        "<h2>Learning</h2>\n<div class=\"charts\">{charts}</div>\n<details><summary>The epochs as a table</summary>\
         <table><thead><tr><th>epoch</th><th>loss</th><th>recall@20</th><th></th></tr></thead>\
         <tbody>{rows}</tbody></table></details>\n"
    )
}

/// Chances given over how often it happened, by head.
fn calibration(card: &ModelCard) -> String {
    let head = |(name, value): (&String, &f64)| {
        let head = name.strip_prefix("ranker/")?.strip_suffix("/calibration")?;
        Some(Ratio { name: escaped(head), value: *value })
    };
    let heads: Vec<Ratio> = card.metrics.iter().filter_map(head).filter(|head| head.value.is_finite()).collect();
    if heads.is_empty() {
        return String::new();
    }
    let words = "chances given over how often it happened; 1 is right, the scale is logarithmic";
    let charts = figure("By action", words, &ratios(&heads));
    format!("<h2>Calibration</h2>\n<div class=\"charts\">{charts}{}</div>\n", reliabilities(card))
}

/// What was said against what happened, a chart per action.
fn reliabilities(card: &ModelCard) -> String {
    let words =
        "chances given, across, and how often it happened, up, of groups of equally many rows; both logarithmic";
    let happened = |groups: &&Vec<models::Reliability>| groups.iter().any(|group| group.observed > 0.0);
    let charts = card.calibration.iter().filter(|(_, groups)| happened(groups)).map(|(head, groups)| {
        let points: Vec<(f64, f64)> =
            groups.iter().map(|group| (f64::from(group.predicted), f64::from(group.observed))).collect();
        figure(&escaped(head), words, &diagonal(&points))
    });
    charts.collect()
}

fn figure(name: &str, words: &str, chart: &str) -> String {
    format!("<figure><figcaption><b>{name}</b> {words}</figcaption>{chart}</figure>")
}

fn figures(card: &ModelCard) -> String {
    let metrics = by_group(&card.metrics);
    let counts: Vec<(String, String)> =
        card.counts.iter().map(|(name, count)| (name.clone(), thousands(*count))).collect();
    let counts = if counts.is_empty() { String::new() } else { section("counts", &listed(&counts)) };
    format!("<h2>Figures</h2>\n<div class=\"tables\">{counts}{metrics}</div>\n")
}

fn configuration(card: &ModelCard) -> String {
    let keys = card.training.as_object().into_iter().flatten();
    let rows: Vec<(String, String)> = keys.map(|(key, value)| (format!("train.{key}"), setting(value))).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("<h2>Configuration</h2>\n<div class=\"columns\">{}</div>\n", listed(&rows))
}

/// Text that can stand in HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::{Epoch, Reliability};

    fn group(predicted: f32, observed: f32) -> Reliability {
        Reliability { predicted, observed, rows: 100 }
    }

    fn card() -> ModelCard {
        let metrics = [
            ("validation/recall@20", 0.1512),
            ("validation/epoch", 2.0),
            ("live/recall@20", 0.144),
            ("ranker/save/auc", 0.71),
            ("ranker/save/calibration", 1.02),
            ("ranker/hide/auc", 0.8),
            ("slices/fresh pins/recall@20", 0.05),
            ("odd", f64::NAN),
        ];
        let epoch = |(loss, recall)| Epoch { loss, recall: Some(recall) };
        ModelCard {
            version: "v<2>".into(),
            metrics: metrics.map(|(name, value)| (name.to_owned(), value)).into(),
            counts: [("acts".to_owned(), 1_234_567), ("pinners".to_owned(), 900)].into(),
            calibration: [("save".to_owned(), vec![group(0.01, 0.0), group(0.02, 0.03), group(0.2, 0.18)])].into(),
            curve: [(3.5, 0.1), (3.1, 0.1512), (3.0, 0.15)].map(epoch).into(),
            seconds: 100.0,
            training: serde_json::json!({ "dim": 64, "note": "a & b" }),
            ..ModelCard::default()
        }
    }

    /// Every element that is opened is closed in its turn.
    fn is_balanced(html: &str) -> bool {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.split([' ', '/', '\n']).find(|word| !word.is_empty()).unwrap_or("");
            match tag {
                _ if ["meta", "!doctype"].contains(&name) || tag.ends_with('/') => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "in the turn"),
                _ => open.push(name),
            }
        }
        open.is_empty()
    }

    #[test]
    fn a_report_says_everything_and_needs_nothing() {
        let report = html(&card());
        assert!(is_balanced(&report));
        for word in ["v&lt;2&gt;", "+5.0\u{a0}%", "1,234,567", "37,037 acts a second", "fresh pins", "a &amp; b", "NaN"]
        {
            assert!(report.contains(word), "{word} is not in {report}");
        }
        for outside in ["http", "<script", "url(", "@import", "src=", "href="] {
            assert!(!report.contains(outside), "{outside} is in {report}");
        }
        assert_eq!(report.matches("<svg").count(), 4, "loss, recall, calibration by action and of saves");
    }

    #[test]
    fn a_card_without_figures_has_a_report() {
        let report = html(&ModelCard { version: "untrained".into(), ..ModelCard::default() });
        assert!(is_balanced(&report) && report.contains("untrained") && !report.contains("<svg"));
    }
}
