//! Which language a text is in, or nothing where that would be a guess.

use whatlang::Script;

/// Fewest letters from which a language is told among those that share an alphabet. Below, names and products decide:
/// "Nike Dart" is no more English than Dutch.
const LETTERS_MIN: usize = 16;
/// Fewest Han letters: a few of them alone may as well be Japanese.
const HAN_LETTERS_MIN: usize = 6;
/// Fewest letters of an alphabet that one language has for itself.
const OWN_LETTERS_MIN: usize = 3;
/// Below, the detector's first and second guess are too near each other. Of English captions and titles, what passes is
/// right in more than 98 of 100 cases from here on, and in about 95 below.
const CONFIDENCE_MIN: f64 = 0.7;
/// Longest text that is read, in characters.
const CHARS_MAX: usize = 4_000;

/// Languages of two letters (ISO 639-1) by those of three (ISO 639-3) that the detector knows.
const CODES: [(&str, &str); 70] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

/// The language of a text as its code (ISO 639-1, such as `en`) and a confidence in 0..1. `None` where the text is too
/// short or too mixed to say; at most 4,000 characters are read.
pub fn language(text: &str) -> Option<(&'static str, f32)> {
    let text: String = text.chars().take(CHARS_MAX).collect();
    let info = whatlang::detect(&text)?;
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    if letters < letters_min(info.script()) || info.confidence() < CONFIDENCE_MIN {
        return None;
    }
    let at = CODES.binary_search_by_key(&info.lang().code(), |&(long, _)| long).ok()?;
    Some((CODES[at].1, info.confidence() as f32))
}

fn letters_min(script: Script) -> usize {
    match script {
        Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari | Script::Hebrew => LETTERS_MIN,
        Script::Mandarin => HAN_LETTERS_MIN,
        _ => OWN_LETTERS_MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        language(text).map(|(code, _)| code)
    }

    #[test]
    fn sentences_are_told_apart() {
        for (text, expected) in [
            ("A woman is sitting at the table and reading the newspaper.", "en"),
            ("Eine Frau sitzt am Tisch und liest die Zeitung von gestern.", "de"),
            ("Une femme est assise à la table et lit le journal de la veille.", "fr"),
            ("Una mujer está sentada a la mesa leyendo el periódico de ayer.", "es"),
            ("Рецепт вкусного борща со свёклой и сметаной", "ru"),
            ("Жінка сидить за столом і читає вчорашню газету.", "uk"),
            ("女の人がテーブルで新聞を読んでいます", "ja"),
            ("여자가 신문을 읽고 있어요", "ko"),
            ("Η γυναίκα διαβάζει", "el"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_too_short_or_no_language_gets_none() {
        for text in ["", "…!?", "12 × 30 cm", "Lamp", "Nike Dart", "Table", "和風", "Levis 501 XL", "IMG_2041.JPG"]
        {
            assert_eq!(language(text), None, "{text}");
        }
        assert_eq!(language(&"\u{0}\u{202e}".repeat(50_000)), None);
    }

    #[test]
    fn every_language_of_the_detector_has_a_code() {
        assert!(CODES.is_sorted());
        for lang in whatlang::Lang::all() {
            assert!(CODES.binary_search_by_key(&lang.code(), |&(long, _)| long).is_ok(), "{}", lang.code());
        }
    }
}
