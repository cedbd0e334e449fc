//! Bytes to a lexicon. Nothing is read beyond the end, and every number is held to its table before it is kept.

use std::collections::HashMap;

use super::{Lexicon, Lists, Names, SenseRow};

const MAGIC: &[u8] = b"CLOVELEX";
const VERSION: u32 = 1;
/// Longest name; WordNet's longest has 71 bytes.
const MOST_NAME: usize = 1024;

/// The embedded lexicon is damaged; only a faulty build can cause it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The embedded lexicon cannot be read, please build clove again: {0}")]
pub struct LexiconError(pub(super) String);

type Result<T> = std::result::Result<T, LexiconError>;

fn broken<T>(what: &str) -> Result<T> {
    Err(LexiconError(what.to_owned()))
}

/// Reads the layout that `training/reference/lexicon.py` documents.
pub(super) fn lexicon(bytes: &[u8]) -> Result<Lexicon> {
    let mut input = Input { bytes };
    if input.take(MAGIC.len())? != MAGIC || input.number()? != VERSION {
        return broken("another format");
    }
    let names = names(&mut input)?;
    let synsets = input.count()?;
    let kinds = input.take(synsets)?.to_vec();
    if !kinds.iter().all(|kind| b"nvars".contains(kind)) {
        return broken("an unknown part of speech");
    }
    let (first_sense, senses, numbers) = senses(&mut input, synsets, names.ends.len())?;
    let hypernyms = lists(&mut input, synsets, synsets)?;
    let similar = lists(&mut input, synsets, synsets)?;
    let antonyms = lists(&mut input, senses.len(), senses.len())?;
    let derivations = lists(&mut input, senses.len(), senses.len())?;
    let exceptions =
        [exceptions(&mut input)?, exceptions(&mut input)?, exceptions(&mut input)?, exceptions(&mut input)?];
    if !input.bytes.is_empty() {
        return broken("bytes after its end");
    }
    let irregular = [0, 1, 2, 3].map(|pos: usize| inverse(&exceptions[pos]));
    Ok(Lexicon {
        index: index(&names, &kinds, &senses, &numbers),
        hyponyms: hyponyms(&hypernyms, synsets),
        exceptions: exceptions.map(|rows| rows.into_iter().collect()),
        names,
        kinds,
        first_sense,
        senses,
        hypernyms,
        similar,
        antonyms,
        derivations,
        irregular,
    })
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.bytes.split_at_checked(n) else { return broken("it ends too early") };
        self.bytes = rest;
        Ok(head)
    }

    /// LEB128, at most 32 bits.
    fn number(&mut self) -> Result<u32> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).or_else(|_| broken("a number is too large"));
            }
        }
        broken("a number is too long")
    }

    /// A number of things of at least one byte each.
    fn count(&mut self) -> Result<usize> {
        let n = self.number()? as usize;
        if n > self.bytes.len() { broken("it ends too early") } else { Ok(n) }
    }

    fn below(&mut self, end: usize) -> Result<u32> {
        let n = self.number()?;
        if (n as usize) < end { Ok(n) } else { broken("a pointer leads nowhere") }
    }
}

fn names(input: &mut Input<'_>) -> Result<Names> {
    let count = input.count()?;
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(count));
    let mut name: Vec<u8> = Vec::new();
    for _ in 0..count {
        let (shared, more) = (input.number()? as usize, input.number()? as usize);
        if shared > name.len() || more > MOST_NAME || shared > MOST_NAME {
            return broken("a name is malformed");
        }
        let mut next = name[..shared].to_vec();
        next.extend_from_slice(input.take(more)?);
        if !ends.is_empty() && next <= name {
            return broken("the names are not sorted");
        }
        name = next;
        bytes.extend_from_slice(&name);
        ends.push(bytes.len() as u32);
    }
    let bytes = String::from_utf8(bytes).or_else(|_| broken("a name is not text"))?;
    if ends.iter().any(|end| !bytes.is_char_boundary(*end as usize)) {
        return broken("a name is not text");
    }
    Ok(Names { bytes, ends })
}

