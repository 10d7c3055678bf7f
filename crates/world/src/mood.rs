//! Moods: the colours a picture comes in, and the words for them.

/// A colourway. Every topic comes in several; pinners like some better than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are named after what they look like
pub enum Mood {
    Dawn,
    Dusk,
    Midnight,
    Sage,
    Terracotta,
    Sand,
    Ocean,
    Rose,
    Mustard,
    Forest,
    Ink,
    Sorbet,
}

/// How a mood is spoken of in titles and searches.
pub(crate) struct MoodWords {
    pub(crate) adjective: &'static str,
    pub(crate) colours: &'static str,
    pub(crate) feeling: &'static str,
    pub(crate) german: &'static str,
    pub(crate) spanish: &'static str,
}

impl Mood {
    /// Every mood, in the order of its code.
    pub const ALL: [Mood; 12] = [
        Mood::Dawn,
        Mood::Dusk,
        Mood::Midnight,
        Mood::Sage,
        Mood::Terracotta,
        Mood::Sand,
        Mood::Ocean,
        Mood::Rose,
        Mood::Mustard,
        Mood::Forest,
        Mood::Ink,
        Mood::Sorbet,
    ];

    pub(crate) fn words(self) -> &'static MoodWords {
        &WORDS[self as usize]
    }
}

const fn words(
    adjective: &'static str,
    colours: &'static str,
    feeling: &'static str,
    german: &'static str,
    spanish: &'static str,
) -> MoodWords {
    MoodWords { adjective, colours, feeling, german, spanish }
}

static WORDS: [MoodWords; 12] = [
    words("dawn-lit", "peach and lavender", "The quiet of first light.", "im Morgenlicht", "al amanecer"),
    words("dusky", "plum and orange", "The last warm minutes of the day.", "in der Dämmerung", "al atardecer"),
    words("midnight", "navy and gold", "Late, still and a little mysterious.", "um Mitternacht", "a medianoche"),
    words("sage", "sage green and cream", "Calm, fresh and easy to live with.", "in Salbeigrün", "en verde salvia"),
    words("terracotta", "clay and rust", "Warm earth, baked by the sun.", "in Terrakotta", "en terracota"),
    words("sandy", "sand, oat and taupe", "Soft neutrals, nothing too much.", "in Sandtönen", "en tonos arena"),
    words("ocean", "teal and deep blue", "Cool, clear and wide.", "in Meeresblau", "en azul océano"),
    words("rosy", "blush and burgundy", "Romantic without being sweet.", "in Rosé", "en rosa"),
    words("mustard", "ochre, olive and teal", "Straight from a 1960s living room.", "in Senfgelb", "en mostaza"),
    words("forest", "deep green and moss", "Like standing under tall trees.", "in Waldgrün", "en verde bosque"),
    words("inky", "ink, paper and one red", "Graphic and restrained.", "in Tusche", "en tinta"),
    words(
        "sorbet",
        "mint, coral and lemon",
        "Bright, playful, a little bit summer.",
        "in Sorbetfarben",
        "en colores sorbete",
    ),
];
