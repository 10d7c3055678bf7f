//! The ranking features: one definition for serving, training and the request record.

/// Number of ranking features.
pub const FEATURE_COUNT: usize = 20;

/// Names of the ranking features, in order. A missing value is 0; a missing rank is `ln(1 + quota)`.
///
/// | feature | what |
/// |---|---|
/// | `dot` | user vector · pin vector, both unit length |
/// | `walk`, `walk_share`, `walk_rank` | ln(1 + walk score); score / best score of the request; ln(1 + rank) |
/// | `text` | BM25 |
/// | `content` | cosine of the pin's content with the mean of the last 8 history pins, or with the subject |
/// | `ln_degree` | ln(1 + boards that hold the pin) |
/// | `ln_saves`, `ln_saves_week`, `ln_impressions_week` | ln(1 + count) |
/// | `save_rate` | (saves of the week + 1) / (impressions of the week + 20) |
/// | `ln_age_days` | ln(1 + age in days) |
/// | `creator_known`, `topic_known` | share of the history with this creator, with one of these topics |
/// | `ln_history` | ln(1 + history length) |
/// | `retrieval_rank` | ln(1 + rank in learned retrieval) |
/// | `home`, `related`, `search`, `board` | 1 on that surface |
pub const FEATURES: [&str; FEATURE_COUNT] = [
    "dot",
    "walk",
    "walk_share",
    "walk_rank",
    "text",
    "content",
    "ln_degree",
    "ln_saves",
    "ln_saves_week",
    "ln_impressions_week",
    "save_rate",
    "ln_age_days",
    "creator_known",
    "topic_known",
    "ln_history",
    "retrieval_rank",
    "home",
    "related",
    "search",
    "board",
];
