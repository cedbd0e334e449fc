//! Published weights whose activation is known though their files do not tell it.
//!
//! Hashes: the SHA-256 in OpenAI's download addresses (`clip/clip.py`), and the first eight digits in the file names of
//! open_clip's releases (`open_clip/pretrained.py`). Names: NegCLIP (`model_zoo/__init__.py` of
//! vision-language-models-are-bows), CLoVe (its README) and MetaCLIP (`pretrained.py`), which publish no hash. Evaluating
//! NegCLIP with the wrong activation changed published results (vision-language-models-are-bows#35, sugar-crepe#7).

use super::architecture::Architecture;
use crate::kernels::Activation::{self, Gelu, QuickGelu};

struct Release {
    name: &'static str,
    /// First digits of the file's SHA-256, or nothing where none is published.
    sha256: &'static str,
    /// The published file name, which counts only for a model of that `size`, and only where there is no hash.
    file: &'static str,
    /// Width and patch size of the image tower.
    size: (usize, usize),
    activation: Activation,
}

const fn hashed(name: &'static str, sha256: &'static str, size: (usize, usize), activation: Activation) -> Release {
    Release { name, sha256, file: "", size, activation }
}

const fn named(name: &'static str, file: &'static str, size: (usize, usize)) -> Release {
    Release { name, sha256: "", file, size, activation: QuickGelu }
}

const B32: (usize, usize) = (768, 32);
const B16: (usize, usize) = (768, 16);
const L14: (usize, usize) = (1024, 14);

const RELEASES: [Release; 21] = [
    hashed("OpenAI ViT-B/32", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", B32, QuickGelu),
    hashed("OpenAI ViT-B/16", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", B16, QuickGelu),
    hashed("OpenAI ViT-L/14", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", L14, QuickGelu),
    hashed("OpenAI ViT-L/14@336", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02", L14, QuickGelu),
    hashed("LAION-400M ViT-B/32 (epoch 31)", "d867053b", B32, QuickGelu),
    hashed("LAION-400M ViT-B/32 (epoch 32)", "46683a32", B32, QuickGelu),
    hashed("LAION-2B ViT-B/32 (epoch 16)", "af8dbd0c", B32, Gelu),
    hashed("LAION-400M ViT-B/16 (epoch 31)", "00efa78f", B16, Gelu),
    hashed("LAION-400M ViT-B/16 (epoch 32)", "55e67d44", B16, Gelu),
    hashed("LAION-400M ViT-B/16+ (epoch 31)", "8fb26589", (896, 16), Gelu),
    hashed("LAION-400M ViT-B/16+ (epoch 32)", "699c4b84", (896, 16), Gelu),
    hashed("LAION-400M ViT-L/14 (epoch 31)", "69988bb6", L14, Gelu),
    hashed("LAION-400M ViT-L/14 (epoch 32)", "3d133497", L14, Gelu),
    named("NegCLIP", "negclip.pth", B32),
    named("CLoVe", "clove_without_patching.pt", B32),
    named("MetaCLIP ViT-B/32 400M", "b32_400m.pt", B32),
    named("MetaCLIP ViT-B/32 2.5B", "b32_fullcc2.5b.pt", B32),
    named("MetaCLIP ViT-B/16 400M", "b16_400m.pt", B16),
    named("MetaCLIP ViT-B/16 2.5B", "b16_fullcc2.5b.pt", B16),
    named("MetaCLIP ViT-L/14 400M", "l14_400m.pt", L14),
    named("MetaCLIP ViT-L/14 2.5B", "l14_fullcc2.5b.pt", L14),
];

/// The activation of a published file, and how it was recognised.
pub(super) fn activation(sha256: &str, file: &str, architecture: &Architecture) -> Option<(Activation, String)> {
    let size = (architecture.vision.width, architecture.patch_size);
    let release = RELEASES.iter().find(|release| {
        let is_same = if release.sha256.is_empty() { file == release.file } else { sha256.starts_with(release.sha256) };
        is_same && size == release.size
    })?;
    let how = if release.sha256.is_empty() { "file name" } else { "SHA-256" };
    Some((release.activation, format!("the {} release, known by its {how}", release.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_known_by_hash_or_by_name_and_size() {
        let b32 = Architecture::vit_b_32();
        let sha256 = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af";
        let (found, how) = activation(sha256, "renamed.pt", &b32).unwrap();
        assert_eq!((found, how.as_str()), (QuickGelu, "the OpenAI ViT-B/32 release, known by its SHA-256"));
        let other = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950ae";
        assert_eq!(activation(other, "ViT-B-32.pt", &b32), None);
        let laion = format!("af8dbd0c{}", &sha256[8..]);
        assert_eq!(activation(&laion, "x", &b32).unwrap().0, Gelu);
        assert_eq!(activation(&laion, "x", &Architecture { patch_size: 16, ..b32 }), None);
        let (found, how) = activation("", "negclip.pth", &b32).unwrap();
        assert!(found == QuickGelu && how == "the NegCLIP release, known by its file name");
        assert_eq!(activation("", "negclip.pth", &Architecture { patch_size: 14, ..b32 }), None);
        assert_eq!(activation("", "", &b32), None);
    }
}
