//! Days pass: who joined is told, visits are played in the order of time, at night everybody learns.

use super::figures::{Course, Day};
use super::peers::Peers;
use super::policy::Policy;
use super::served::Served;
use super::shelf::{Page, Shelf};
use super::{FIRST_MS, Run};
use crate::progress::Progress;
use crate::setup::Setup;
use ::world::{Life, Visit, VisitTruth, World};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const DAY_MS: u64 = 86_400_000;
/// Visits that begin within so much time (ms) are played side by side; the clock goes forward between such times.
const SLOT_MS: u64 = 20 * 60_000;

/// Lets all days pass under a policy.
pub(super) fn pass(args: &Run, world: &World, policy: Policy, folder: &Path, setup: &Setup) -> Result<Course> {
    let shelf = match policy.config(&setup.config) {
        Some(config) => Shelf::Served(Box::new(Served::start(folder, &config, setup, FIRST_MS)?)),
        None if policy == Policy::Oracle => Shelf::Truth,
        None => Shelf::Peers(Box::new(Peers::new(policy))),
    };
    let mut lives = world.lives();
    let mut course = Course::new(policy);
    for day in 0..args.days {
        setup.stop.check()?;
        let new = match day {
            0 => world.catalogue().collect(),
            day => world.catalogue_of_day(day).collect::<Vec<_>>(),
        };
        let mut told = Day::new(day + 1, new.len() as u64);
        match &shelf {
            Shelf::Served(served) => {
                served.forward(FIRST_MS + u64::from(day) * DAY_MS)?;
                served.add(world, new, !args.no_pictures)?;
            }
            Shelf::Peers(peers) => peers.add(&new),
            Shelf::Truth => {}
        }
        live(args, world, (policy, day), &shelf, &mut lives, &mut told, setup)?;
        night(args, &shelf, day, &mut told)?;
        eprintln!("{}: {}", policy.name(), told.line());
        course.days.push(told);
    }
    Ok(course)
}

/// Plays the visits of a day.
fn live(
    args: &Run,
    world: &World,
    (policy, day): (Policy, u32),
    shelf: &Shelf,
    lives: &mut [Life],
    told: &mut Day,
    setup: &Setup,
) -> Result<()> {
    let visits = world.visits_of(day, lives);
    told.active = visits.iter().map(|(_, pinner)| pinner).collect::<BTreeSet<_>>().len() as u64;
    let progress = Progress::new(&format!("{} day {}", policy.name(), day + 1), visits.len() as u64);
    let mut from = 0;
    while from < visits.len() {
        setup.stop.check()?;
        let slot = slot(&visits[from..]);
        if let Shelf::Served(served) = shelf {
            served.forward(slot[0].0)?;
        }
        for (pinner, life, truth) in play(world, shelf, slot, lives, args.connections)? {
            lives[pinner as usize] = life;
            told.add(&truth);
        }
        from += slot.len();
        progress.set(from as u64);
    }
    progress.finish(&format!("{} visits", visits.len()));
    Ok(())
}

/// The first visits that can be played side by side: close in time, and nobody comes twice.
fn slot(visits: &[(u64, u32)]) -> &[(u64, u32)] {
    let mut who = BTreeSet::new();
    let end = visits.iter().position(|(at_ms, pinner)| *at_ms >= visits[0].0 + SLOT_MS || !who.insert(*pinner));
    &visits[..end.unwrap_or(visits.len())]
}

/// A pinner after a visit, and what it came to.
type Lived = (Life, VisitTruth);

/// Plays visits side by side, in so many threads; what they came to is in their order.
fn play(
    world: &World,
    shelf: &Shelf,
    visits: &[(u64, u32)],
    lives: &[Life],
    threads: usize,
) -> Result<Vec<(u32, Life, VisitTruth)>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<Lived>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(visits.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&(at_ms, pinner)) = visits.get(place) else { return };
                    let visit = Visit::begin(world, lives[pinner as usize].clone(), pinner, at_ms);
                    let came = show(world, shelf, visit);
                    let failed = came.is_err();
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((place, came));
                    if failed {
                        return;
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    let named = |(place, came): (usize, Result<(Life, VisitTruth)>)| {
        let (at_ms, pinner) = visits[place];
        let (life, truth) = came.with_context(|| format!("the visit of {} at {at_ms}", world.pinner_id(pinner)))?;
        Ok((pinner, life, truth))
    };
    done.into_iter().map(named).collect()
}

/// Shows a visitor what they want until they leave.
fn show(world: &World, shelf: &Shelf, mut visit: Visit<'_>) -> Result<(Life, VisitTruth)> {
    let mut page = Page::default();
    while visit.wants().is_some() {
        page = shelf.page(world, &visit, &page)?;
        let events = visit.shown(&page.pins);
        shelf.tell(visit.pinner(), &page, &events)?;
    }
    Ok(visit.end())
}

fn night(args: &Run, shelf: &Shelf, day: u32, told: &mut Day) -> Result<()> {
    let last = day + 1 == args.days;
    match shelf {
        Shelf::Served(served) if !last && (day + 1).is_multiple_of(args.train_every) => {
            let end_ms = FIRST_MS + u64::from(day + 1) * DAY_MS - 1;
            // Visits of the last minutes may have reached into the next day.
            let learned = served.learn(end_ms + SLOT_MS)?;
            (told.trained_s, told.model) = (learned.seconds, learned.said);
            if !learned.live {
                eprintln!("day {}: no new model: {}", day + 1, told.model);
            }
        }
        Shelf::Peers(peers) => peers.night(),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_comes_twice_at_once() {
        let visits = [(0, 1), (5, 2), (6, 1), (7, 3), (SLOT_MS + 6, 4)];
        let parts: Vec<usize> = std::iter::successors(Some(0), |from| {
            Some(from + slot(&visits[*from..]).len()).filter(|from| *from < visits.len())
        })
        .collect();
        assert_eq!(parts, [0, 2, 4]);
    }
}
