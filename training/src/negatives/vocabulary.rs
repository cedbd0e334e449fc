//! Words whose class a dictionary of nouns, verbs, adjectives and adverbs cannot tell, and words of captions on which
//! its counts mislead.

use super::tokens::Tag;

/// The one tag of a closed-class word, or the one that it has in most captions.
pub(super) fn closed(word: &str) -> Option<Tag> {
    Some(match word {
        "a" | "an" | "the" | "this" | "these" | "those" | "some" | "any" | "every" | "each" | "another" | "no" | "both"
        | "either" | "neither" | "all" | "half" => Tag::Dt,
        "his" | "her" | "their" | "its" | "my" | "our" | "your" | "whose" => Tag::PrpS,
        "he" | "she" | "it" | "they" | "we" | "i" | "you" | "him" | "them" | "me" | "us" | "himself" | "herself"
        | "itself" | "themselves" | "someone" | "something" | "everyone" | "everything" | "anyone" | "nobody" | "nothing"
        | "somebody" | "anything" | "each-other" => Tag::Prp,
        "and" | "or" | "but" | "&" | "nor" => Tag::Cc,
        "to" => Tag::To,
        "who" | "what" => Tag::Wp,
        "which" => Tag::Wdt,
        "where" | "when" | "how" | "why" => Tag::Wrb,
        "there" => Tag::Ex,
        "can" | "could" | "will" | "would" | "should" | "may" | "might" | "must" => Tag::Md,
        "is" | "has" | "does" | "'s" | "’s" => Tag::Vbz,
        "are" | "am" | "have" | "do" => Tag::Vbp,
        "was" | "were" | "had" | "did" => Tag::Vbd,
        "be" => Tag::Vb,
        "being" | "having" => Tag::Vbg,
        "been" => Tag::Vbn,
        "not" | "n't" | "very" | "too" | "so" | "also" | "together" | "away" | "outside" | "outdoors" | "indoors" | "inside"
        | "nearby" | "just" | "only" | "almost" | "still" | "already" | "then" | "here" | "now" | "ahead" | "apart"
        | "alone" | "quite" | "really" | "side-by-side" | "upside" | "even" | "ever" | "back-to-back" => Tag::Rb,
        "one" | "two" | "three" | "four" | "five" | "six" | "seven" | "eight" | "nine" | "ten" | "eleven" | "twelve"
        | "twenty" | "thirty" | "hundred" | "thousand" | "dozen" => Tag::Cd,
        "many" | "several" | "few" | "other" | "various" | "multiple" | "more" | "most" | "much" | "such" | "own"
        | "same" => Tag::Jj,
        _ if is_preposition(word) => Tag::In,
        _ => return None,
    })
}

/// Prepositions and subordinating conjunctions.
pub(super) fn is_preposition(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "aboard", "about", "above", "across", "after", "against", "along", "alongside", "amid", "amidst", "among",
        "amongst", "around", "as", "at", "atop", "because", "before", "behind", "below", "beneath", "beside", "besides",
        "between", "beyond", "by", "despite", "down", "during", "except", "for", "from", "if", "in", "into", "like", "near",
        "of", "off", "on", "onto", "opposite", "out", "over", "past", "per", "since", "than", "through", "throughout",
        "till", "toward", "towards", "under", "underneath", "unlike", "until", "up", "upon", "via", "while", "with",
        "within", "without", "featuring", "inside", "outside",
    ];
    WORDS.contains(&word)
}

/// Prepositions that stand without an object too: "sits down", "looks up".
pub(super) fn is_particle(word: &str) -> bool {
    ["up", "down", "off", "out", "over", "around", "on", "in", "by", "through", "along", "past", "across", "about"].contains(&word)
}

/// Prepositions that open a clause rather than a phrase.
pub(super) fn opens_clause(word: &str) -> bool {
    ["while", "as", "because", "if", "than", "since"].contains(&word)
}

/// Adverbs that are prepositions before a noun phrase.
pub(super) fn preposition_before_noun(word: &str) -> bool {
    ["inside", "outside", "near", "nearby", "opposite", "around"].contains(&word)
}

pub(super) fn is_form_of_be(word: &str) -> bool {
    ["is", "are", "am", "was", "were", "be", "been", "being", "'s", "’s", "isn't", "aren't"].contains(&word)
}

/// Colours: an adjective before a noun, and never a verb.
pub(super) fn is_colour(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "red", "blue", "green", "yellow", "orange", "purple", "pink", "brown", "black", "white", "gray", "grey", "beige",
        "tan", "turquoise", "teal", "maroon", "navy", "gold", "silver", "golden", "violet", "cream", "burgundy", "blonde",
        "blond", "crimson", "scarlet", "lavender", "magenta", "olive", "khaki", "ivory",
    ];
    WORDS.contains(&word)
}

/// Materials and kinds that are nouns before nouns: a glass table, a baby elephant.
pub(super) fn is_noun_before_noun(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "glass", "plastic", "metal", "brick", "stone", "leather", "cotton", "wool", "wood", "steel", "paper", "marble",
        "concrete", "baby", "adult", "toy", "kitchen", "street", "parking", "dining", "living", "cell", "chocolate", "denim",
        "silk", "velvet", "lace", "bronze", "brass", "ceramic", "evening", "morning", "night", "fire", "stop", "computer",
        "christmas", "winter", "summer", "spring", "autumn", "mountain", "country", "city", "water", "rain", "straw",
        "lemon", "vintage", "crystal", "satin", "linen", "bamboo", "aluminum", "iron", "copper", "beach", "police",
    ];
    WORDS.contains(&word)
}

