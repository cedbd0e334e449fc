//! The prepositions that may take another's place.

/// Weight: relative frequency in Google Books (English, 2019), times 248,796, rounded, at least 1; the table of the
/// paper's release.
#[rustfmt::skip]
pub(super) const PREPOSITIONS: [(&str, u32); 75] = [
    ("of", 6221), ("to", 4918), ("in", 3404), ("for", 1531), ("with", 1342), ("as", 1308), ("on", 1153), ("by", 850),
    ("at", 813), ("from", 786), ("out", 364), ("up", 355), ("into", 335), ("like", 261), ("over", 217), ("through", 186),
    ("between", 169), ("down", 164), ("before", 164), ("after", 159), ("off", 111), ("under", 105), ("around", 104),
    ("without", 103), ("against", 98), ("upon", 88), ("within", 79), ("during", 76), ("until", 67), ("since", 66),
    ("next", 63), ("among", 58), ("following", 57), ("across", 52), ("along", 52), ("including", 49), ("above", 48),
    ("behind", 48), ("past", 44), ("toward", 41), ("outside", 34), ("inside", 33), ("near", 32), ("towards", 32),
    ("beyond", 28), ("below", 25), ("unto", 20), ("onto", 18), ("throughout", 18), ("in front of", 17), ("till", 17),
    ("beside", 13), ("opposite", 12), ("beneath", 11), ("alongside", 5), ("besides", 5), ("unlike", 5),
    ("in addition to", 4), ("in spite of", 4), ("on top of", 4), ("amongst", 4), ("nearest", 4), ("with regard to", 4),
    ("underneath", 3), ("nearer", 3), ("aboard", 2), ("amid", 2), ("in regard to", 2), ("on account of", 2),
    ("on the side of", 2), ("amidst", 1), ("atop", 1), ("in reference to", 1), ("on side of", 1), ("thru", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_sums_up() {
        assert_eq!(PREPOSITIONS.iter().map(|(_, weight)| weight).sum::<u32>(), 26_479);
        assert!(PREPOSITIONS.iter().enumerate().all(|(i, (word, _))| PREPOSITIONS[..i].iter().all(|(w, _)| w != word)));
    }
}
