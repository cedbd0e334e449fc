//! A smaller benchmark that stands for the whole one.

use std::collections::BTreeMap;

use super::{Benchmark, Choice, Duel, ImageRef, Items, Metric};

/// Keeps at most `n` examples (at least one), the same on every run: spread evenly over the file within each group or
/// class. Groups of a macro mean get equal shares, as far as they last, and those below its minimum count none (they do
/// not enter the mean); otherwise groups and classes get shares in proportion, so that the rate keeps its meaning.
/// Unused images go, and the protocol says "subset of n". Nothing changes if `n` is not below [`Benchmark::len`].
pub fn limit(benchmark: &mut Benchmark, n: usize) {
    let total = benchmark.len();
    if n >= total {
        return;
    }
    let n = n.max(1);
    if matches!(benchmark.items, Items::Retrieval(_)) {
        return limit_retrieval(benchmark, n);
    }
    let strata = strata(&benchmark.items);
    let mut chosen = match benchmark.metric {
        Metric::MacroAccuracy { min_count } if strata.iter().any(|stratum| stratum.len() >= min_count) => {
            let large: Vec<_> = strata.into_iter().filter(|stratum| stratum.len() >= min_count).collect();
            benchmark.metric = Metric::MacroAccuracy { min_count: 1 };
            equal_shares(&large, n)
        }
        _ => spread(&strata.concat(), n),
    };
    chosen.sort_unstable();
    keep(&mut benchmark.images, &mut benchmark.items, &chosen);
    benchmark.protocol = format!("{}; subset of {} out of {total}", benchmark.protocol, chosen.len());
}

/// Keeps `n` images at even distances with all their captions, so that both directions search the same smaller pool.
/// Recall in a smaller pool is higher, which the protocol says.
fn limit_retrieval(benchmark: &mut Benchmark, n: usize) {
    let total = benchmark.images.len();
    if n >= total {
        return;
    }
    let chosen = spread(&(0..total).collect::<Vec<_>>(), n);
    let Items::Retrieval(retrieval) = &mut benchmark.items else { return };
    let pairs = std::mem::take(&mut retrieval.captions).into_iter().zip(std::mem::take(&mut retrieval.image_of));
    for (caption, image) in pairs {
        if let Ok(place) = chosen.binary_search(&image) {
            retrieval.captions.push(caption);
            retrieval.image_of.push(place);
        }
    }
    benchmark.images = chosen.iter().map(|&i| benchmark.images[i].clone()).collect();
    benchmark.protocol =
        format!("{}; subset of {n} images out of {total}, in which recall is higher", benchmark.protocol);
}

/// Examples by group or class, each in file order.
fn strata(items: &Items) -> Vec<Vec<usize>> {
    match items {
        Items::Choices(choices) => by_key(choices.iter().map(|choice| choice.group.as_deref())),
        Items::Classes { labels, .. } => by_key(labels.iter()),
        Items::Duels(duels) => vec![(0..duels.len()).collect()],
        Items::Retrieval(_) => Vec::new(),
    }
}

fn by_key<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<Vec<usize>> {
    let mut strata: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (i, key) in keys.enumerate() {
        strata.entry(key).or_default().push(i);
    }
    strata.into_values().collect()
}

/// `n` of `from` at even distances; all of them if there are not as many.
fn spread<T: Copy>(from: &[T], n: usize) -> Vec<T> {
    let n = n.min(from.len());
    (0..n).map(|i| from[(2 * i + 1) * from.len() / (2 * n)]).collect()
}

/// `n` examples, every stratum giving as many as the others until it is used up. A last round that does not go round
/// takes from strata at even distances.
fn equal_shares(strata: &[Vec<usize>], n: usize) -> Vec<usize> {
    let mut shares = vec![0; strata.len()];
    let mut left = n;
    loop {
        let open: Vec<usize> = (0..strata.len()).filter(|&s| shares[s] < strata[s].len()).collect();
        let giving = spread(&open, left);
        if giving.is_empty() {
            break;
        }
        left -= giving.len();
        for s in giving {
            shares[s] += 1;
        }
    }
    strata.iter().zip(shares).flat_map(|(stratum, share)| spread(stratum, share)).collect()
}

/// Reduces to the examples `chosen` (ascending) and the images they use.
fn keep(images: &mut Vec<ImageRef>, items: &mut Items, chosen: &[usize]) {
    match items {
        Items::Choices(choices) => {
            let mut places = vec![None; images.len()];
            let mut kept = Vec::new();
            let moved = |choice: &Choice| {
                let place = *places[choice.image].get_or_insert_with(|| {
                    kept.push(images[choice.image].clone());
                    kept.len() - 1
                });
                Choice { image: place, ..choice.clone() }
            };
            *choices = chosen.iter().map(|&i| &choices[i]).map(moved).collect();
            *images = kept;
        }
        Items::Duels(duels) => {
            let mut places = vec![None; images.len()];
            let mut kept = Vec::new();
            let mut move_to = |image: usize| {
                *places[image].get_or_insert_with(|| {
                    kept.push(images[image].clone());
                    kept.len() - 1
                })
            };
            let moved =
                |duel: &Duel| Duel { images: duel.images.iter().map(|&i| move_to(i)).collect(), ..duel.clone() };
            *duels = chosen.iter().map(|&i| &duels[i]).map(moved).collect();
            *images = kept;
        }
        // Retrieval has been reduced by images.
        Items::Retrieval(_) => {}
        Items::Classes { labels, .. } => {
            *labels = chosen.iter().map(|&i| labels[i]).collect();
            *images = chosen.iter().map(|&i| images[i].clone()).collect();
        }
    }
}

#[cfg(test)]
#[path = "subset_tests.rs"]
mod tests;
