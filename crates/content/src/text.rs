//! Words: made alike, cut into pieces, hashed.

use domain::hash64;

/// Longest text that is read, in characters.
const CHARS_MAX: usize = 4_000;

/// The text in lower case, accents and width forms of the Latin letters removed, everything that is neither letter nor
/// digit turned into single spaces; at most 4,000 characters are read.
pub fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for letter in text.chars().take(CHARS_MAX).flat_map(char::to_lowercase) {
        let letter = plain(letter);
        if letter.is_alphanumeric() {
            normal.push(letter);
        } else if !is_mark(letter) && !normal.is_empty() && !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal.truncate(normal.trim_end().len());
    normal
}

/// Combining accents and joiners vanish instead of parting a word.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{ad}' | '\'' | '’')
}

/// A letter without accent or width form, where Unicode's compatibility tables know a plain one.
fn plain(letter: char) -> char {
    match letter {
        '\u{ff10}'..='\u{ff19}' | '\u{ff41}'..='\u{ff5a}' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ģ' | 'ĝ' | 'ġ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ķ' => 'k',
        'ł' | 'ľ' | 'ļ' | 'ĺ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ž' | 'ż' => 'z',
        other => other,
    }
}

/// Pieces of a normalised text, each once, as hash and weight: its words, and less weighty their runs of three letters.
/// What comes again counts less each time (1 + ln n); words of one or two letters, which mostly join others, count
/// less too.
pub(crate) fn pieces(normal: &str) -> Vec<(u64, f32)> {
    const RUN_WEIGHT: f32 = 0.35;
    const SHORT_LETTERS: usize = 2;
    const SHORT_WEIGHT: f32 = 0.3;
    let mut pieces = Vec::new();
    for word in normal.split(' ').filter(|word| !word.is_empty()) {
        let framed: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
        let weight = if framed.len() - 2 <= SHORT_LETTERS { SHORT_WEIGHT } else { 1.0 };
        pieces.push((hash_of(&framed), weight));
        pieces.extend(framed.windows(3).map(|run| (hash_of(run), RUN_WEIGHT * weight)));
    }
    pieces.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    pieces.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].0, same[0].1 * (1.0 + (same.len() as f32).ln()))).collect()
}

fn hash_of(letters: &[char]) -> u64 {
    letters.iter().fold(letters.len() as u64, |hash, &letter| hash64(hash ^ u64::from(letter)))
}