/// First sense of each synset with the total at the end, the senses, and their numbers among their lemma's meanings.
fn senses(input: &mut Input<'_>, synsets: usize, names: usize) -> Result<(Vec<u32>, Vec<SenseRow>, Vec<u32>)> {
    let (mut first, mut rows, mut numbers) = (vec![0], Vec::new(), Vec::new());
    for synset in 0..synsets as u32 {
        for _ in 0..input.count()? {
            let name = input.below(names)?;
            numbers.push(input.number()?);
            rows.push(SenseRow { synset, name, count: input.number()? });
        }
        first.push(rows.len() as u32);
    }
    Ok((first, rows, numbers))
}

fn lists(input: &mut Input<'_>, rows: usize, end: usize) -> Result<Lists> {
    let (mut starts, mut items) = (vec![0], Vec::new());
    for _ in 0..rows {
        for _ in 0..input.count()? {
            items.push(input.below(end)?);
        }
        starts.push(items.len() as u32);
    }
    Ok(Lists { starts, items })
}

fn hyponyms(hypernyms: &Lists, synsets: usize) -> Lists {
    let pairs: Vec<(u32, u32)> =
        (0..synsets as u32).flat_map(|child| hypernyms.of(child).iter().map(move |parent| (*parent, child))).collect();
    Lists::from_pairs(synsets, &pairs)
}

fn index(names: &Names, kinds: &[u8], senses: &[SenseRow], numbers: &[u32]) -> Lists {
    let pos = |synset: u32| match kinds[synset as usize] {
        b'n' => 0,
        b'v' => 1,
        b'r' => 3,
        _ => 2,
    };
    let mut rows: Vec<(u32, u32, u32)> = Vec::with_capacity(senses.len());
    for (sense, number) in senses.iter().zip(numbers) {
        let name = names.get(sense.name);
        let key = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            names.find(&name.to_ascii_lowercase()).map_or(sense.name, |name| name.0)
        } else {
            sense.name
        };
        rows.push((4 * key + pos(sense.synset), *number, sense.synset));
    }
    rows.sort_unstable();
    rows.dedup();
    let pairs: Vec<(u32, u32)> = rows.into_iter().map(|(row, _, synset)| (row, synset)).collect();
    Lists::from_pairs(4 * names.ends.len(), &pairs)
}

type Exceptions = Vec<(String, Vec<String>)>;

fn exceptions(input: &mut Input<'_>) -> Result<Exceptions> {
    let length = input.count()?;
    let Ok(text) = std::str::from_utf8(input.take(length)?) else { return broken("an irregular form is not text") };
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.collect()))
    };
    Ok(text.lines().filter_map(row).collect())
}

fn inverse(rows: &Exceptions) -> HashMap<String, Vec<String>> {
    let mut forms: HashMap<String, Vec<String>> = HashMap::new();
    for (form, lemmas) in rows {
        for lemma in lemmas {
            forms.entry(lemma.clone()).or_default().push(form.clone());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let lexicon_error = |bytes: &[u8]| lexicon(bytes).err();
        assert!(lexicon_error(b"").is_some());
        assert!(lexicon_error(b"CLOVELEX\x02").is_some());
        // One name, one synset of one sense, no pointers, no exceptions.
        let good = b"CLOVELEX\x01\x01\x00\x01a\x01n\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        assert_eq!(lexicon_error(good), None);
        for cut in 0..good.len() {
            assert!(lexicon_error(&good[..cut]).is_some(), "cut at {cut}");
        }
        let bent = (9..good.len()).flat_map(|at| [1, 2, 0x7f, 0xff].map(|value| (at, value)));
        for (at, value) in bent {
            let mut bytes = good.to_vec();
            bytes[at] = value;
            // Some other values are fine too; what counts is that none reads or allocates beyond the file.
            drop(lexicon(&bytes));
        }
        let mut leads_nowhere = good.to_vec();
        leads_nowhere[16] = 1;
        assert_eq!(lexicon_error(&leads_nowhere), Some(LexiconError("a pointer leads nowhere".into())));
    }
}