/// Nouns in -ing that captions use far more often than the verb.
pub(super) fn is_ing_noun(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "building", "ceiling", "clothing", "wedding", "evening", "morning", "awning", "railing", "sibling", "lighting",
        "landing", "crossing", "earring", "ring", "king", "string", "thing", "wing", "spring", "sling", "icing", "topping",
        "pudding", "bedding", "dressing", "frosting", "parking", "housing", "flooring", "seating", "fencing", "gathering",
        "meeting", "painting", "drawing", "duckling", "stuffing", "siding", "wiring", "engagement-ring", "something",
        "nothing", "everything", "anything", "herring", "lightning", "beijing", "setting", "covering", "outing", "swing",
    ];
    WORDS.contains(&word)
}

/// Forms in -ing that make one thing with the noun after them and do not describe it: a parking lot, a cutting board.
pub(super) fn is_ing_compound(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "parking", "dining", "living", "swimming", "shopping", "cutting", "washing", "baking", "frying", "fishing",
        "sleeping", "waiting", "cooking", "boxing", "bowling", "wedding", "mixing", "serving", "sewing", "training",
        "racing", "sailing", "bathing", "boarding", "steering", "hiking", "skiing", "walking", "riding", "rowing",
        "drinking", "seating", "building", "packing", "wrapping", "writing", "reading", "gaming", "camping", "climbing",
        "surfing", "landing", "filing", "railing", "meeting", "changing", "welding", "wine-tasting", "driving", "running",
    ];
    WORDS.contains(&word)
}

/// Words that the dictionary counts as verbs first, and captions use as nouns first.
pub(super) fn is_noun_first(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "park", "top", "front", "back", "side", "bottom", "set", "cut", "shot", "show", "play", "plant", "plate", "court",
        "field", "bear", "fly", "duck", "train", "bus", "truck", "board", "cup", "bowl", "dish", "lot", "pair", "group",
        "bunch", "couple", "crowd", "row", "line", "train", "cross", "walk", "sign", "light", "mirror", "screen", "phone",
        "fence", "bench", "bridge", "hand", "head", "face", "eye", "shoulder", "arm", "view", "picture", "photo", "image",
        "print", "design", "dress", "suit", "shirt", "coat", "jacket", "tie", "scarf", "pants", "shorts", "jeans", "meal",
        "man", "woman", "people", "iron", "stove", "fork", "spoon", "ski", "skis", "snow", "rain", "house", "home",
        "garden", "yard", "bed", "couch", "pan", "pot", "stick", "rock", "ring", "frame", "tape", "lock", "gate", "horn",
        "saddle", "wave", "waves", "surf", "bat", "pitch", "net", "match", "race", "game", "ball", "lights", "signs",
        "tops", "plates", "glass", "glasses", "waters", "books", "tracks", "flowers", "clothes", "ties", "hands", "eyes",
        "arms", "heads", "parks", "shapes", "stripes", "prints", "designs", "lines", "boards", "pipes", "cars", "boats",
        "ships", "ship", "boots", "heels", "shoes", "socks", "mount", "mouth", "cell", "cone", "bag", "bags", "box",
        "boxes", "drink", "drinks", "sauce", "cream", "butter", "salt", "pepper", "slice", "slices", "piece", "pieces",
        "fish", "bike", "bikes", "color", "colors", "colour", "space", "end", "point", "call", "help", "sale", "mark",
        "pattern", "patterns", "wall", "walls", "floor", "floors", "grass", "brush", "dirt", "dust", "stone", "frisbee",
        "kite", "kites", "skate", "skateboard", "surfboard", "skateboards", "tricks", "trick", "tail", "fur", "toast",
        "use", "works", "crafts", "chairs", "desk", "track", "toilet", "sink", "pillow", "lamp", "lamps",
        "pool", "hat", "umbrella", "cake", "post", "poster", "store", "shop", "market", "stage", "cattle", "river",
    ];
    WORDS.contains(&word)
}

/// Participles that say where a thing is, so that "by" after them names a place and no agent.
pub(super) fn is_placed(word: &str) -> bool {
    ["parked", "seated", "located", "situated", "stopped", "docked", "stationed", "moored", "tied", "anchored", "gathered"]
        .contains(&word)
}

/// Prepositions of several words that work as one, the longest first: the parser's list of ten, and "next to".
pub(super) const PHRASAL_PREPOSITIONS: &[&[&str]] = &[
    &["on", "the", "side", "of"],
    &["in", "addition", "to"],
    &["in", "front", "of"],
    &["in", "reference", "to"],
    &["in", "regard", "to"],
    &["in", "spite", "of"],
    &["on", "account", "of"],
    &["on", "top", "of"],
    &["on", "side", "of"],
    &["with", "regard", "to"],
    &["next", "to"],
    &["out", "of"],
];

/// Nouns for pictures of things.
pub(super) fn is_depiction(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "picture", "photo", "photograph", "image", "portrait", "painting", "drawing", "cartoon", "illustration", "poster",
        "close-up", "closeup", "view", "sketch", "sculpture", "statue", "scene", "video", "cover", "shot", "print", "sticker",
        "pictures", "photos", "images",
    ];
    WORDS.contains(&word)
}
