//! Titles, descriptions and names, made from what is on the picture.

use domain::Rng;

use crate::plant::{Holds, Language, PlantedPin};
use crate::{TOPICS, Topic};

const FIRST: [&str; 40] = [
    "Ada", "Amir", "Ana", "Aoife", "Ben", "Camille", "Chidi", "Clara", "Dara", "Elif", "Emil", "Esme", "Farah",
    "Felix", "Greta", "Hana", "Ida", "Ines", "Jonas", "June", "Kai", "Keiko", "Lena", "Lior", "Luca", "Maya", "Mila",
    "Nadia", "Noor", "Oscar", "Paula", "Priya", "Rafael", "Rosa", "Sami", "Selin", "Theo", "Uma", "Vera", "Yuki",
];
const LAST: [&str; 40] = [
    "Abara", "Almeida", "Andersen", "Baker", "Bauer", "Berg", "Castro", "Chen", "Costa", "Demir", "Dubois", "Eriksen",
    "Fischer", "Fontaine", "Garcia", "Haas", "Hughes", "Ito", "Jansen", "Kaya", "Keller", "Kim", "Kowalski", "Larsen",
    "Lopez", "Mensah", "Moreau", "Nakamura", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Silva", "Stone",
    "Tanaka", "Weber", "Wood", "Zhang",
];
const STUDIO: [&str; 12] =
    ["Studio", "Atelier", "House of", "Casa", "Paper &", "North", "Little", "Field", "Harbour", "Slow", "Open", "Kin"];
const TRADE: [&str; 14] = [
    "Alder", "Birch", "Clay", "Dune", "Ember", "Fig", "Gull", "Heron", "Iris", "Juniper", "Linen", "Moss", "Oriole",
    "Wren",
];

pub(crate) fn person(rng: &mut Rng) -> String {
    format!("{} {}", pick(&FIRST, rng), pick(&LAST, rng))
}

/// A creator's name; numbers keep the many apart.
pub(crate) fn studio(number: u32) -> String {
    let pair = number as usize % (STUDIO.len() * TRADE.len());
    let name = format!("{} {}", STUDIO[pair % STUDIO.len()], TRADE[pair / STUDIO.len()]);
    match number as usize / (STUDIO.len() * TRADE.len()) {
        0 => name,
        again => format!("{name} {}", again + 1),
    }
}

pub(crate) fn title(pin: &PlantedPin, language: Language, rng: &mut Rng) -> String {
    let topic = topic(pin);
    let mood = pin.mood.words();
    let form = topic.forms[usize::from(pin.form) % topic.forms.len()];
    let text = match language {
        Language::German => format!("{} {}", topic.german, mood.german),
        Language::Spanish => format!("{} {}", topic.spanish, mood.spanish),
        Language::English => match rng.below(4) {
            0 => format!("{form} in {}", mood.colours),
            1 => format!("{} {form}", mood.adjective),
            2 => format!("{form}, {}", pick(&topic.details, rng)),
            _ => format!("{} {form} {}", mood.adjective, pick(&topic.details, rng)),
        },
    };
    capital(&text)
}

pub(crate) fn description(pin: &PlantedPin, language: Language, rng: &mut Rng) -> String {
    let topic = topic(pin);
    let mood = pin.mood.words();
    match language {
        Language::German => format!("{}, gemalt {}.", topic.german, mood.german),
        Language::Spanish => format!("{}, pintado {}.", capital(topic.spanish), mood.spanish),
        Language::English => {
            let form = topic.forms[usize::from(pin.form) % topic.forms.len()];
            match rng.below(3) {
                0 => format!("{} {} in {}.", mood.feeling, capital(form), mood.colours),
                1 => format!("From our {} series: {form}, {}.", topic.name, pick(&topic.details, rng)),
                _ => format!("{} {}.", mood.feeling, capital(&format!("{form} {}", pick(&topic.details, rng)))),
            }
        }
    }
}

pub(crate) fn board_title(holds: Holds, rng: &mut Rng) -> String {
    match holds {
        Holds::Topic(topic) => pick(&TOPICS[topic].boards, rng).to_owned(),
        Holds::Family(family) => family.board_title().to_owned(),
        Holds::Anything => pick(&["Saved for later", "Inspiration", "Little joys", "To sort"], rng).to_owned(),
    }
}

fn topic(pin: &PlantedPin) -> &'static Topic {
    &TOPICS[usize::from(pin.topic)]
}

fn pick<'a>(words: &[&'a str], rng: &mut Rng) -> &'a str {
    words[rng.below(words.len() as u32) as usize]
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
