//! Exports: examples are looked at one by one between other work, then a thread of its own writes the file, so that
//! no drag waits for it.

use super::super::command::Export;
use super::super::event::Scores;
use super::super::export::Material;
use super::super::{export, spawn};
use super::Worker;
use crate::benchmark::Items;
use crate::patch::AlphaMap;
use crate::report::{Chosen, Gallery, Kind, Sides, choose};

/// Examples of each kind on a page.
const SHOWN: usize = 12;

/// An export whose examples are being looked at.
pub(super) struct Exporting {
    export: Export,
    alpha: AlphaMap,
    chosen: Vec<Chosen>,
    gallery: Gallery,
    /// Cosines of those looked at so far, at the chosen alpha; empty where they are not at hand.
    cosines: Vec<Vec<(usize, f32)>>,
}

impl Worker {
    pub(super) fn export(&mut self, export: Export) {
        let Some(bench) = self.bench.as_ref() else {
            return self.outbox.fail("there is nothing to export yet; open two checkpoints and data first".into());
        };
        let all = bench.sweep.all();
        if all.is_empty() {
            return self.outbox.fail("there is nothing to export yet; wait for the first alpha of the sweep".into());
        }
        let at = |alpha: AlphaMap| all.iter().find(|scores| scores.alpha == alpha);
        let here = export.view.alpha.and_then(at);
        let alpha = here.map_or(AlphaMap::BASE, |scores| scores.alpha);
        let sides = at(AlphaMap::BASE).zip(here).map(|(base, here)| sides(base, here)).unwrap_or_default();
        let (chosen, gallery) = choose(&sides, if export.kind == Kind::Html { SHOWN } else { 0 });
        self.exports.push_back(Exporting { export, alpha, chosen, gallery, cosines: Vec::new() });
    }

    /// Looks at one example of the oldest export, or hands everything to the thread that writes.
    pub(super) fn advance_export(&mut self) -> candle_core::Result<()> {
        let (Some(mut exporting), Some(bench), Some(encoder), Some(data)) =
            (self.exports.pop_front(), &mut self.bench, &mut self.encoder, &self.data)
        else {
            return Ok(());
        };
        let Some(next) = exporting.chosen.get(exporting.cosines.len()) else {
            self.write_export(exporting);
            return Ok(());
        };
        let (b, current) = (next.benchmark, &mut bench.current);
        // The prompts of many classes are not embedded for a page, nor another alpha than the current one.
        let is_class = matches!(data.benchmarks[b].items, Items::Classes { .. });
        let at_hand = current.alpha() == exporting.alpha && (!is_class || current.has_all_classes());
        let similarities = if at_hand {
            current.visit(encoder, &data.benchmarks, &bench.corpus, &mut bench.pixels, (b, next.example))?
        } else {
            None
        };
        exporting.cosines.push(similarities.unwrap_or_default().into_iter().enumerate().collect());
        self.exports.push_front(exporting);
        Ok(())
    }

    /// Another pair or other data were opened: what was asked for is no more.
    pub(super) fn give_exports_up(&mut self) {
        for exporting in self.exports.drain(..) {
            let path = exporting.export.path.display();
            self.outbox
                .fail(format!("the export was given up because something else was opened; export again: {path}"));
        }
    }

    fn write_export(&self, exporting: Exporting) {
        let (Some(bench), Some(data), Some(pair)) = (&self.bench, &self.data, &self.pair) else { return };
        let Exporting { export, chosen, mut gallery, cosines, .. } = exporting;
        for (benchmark, unreadable) in data.benchmarks.iter().zip(bench.current.unreadable()) {
            gallery.unreadable.extend(benchmark.skipped.iter().map(|s| (s.item.clone(), s.reason.clone())));
            gallery.unreadable.extend(unreadable.iter().cloned());
        }
        let progress = bench.sweep.progress(false);
        let material = Material {
            pair: std::sync::Arc::clone(&pair.info),
            benchmarks: std::sync::Arc::clone(&data.benchmarks),
            texts: bench.corpus.places.iter().map(|places| places.texts.clone()).collect(),
            scores: bench.sweep.all(),
            device: self.device_name.clone(),
            source: self.found.as_ref().map(|found| found.source.clone()).unwrap_or_default(),
            swept: (progress.done, progress.total),
            chosen: chosen.into_iter().zip(cosines).collect(),
            gallery,
        };
        let outbox = self.outbox.clone();
        spawn("clove-export", &self.outbox, move || outbox.send(export::write(&export, material)));
    }
}

fn sides<'a>(base: &'a Scores, here: &'a Scores) -> Vec<Sides<'a>> {
    base.outcomes.iter().zip(here.outcomes.iter()).map(|(base, here)| (&base[..], &here[..])).collect()
}
