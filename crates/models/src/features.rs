//! The ranking features: one definition for serving, training and the request record.

/// Number of ranking features.
pub const FEATURE_COUNT: usize = FEATURES.len();

/// Names of the ranking features, in order.
///
/// A **lift** says how much more often the act of a head happened than impressions on the same surfaces make expect:
/// `ln((acts + b) / (expected + b))`, where `expected` is the sum over surfaces of impressions there times the
/// surface's own rate of the act, and `b` what is expected of 20 impressions, but at least 1; 0 when nothing is known.
/// A **gap** is ln(1 + hours), at most that of a year, which also stands for never. A **look** is the mean of ln(1 +
/// seconds) that was looked less that of everybody, drawn towards 0 by 10 looks. Counts are ln(1 + n) over all time
/// unless they say `week` (an act counts half after seven days). Whatever is not said otherwise is 0 when missing.
///
/// | feature | what |
/// |---|---|
/// | `dot` | user vector · pin vector, both unit length |
/// | `walk`, `walk_share`, `walk_rank` | ln(1 + walk score); score / best score of the request; ln(1 + rank) |
/// | `text` | BM25 |
/// | `content` | cosine of the pin's content with the mean of the last 8 history pins, or with the subject |
/// | `retrieval_rank` | ln(1 + rank in learned retrieval); a missing rank, here and for walks, is `ln(1 + quota)` |
/// | `ln_degree`, `ln_saves`, `ln_impressions`, `…_week` | boards that hold the pin; saves and impressions of the pin |
/// | `ln_age_days` | ln(1 + age of the pin in days) |
/// | `pin_look`, `pin_<head>` | look at the pin; lift of each head |
/// | `pin_week_<head>` | lift within the week of the pin, for the four heads that happen most |
/// | `creator_…`, `topic_…` | impressions, look and lifts of the creator's pins; mean of those of the pin's topics |
/// | `ln_history`, `ln_pinner_days` | ln(1 + history length); ln(1 + days since the pinner joined) |
/// | `ln_seen` | ln(1 + pins that the pinner was shown or acted on) |
/// | `pinner_…` | impressions, look and lifts of the pinner; a pin acted on but never shown was shown all the same |
/// | `shown_gap`, `session` | gap since the pinner's last impression; impressions of the last 30 minutes |
/// | `creator_known`, `topic_known` | share of the history with this creator, with the best one of these topics |
/// | `own_creator_…`, `own_topic_…` | the pinner's own impressions of the creator, mean of those of the topics, and |
/// |  | lifts over the pinner's own rates |
/// | `pin_shown`, `pin_gap` | how often the pinner was shown the pin; gap since the last time |
/// | `lifelong_best`, `…_mean` | cosine with the most similar of up to 16,000 pins liked; mean of the best 8 |
/// | `lifelong_gap` | gap since that most similar one was liked |
/// | `subject_creator`, `subject_topic` | share of the subject's pins with this creator, with the best one of these |
/// |  | topics; a board's newest pins stand for it |
/// | `query_impressions`, `query_acts` | impressions and positive acts of the pin when it was found with this query |
/// | `words_title`, `words_own`, `words_any` | share of a search's words, each as much as it is rare, in the title, |
/// |  | in all that the owner says, anywhere |
/// | `phrase` | longest run of a search's words that the title has in that order, over the search's words |
/// | `level`, `level_0` … `level_4` | how well the pin answers a search, from 0 to 4, and the chance of each level |
/// | `home`, `related`, `search`, `board` | 1 on that surface |
/// | `hour_sin` … `day_cos` | sine and cosine of the time of day and of the week, UTC |
/// | `position` | ln(1 + place at which the pin was shown): known in training only, 0 when serving and when |
/// |  | unknown, so that all compete as if each stood first |
pub const FEATURES: [&str; 109] = [
    "dot",
    "walk",
    "walk_share",
    "walk_rank",
    "text",
    "content",
    "retrieval_rank",
    "ln_degree",
    "ln_saves",
    "ln_saves_week",
    "ln_impressions",
    "ln_impressions_week",
    "ln_age_days",
    "pin_look",
    "pin_save",
    "pin_closeup",
    "pin_click",
    "pin_long_click",
    "pin_share",
    "pin_follow",
    "pin_comment",
    "pin_hide",
    "pin_week_save",
    "pin_week_closeup",
    "pin_week_click",
    "pin_week_long_click",
    "creator_impressions",
    "creator_look",
    "creator_save",
    "creator_closeup",
    "creator_click",
    "creator_long_click",
    "creator_share",
    "creator_follow",
    "creator_comment",
    "creator_hide",
    "topic_impressions",
    "topic_look",
    "topic_save",
    "topic_closeup",
    "topic_click",
    "topic_long_click",
    "topic_share",
    "topic_follow",
    "topic_comment",
    "topic_hide",
    "ln_history",
    "ln_pinner_days",
    "ln_seen",
    "pinner_impressions",
    "pinner_look",
    "pinner_save",
    "pinner_closeup",
    "pinner_click",
    "pinner_long_click",
    "pinner_share",
    "pinner_follow",
    "pinner_comment",
    "pinner_hide",
    "shown_gap",
    "session",
    "creator_known",
    "own_creator_shown",
    "own_creator_save",
    "own_creator_closeup",
    "own_creator_click",
    "own_creator_long_click",
    "own_creator_share",
    "own_creator_follow",
    "own_creator_comment",
    "own_creator_hide",
    "topic_known",
    "own_topic_shown",
    "own_topic_save",
    "own_topic_closeup",
    "own_topic_click",
    "own_topic_long_click",
    "own_topic_share",
    "own_topic_follow",
    "own_topic_comment",
    "own_topic_hide",
    "pin_shown",
    "pin_gap",
    "lifelong_best",
    "lifelong_mean",
    "lifelong_gap",
    "subject_creator",
    "subject_topic",
    "query_impressions",
    "query_acts",
    "words_title",
    "words_own",
    "words_any",
    "phrase",
    "level",
    "level_0",
    "level_1",
    "level_2",
    "level_3",
    "level_4",
    "home",
    "related",
    "search",
    "board",
    "hour_sin",
    "hour_cos",
    "day_sin",
    "day_cos",
    "position",
];

/// The features that the first pass reads: what is at hand for thousands of candidates.
pub const FIRST_FEATURES: [usize; 8] = [
    feature("dot"),
    feature("walk"),
    feature("walk_share"),
    feature("walk_rank"),
    feature("text"),
    feature("content"),
    feature("retrieval_rank"),
    feature("ln_degree"),
];

/// Position of a feature in [`FEATURES`]; also for constants, where a wrong name does not compile.
///
/// # Panics
/// When there is no such feature; names are written in code, so this is a mistake in the code.
pub const fn feature(name: &str) -> usize {
    let mut place = 0;
    while place < FEATURES.len() {
        if same(FEATURES[place].as_bytes(), name.as_bytes()) {
            return place;
        }
        place += 1;
    }
    panic!("invariant: a name in FEATURES")
}

pub(crate) const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::HEADS;

    #[test]
    fn every_name_is_there_once_and_lifts_follow_the_heads() {
        for (place, name) in FEATURES.into_iter().enumerate() {
            assert_eq!(feature(name), place, "{name}");
        }
        for group in ["pin", "creator", "topic", "pinner", "own_creator", "own_topic"] {
            let first = feature(&format!("{group}_save"));
            let names = HEADS.map(|head| format!("{group}_{head}"));
            assert_eq!(FEATURES[first..first + HEADS.len()], names);
        }
    }
}
