//! Files that belong together by name: webdataset's rule, for archives and folders.

use super::fault::FaultKind;
use super::record::{self, Keys, Wrong};
use super::shard::{self, Raw};
use std::collections::HashMap;

/// Endings of images, the first that a sample has (open_clip's order).
const IMAGES: [&str; 4] = ["jpg", "png", "jpeg", "webp"];

/// The members of one sample; `M` says where a member is.
pub(super) struct Group<M> {
    /// Folder and name up to the first dot.
    pub key: Box<str>,
    image: Option<(usize, M)>,
    text: Option<M>,
    json: Option<M>,
    wrong: Option<FaultKind>,
}

/// Samples in the order of their first members.
pub(super) struct Groups<M> {
    groups: Vec<Group<M>>,
    places: HashMap<Box<str>, usize>,
}

/// What a member is for.
pub(super) enum Part {
    Image,
    Text,
    Json,
}

impl<M> Groups<M> {
    pub fn new() -> Self {
        Self { groups: Vec::new(), places: HashMap::new() }
    }

    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Adds a member; one that is neither image, text nor JSON, or webdataset's own (`__name__`), is passed over.
    pub fn add(&mut self, name: &str, member: M) {
        let base = name.rfind('/').map_or(0, |slash| slash + 1);
        let Some((stem, ending)) = name[base..].split_once('.') else { return };
        let ending = ending.to_ascii_lowercase();
        let image = IMAGES.iter().position(|known| *known == ending);
        if image.is_none() && ending != "txt" && ending != "json" || stem.starts_with("__") && stem.ends_with("__") {
            return;
        }
        let key = &name[..base + stem.len()];
        let place = self.places.get(key).copied().unwrap_or_else(|| self.start(key));
        let group = &mut self.groups[place];
        let repeated = match image {
            Some(rank) if group.image.as_ref().is_some_and(|(known, _)| *known < rank) => false,
            Some(rank) => group.image.replace((rank, member)).is_some_and(|(known, _)| known == rank),
            None if ending == "txt" => group.text.replace(member).is_some(),
            None => group.json.replace(member).is_some(),
        };
        if repeated {
            group.wrong = group.wrong.or(Some(FaultKind::RepeatedMember));
        }
    }

    fn start(&mut self, key: &str) -> usize {
        let wrong = leaves(key).then_some(FaultKind::OutsidePath);
        self.groups.push(Group { key: key.into(), image: None, text: None, json: None, wrong });
        self.places.insert(key.into(), self.groups.len() - 1);
        self.groups.len() - 1
    }

    /// The samples, without the table of their names.
    pub fn into_vec(self) -> Vec<Group<M>> {
        self.groups
    }
}

/// Whether a path inside an archive or a folder leads out of it.
pub(super) fn leaves(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    drive || path.starts_with(['/', '\\']) || path.split(['/', '\\']).any(|part| part == "..")
}

impl<M> Group<M> {
    /// The sample, its members read by `read`.
    pub fn assemble(
        &self,
        place: String,
        keys: &Keys,
        read: impl Fn(&M, Part) -> Result<Vec<u8>, Wrong>,
    ) -> Result<Raw, Wrong> {
        match self.wrong {
            Some(FaultKind::OutsidePath) => {
                return Err((FaultKind::OutsidePath, "The name leads out of the archive".to_owned()));
            }
            Some(kind) => return Err((kind, "Two members have the same name".to_owned())),
            None => {}
        }
        let Some((_, image)) = &self.image else {
            return Err((FaultKind::MissingImage, "There is no image (jpg, png, jpeg or webp)".to_owned()));
        };
        let no_caption = |what: &str| (FaultKind::MissingCaption, format!("There is no {what}"));
        let needs_json = keys.negatives || !keys.caption.is_empty();
        let record = match &self.json {
            Some(json) if needs_json => Some(record::object(&read(json, Part::Json)?)?),
            _ => None,
        };
        let caption = if keys.caption.is_empty() {
            let text = self.text.as_ref().ok_or_else(|| no_caption("txt"))?;
            shard::usable(shard::text(&read(text, Part::Text)?)?)?
        } else {
            let record = record.as_ref().ok_or_else(|| no_caption("json"))?;
            shard::usable(&record::caption(record, keys)?)?
        };
        let negatives = record.as_ref().map_or(Ok(Vec::new()), |record| record::negatives(record, keys))?;
        Ok(Raw { place, image: read(image, Part::Image)?, caption, negatives })
    }
}

impl Part {
    /// In words, and the most bytes it may have.
    pub fn bound(&self) -> (&'static str, u64) {
        match self {
            Self::Image => ("image", shard::LARGEST_IMAGE),
            Self::Text => ("caption", shard::LARGEST_TEXT),
            Self::Json => ("JSON", shard::LARGEST_TEXT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<(String, Option<FaultKind>)> {
        let mut groups = Groups::new();
        names.iter().for_each(|name| groups.add(name, ()));
        groups.into_vec().into_iter().map(|group| (group.key.into(), group.wrong)).collect()
    }

    #[test]
    fn names_group_by_webdatasets_rule() {
        let found =
            keys(&["a/1.jpg", "2.JPG", "a/1.txt", "b.c/2.txt", "b.c/2.seg.png", "__meta__.json", "noend", "2.txt"]);
        let wanted = [("a/1", None), ("2", None), ("b.c/2", None)];
        assert_eq!(found, wanted.map(|(key, wrong)| (key.to_owned(), wrong)));
    }

    #[test]
    fn repeated_members_and_names_that_leave_are_wrong() {
        let of = |names: &[&str]| keys(names).remove(0).1;
        assert_eq!(of(&["1.jpg", "1.txt", "1.png"]), None, "two forms of one image");
        assert_eq!(of(&["1.png", "1.jpg", "1.jpg"]), Some(FaultKind::RepeatedMember));
        assert_eq!(of(&["1.txt", "1.jpg", "1.txt"]), Some(FaultKind::RepeatedMember));
        for name in ["../1.jpg", "/etc/1.jpg", "a/../../1.jpg", "C:1.jpg"] {
            assert_eq!(of(&[name]), Some(FaultKind::OutsidePath), "{name}");
        }
        assert_eq!(of(&["a..b/1.jpg"]), None);
        assert!(keys(&["..\\1.jpg"]).is_empty(), "what starts with a dot has no key in webdataset's rule");
    }
}
