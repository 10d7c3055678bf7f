//! What is found out about a pin besides its own content, and what people decided about it.

/// What rules and the collection say of a pin. What comes later replaces all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotated {
    /// The owner's id of the pin.
    pub pin: String,
    /// Version of what was learned of the collection; 0 where nothing was.
    pub learned: u32,
    /// A hash of the rules that labels were given by.
    pub rules: u64,
    /// The language of its words as a two-letter code, where that can be told.
    pub language: Option<String>,
    /// What is wrong with it, by measure.
    pub labels: Vec<Label>,
    /// What follows from the labels.
    pub verdict: Verdict,
    /// Terms that it is about, with a confidence from 0 to 1, surest first.
    pub terms: Vec<(String, f32)>,
    /// Topics that were found, surest first; those of its owner are not repeated.
    pub topics: Vec<String>,
    /// Where it lies among all contents, each byte more exactly than the one before.
    pub semantic_id: Option<[u8; 4]>,
}

/// A threshold that a pin crossed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// Its name, such as `blurred`, or the name of a safety rule.
    pub name: String,
    /// What was measured.
    pub value: f32,
    /// What it was held against.
    pub threshold: f32,
    /// Words that were found, where the label is about words.
    pub terms: Vec<String>,
}

/// What becomes of a pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is shown.
    #[default]
    Show,
    /// It is shown, and somebody should look at it.
    Review,
    /// It is not shown.
    Hide,
}

impl Verdict {
    /// All of them, in the order of their codes.
    pub const ALL: [Verdict; 3] = [Verdict::Show, Verdict::Review, Verdict::Hide];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Show => "show",
            Verdict::Review => "review",
            Verdict::Hide => "hide",
        }
    }
}

/// A pin's picture is, more or less, that of another pin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clustered {
    /// The owner's id of the pin.
    pub pin: String,
    /// The oldest pin with this picture; the pin itself where no other has it.
    pub head: String,
}

/// Somebody decided what becomes of a pin. That counts more than its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reviewed {
    /// The owner's id of the pin.
    pub pin: String,
    /// What they decided; `Review` takes an earlier decision back.
    pub verdict: Verdict,
    /// When (ms, UTC).
    pub ts_ms: u64,
}
