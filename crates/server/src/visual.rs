//! Pins that look like a picture: one that comes with the question, or a pin's own; all of it or a part, with words
//! beside it or without.

use crate::answer::List;
use crate::app::App;
use crate::body::Whole;
use crate::cursor::Scope;
use crate::lists::{self, Ask};
use crate::parameters::Parameters;
use crate::picture;
use crate::problem::{Kind, Problem};
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use content::{Embedder, Picture};
use domain::{Embedding, Subject, Surface};

/// What is asked with.
pub(crate) const PARAMETERS: &[&str] =
    &["pinner", "limit", "cursor", "explain", "deadline_ms", "filter", "q", "pin", "crop"];

/// Which picture is asked with.
pub(crate) struct Asked {
    /// The pin whose picture it is; otherwise it comes with the question.
    pub(crate) pin: Option<String>,
    /// Left, top, width and height as shares of the picture's sides.
    pub(crate) crop: Option<[f32; 4]>,
    /// What else is wanted; empty for nothing.
    pub(crate) words: String,
}

/// `POST /v1/search/visual`
pub(crate) async fn search(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<List>, Problem> {
    let mut given = Parameters::read(query.as_deref(), PARAMETERS)?;
    let asked = Asked::read(&mut given)?;
    let scope = asked.scope(lists::pinner(&mut given)?);
    let mut ask = lists::ask(&app, &mut given, scope)?;
    let bytes = match (&asked.pin, &ask.cursor) {
        (None, None) => {
            crate::body::must_be_picture(&headers)?;
            Some(crate::body::read(app.room(), &headers, body, app.limits().picture_bytes_max).await?)
        }
        _ => None,
    };
    let turn = app.ranking_gate().enter().await?;
    let _turn = look(&app, asked, bytes, &mut ask, turn).await?;
    lists::respond(&app, ask).await
}

/// Sees to what a picture that is asked with looks like; later pages need no picture. The turn lasts as long as the
/// work, also when nobody waits for its answer any more.
pub(crate) async fn look<T: Send + 'static>(
    app: &App,
    asked: Asked,
    bytes: Option<Whole>,
    ask: &mut Ask,
    turn: T,
) -> Result<T, Problem> {
    if ask.cursor.is_some() {
        return Ok(turn);
    }
    let app = app.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let refused = |error: content::ContentError| Problem::new(Kind::BadBody, error.to_string()).on("image");
        let picture = match (&asked.pin, bytes) {
            (Some(pin), _) => Picture::decode(&picture_of(&app, pin)?),
            (None, bytes) => Picture::decode(bytes.as_deref().unwrap_or_default()),
        };
        let picture = match (picture.map_err(refused)?, asked.crop) {
            (picture, Some(part)) => picture.cropped(part),
            (picture, None) => picture,
        };
        let look = embedding(&app.embedder(), &picture, &asked.words);
        if look.vector.is_empty() {
            let detail = "nothing is known of the picture: the encoder of this catalogue reads words alone";
            return Err(Problem::new(Kind::BadBody, detail).on("image"));
        }
        Ok((look, turn))
    });
    let looked = looked.await.map_err(|error| Problem::internal("looking at a picture", error))?;
    let (look, turn) = looked?;
    ask.look = Some(look);
    Ok(turn)
}

/// A picture and, if there are any, words that say how it should differ.
fn embedding(embedder: &Embedder, picture: &Picture, words: &str) -> Embedding {
    Embedding { space: embedder.space(), vector: embedder.embed(words, Some(picture)) }
}

fn picture_of(app: &App, pin: &str) -> Result<Vec<u8>, Problem> {
    let known = {
        let catalogue = app.views().catalogue();
        let view = catalogue.pin(pin).and_then(|id| catalogue.pin_view(id));
        view.is_some_and(|view| view.described && !view.removed)
    };
    let key = picture::kept(app, pin).filter(|_| known);
    let bytes = key.map(|key| app.blobs().get(&key)).transpose();
    let bytes = bytes.map_err(|error| Problem::internal("reading a picture", error))?.flatten();
    bytes.ok_or_else(|| match known {
        true => Problem::parameter("pin", format!("pin '{pin}' has no picture here")),
        false => Problem::missing("pin", pin),
    })
}

impl Asked {
    pub(crate) fn read(given: &mut Parameters) -> Result<Asked, Problem> {
        let words = given.text("q").filter(|words| !words.trim().is_empty());
        let words = words.map(|words| lists::words(Some(words))).transpose()?.unwrap_or_default();
        Ok(Asked { pin: given.text("pin"), crop: given.text("crop").map(|text| crop(&text)).transpose()?, words })
    }

    /// What it is about for whoever looks at lists: the words, if there are any.
    pub(crate) fn scope(&self, pinner: String) -> Scope {
        let subject = if self.words.is_empty() { Subject::None } else { Subject::Query(self.words.clone()) };
        Scope::of(Surface::Search, subject, pinner)
    }
}

/// A part of a picture: `left,top,width,height`, each from 0 to 1.
pub(crate) fn crop(text: &str) -> Result<[f32; 4], Problem> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let numbers = numbers.unwrap_or_default();
    match numbers[..] {
        [left, top, width, height]
            if [left, top, width, height].iter().all(|share| (0.0..=1.0).contains(share))
                && width > 0.0
                && height > 0.0 =>
        {
            Ok([left, top, width.min(1.0 - left), height.min(1.0 - top)])
        }
        _ => {
            Err(Problem::parameter("crop", "give left,top,width,height as shares from 0 to 1, such as 0.2,0.1,0.5,0.5"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_inside_the_picture() {
        assert_eq!(crop("0.5, 0.25,1,0.5").expect("a part"), [0.5, 0.25, 0.5, 0.5]);
        for wrong in ["", "0,0,1", "0,0,0,1", "-1,0,1,1", "0,0,1,nan", "0,0,1,1,1", "a,b,c,d"] {
            assert!(crop(wrong).is_err(), "{wrong}");
        }
    }
}
