//! The page's section of examples that went wrong, or right.

use super::gallery::{Failure, Gallery, Said, Verdict};
use super::page::Page;
use super::words;

/// Pictures and captions; `alpha` is the report's, in words.
pub(super) fn failures(page: &mut Page, gallery: Option<&Gallery>, alpha: &str) {
    page.section("failures", "Failures", |page| {
        let Some(gallery) = gallery else {
            let said = "The data were not at hand when this report was made; clove report --data DIR shows pictures and \
                        captions";
            page.say("p", "weak", said);
            return;
        };
        let [broken, still, fixed] = gallery.counts.map(words::count);
        let compared = words::count(gallery.compared);
        page.say(
            "p",
            "",
            &format!(
                "Of {compared} examples, {broken} were right at base and are wrong at {alpha}, {still} are wrong at both, \
                 and {fixed} were wrong at base and are right at {alpha}. Some of each, taken at even distances from \
                 every task:"
            ),
        );
        page.say(
            "p",
            "weak",
            &format!(
                "✓ is the right answer, ✗ the wrong one with the highest cosine. Below each stands its cosine with the \
                 picture at base → at {alpha}; the margin is the difference."
            ),
        );
        for verdict in Verdict::ALL {
            group(page, gallery, verdict);
        }
    });
}

fn group(page: &mut Page, gallery: &Gallery, verdict: Verdict) {
    let of = |failure: &&Failure| failure.verdict == verdict;
    let shown = gallery.failures.iter().filter(of).count();
    if shown == 0 {
        return;
    }
    let [broken, still, fixed] = gallery.counts;
    let all = match verdict {
        Verdict::Broken => broken,
        Verdict::StillWrong => still,
        Verdict::Fixed => fixed,
    };
    let summary = format!("{}: {} of {}", verdict.name(), words::count(shown), words::count(all));
    page.details(&summary, true, |page| {
        page.within("div", "cards", |page| {
            for failure in gallery.failures.iter().filter(of) {
                page.within("div", "example", |page| example(page, failure));
            }
        });
    });
}

fn example(page: &mut Page, failure: &Failure) {
    match &failure.picture {
        Ok(picture) => page.picture(picture.media_type, &picture.bytes, &failure.item),
        Err(reason) => page.say("div", "missing", reason),
    }
    page.within("div", "", |page| {
        page.say("p", "weak", &format!("{}, {}", failure.task, failure.item));
        page.say("p", "tick", &failure.right.text);
        page.say("p", "weak", &cosines(&failure.right));
        if let Some(winner) = &failure.winner {
            page.say("p", "cross", &winner.text);
            page.say("p", "weak", &cosines(winner));
        }
        let [before, after] = failure.margins.map(|margin| margin_words(f64::from(margin)));
        page.say("p", "weak", &format!("margin {before} → {after}"));
    });
}

fn margin_words(margin: f64) -> String {
    let sign = if margin < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{:.3}", margin.abs())
}

/// At base and at the chosen alpha.
fn cosines(said: &Said) -> String {
    let told = |cosine: Option<f32>| cosine.map_or_else(|| "–".into(), |cosine| format!("{cosine:.3}"));
    format!("{} → {}", told(said.at_base), told(said.at_alpha))
}
