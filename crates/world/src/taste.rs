//! Taste space: pins and tastes are points in it, and a pinner likes what lies near one of their tastes.

use domain::{Rng, hash64};

use crate::{Family, Mood, TOPICS};

/// Dimensions of taste space.
pub const TASTE_DIM: usize = 24;
/// A point of taste space, unit length.
pub(crate) type Point = [f32; TASTE_DIM];

/// One of the several things that a pinner likes.
#[derive(Clone, Debug)]
pub struct Taste {
    /// The topic: its place in [`TOPICS`].
    pub topic: usize,
    /// The colours they like it in.
    pub mood: Mood,
    /// How much of their attention it has; a pinner's tastes add up to 1.
    pub weight: f32,
    pub(crate) point: Point,
}

/// The directions that topics, moods and forms have in this world.
#[derive(Debug)]
pub(crate) struct Space {
    topics: Vec<Point>,
    moods: Vec<Point>,
    forms: Vec<Point>,
}

const FORMS: usize = 3;
const FAMILY_SHARE: f32 = 0.55;
const MOOD_SHARE: f32 = 0.5;
const FORM_SHARE: f32 = 0.35;

impl Space {
    pub(crate) fn new(seed: u64) -> Space {
        let mut rng = Rng::new(hash64(seed ^ 0x7A57E));
        let families: Vec<Point> = Family::ALL.iter().map(|_| direction(&mut rng)).collect();
        let topics = TOPICS
            .iter()
            .map(|topic| unit(add(direction(&mut rng), families[topic.family as usize], FAMILY_SHARE)))
            .collect();
        let moods = Mood::ALL.iter().map(|_| direction(&mut rng)).collect();
        let forms = (0..TOPICS.len() * FORMS).map(|_| direction(&mut rng)).collect();
        Space { topics, moods, forms }
    }

    /// The direction of a topic.
    pub(crate) fn topic(&self, topic: usize) -> &Point {
        &self.topics[topic]
    }

    /// Where something of this topic, mood and form lies, moved a little towards `own`.
    pub(crate) fn point(&self, topic: usize, mood: Mood, form: usize, own: Point, own_share: f32) -> Point {
        let point = add(self.topics[topic], self.moods[mood as usize], MOOD_SHARE);
        let point = add(point, self.forms[topic * FORMS + form % FORMS], FORM_SHARE);
        unit(add(point, own, own_share))
    }
}

/// A random direction.
pub(crate) fn direction(rng: &mut Rng) -> Point {
    unit(std::array::from_fn(|_| rng.normal()))
}

/// `a + share · b`.
pub(crate) fn add(a: Point, b: Point, share: f32) -> Point {
    std::array::from_fn(|i| a[i] + share * b[i])
}

/// The point at unit length.
pub(crate) fn unit(point: Point) -> Point {
    let norm = dot(&point, &point).sqrt().max(1e-6);
    point.map(|value| value / norm)
}

pub(crate) fn dot(a: &Point, b: &Point) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
