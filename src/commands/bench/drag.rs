//! A drag over the embedded pair as the window makes it: how soon the focused example's scores follow.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::checkpoint::Options;
use crate::device::DeviceChoice;
use crate::engine::{self, Command, Event, ExampleId, Link};
use crate::patch::{Alpha, AlphaMap};

/// Positions of the slider, one per frame at 60 Hz: two seconds from end to end.
const POSITIONS: usize = 120;
const FRAME: Duration = Duration::from_micros(16_667);
/// What the engine may take to open, and to answer the last position.
const PATIENCE: Duration = Duration::from_mins(1);

/// Milliseconds from a position of the slider to the focused example's scores at it or at a newer one.
pub struct Drag {
    pub median: f64,
    pub p95: f64,
    pub longest: f64,
    /// Positions, and how many were answered themselves rather than by a newer one.
    pub positions: usize,
    pub answered: usize,
}

/// Drags while the sweep is due, so that the focused example competes with it as in the window.
pub fn measure(device: DeviceChoice) -> anyhow::Result<Drag> {
    let (wake, woken) = channel();
    let wake = Mutex::new(wake);
    // The engine goes on after the last answer is in, and nobody listens then.
    let told = move || drop(wake.lock().map(|wake| wake.send(())));
    let link = engine::start(device, Options::default(), Arc::new(told));
    let drag = drag(&link, &woken);
    link.send(Command::Quit);
    drag
}

fn drag(link: &Link, woken: &Receiver<()>) -> anyhow::Result<Drag> {
    link.send(Command::OpenData { folder: None });
    link.send(Command::OpenPair { base: "demo:base".into(), tuned: "demo:tuned".into() });
    link.send(Command::Focus(Some(ExampleId { benchmark: 1, example: 0 })));
    wait_for(link, woken, AlphaMap::BASE)?;
    let alpha = |position: usize| AlphaMap::one(Alpha::clamped((position + 1) as f64 / POSITIONS as f64));
    let (start, mut asked, mut answered) = (Instant::now(), Vec::new(), [None; POSITIONS]);
    while answered[POSITIONS - 1].is_none() {
        if start.elapsed() > PATIENCE {
            bail!("the engine did not answer the last position of the slider in a minute");
        }
        if asked.len() < POSITIONS && start.elapsed() >= FRAME * asked.len() as u32 {
            link.send(Command::SetAlpha(alpha(asked.len())));
            asked.push(Instant::now());
        }
        for scored in scored(link)? {
            if let Some(position) = (0..asked.len()).find(|i| alpha(*i) == scored) {
                answered[position] = Some(Instant::now());
            }
        }
        let next = FRAME * asked.len() as u32;
        let pause = if asked.len() < POSITIONS { next.saturating_sub(start.elapsed()) } else { FRAME };
        woken.recv_timeout(pause).ok();
    }
    Ok(summary(&asked, &answered))
}

/// A position that a newer one overtook counts until the newer one's answer.
fn summary(asked: &[Instant], answered: &[Option<Instant>]) -> Drag {
    let mut soonest = None;
    let mut waits: Vec<f64> = Vec::with_capacity(asked.len());
    for (asked, answer) in asked.iter().zip(answered).rev() {
        soonest = match (*answer, soonest) {
            (Some(own), Some(newer)) => Some(own.min(newer)),
            (own, newer) => own.or(newer),
        };
        waits.extend(soonest.map(|at| at.duration_since(*asked).as_secs_f64() * 1e3));
    }
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits.get((share * (waits.len().saturating_sub(1)) as f64).round() as usize).copied();
    Drag {
        median: at(0.5).unwrap_or(f64::NAN),
        p95: at(0.95).unwrap_or(f64::NAN),
        longest: at(1.0).unwrap_or(f64::NAN),
        positions: asked.len(),
        answered: answered.iter().flatten().count(),
    }
}

/// Alphas of the focused example's answers that have arrived.
fn scored(link: &Link) -> anyhow::Result<Vec<AlphaMap>> {
    let mut alphas = Vec::new();
    for event in link.events() {
        match event {
            Event::FocusScored { focus, .. } => alphas.push(focus.alpha),
            Event::Failed(failure) => bail!(failure.summary),
            _ => {}
        }
    }
    Ok(alphas)
}

fn wait_for(link: &Link, woken: &Receiver<()>, alpha: AlphaMap) -> anyhow::Result<()> {
    let start = Instant::now();
    while !scored(link)?.contains(&alpha) {
        if start.elapsed() > PATIENCE {
            bail!("the engine did not score the focused example in a minute");
        }
        woken.recv_timeout(FRAME).ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overtaken_position_waits_for_the_newer_answer() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let drag = summary(&[at(0), at(16), at(32)], &[Some(at(10)), None, Some(at(52))]);
        assert_eq!((drag.positions, drag.answered), (3, 2));
        assert!((drag.median - 20.0).abs() < 1e-9 && (drag.longest - 36.0).abs() < 1e-9);
    }
}
