//! Words whose class a dictionary of nouns, verbs, adjectives and adverbs cannot tell, and words of captions on which
//! its counts mislead.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::tokens::Tag;

type Words = LazyLock<HashSet<&'static str>>;

/// Closed classes: the one tag of a word, or the one that it has in most captions.
const CLOSED: &[(Tag, &str)] = &[
    (Tag::Dt, "a an the this these those some any every each another no both either neither all half"),
    (Tag::PrpS, "his her their its my our your whose"),
    (
        Tag::Prp,
        "he she it they we i you him them me us himself herself itself themselves someone something everyone \
        everything anyone nobody nothing somebody anything each-other",
    ),
    (Tag::Cc, "and or but & nor"),
    (Tag::To, "to"),
    (Tag::Wp, "who what"),
    (Tag::Wdt, "which"),
    (Tag::Wrb, "where when how why"),
    (Tag::Ex, "there"),
    (Tag::Md, "can could will would should may might must"),
    (Tag::Vbz, "is has does 's ’s"),
    (Tag::Vbp, "are am have do"),
    (Tag::Vbd, "was were had did"),
    (Tag::Vb, "be"),
    (Tag::Vbg, "being having"),
    (Tag::Vbn, "been"),
    (
        Tag::Rb,
        "not n't very too so also together away outside outdoors indoors inside nearby just only almost still \
        already then here now ahead apart alone quite really side-by-side upside even ever back-to-back",
    ),
    (Tag::Cd, "one two three four five six seven eight nine ten eleven twelve twenty thirty hundred thousand dozen"),
    (Tag::Jj, "many several few other various multiple more most much such own same"),
];

/// The tag of a closed-class word.
pub(super) fn closed(word: &str) -> Option<Tag> {
    static TAGS: LazyLock<HashMap<&str, Tag>> = LazyLock::new(|| {
        let row =
            |(tag, words): &(Tag, &'static str)| words.split_whitespace().map(|word| (word, *tag)).collect::<Vec<_>>();
        CLOSED.iter().flat_map(row).collect()
    });
    TAGS.get(word).copied().or_else(|| is_preposition(word).then_some(Tag::In))
}

/// Colours: an adjective before a noun, and never a verb.
pub(super) fn is_colour(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "red blue green yellow orange purple pink brown black white gray grey beige tan turquoise teal maroon \
             navy gold silver golden violet cream burgundy blonde blond crimson scarlet lavender magenta olive khaki \
             ivory",
        )
    });
    WORDS.contains(word)
}

/// Materials and kinds that are nouns before nouns: a glass table, a baby elephant.
pub(super) fn is_noun_before_noun(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "glass plastic metal brick stone leather cotton wool wood steel paper marble concrete baby adult toy \
             kitchen street parking dining living cell chocolate denim silk velvet lace bronze brass ceramic evening \
             morning night fire stop computer christmas winter summer spring autumn mountain country city water rain \
             straw lemon vintage crystal satin linen bamboo aluminum iron copper beach police",
        )
    });
    WORDS.contains(word)
}

/// Nouns in -ing that captions use far more often than the verb.
pub(super) fn is_ing_noun(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "building ceiling clothing wedding evening morning awning railing sibling lighting landing crossing \
             earring ring king string thing wing spring sling icing topping pudding bedding dressing frosting parking \
             housing flooring seating fencing gathering meeting painting drawing duckling stuffing siding wiring \
             engagement-ring something nothing everything anything herring lightning beijing setting covering outing \
             swing",
        )
    });
    WORDS.contains(word)
}

/// Forms in -ing that make one thing with the noun after them and do not describe it: a parking lot, a cutting board.
pub(super) fn is_ing_compound(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "parking dining living swimming shopping cutting washing baking frying fishing sleeping waiting cooking \
             boxing bowling wedding mixing serving sewing training racing sailing bathing boarding steering hiking \
             skiing walking riding rowing drinking seating building packing wrapping writing reading gaming camping \
             climbing surfing landing filing railing meeting changing welding wine-tasting driving running",
        )
    });
    WORDS.contains(word)
}

/// Words that the dictionary counts as verbs first, and captions use as nouns first.
pub(super) fn is_noun_first(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "park top front back side bottom set cut shot show play plant plate court field bear fly duck train bus \
             truck board cup bowl dish lot pair group bunch couple crowd row line cross walk sign light mirror screen \
             phone fence bench bridge hand head face eye shoulder arm view picture photo image print design dress \
             suit shirt coat jacket tie scarf pants shorts jeans meal man woman people iron stove fork spoon ski skis \
             snow rain house home garden yard bed couch pan pot stick rock ring frame tape lock gate horn saddle wave \
             waves surf bat pitch net match race game ball lights signs tops plates glass glasses waters books tracks \
             flowers clothes ties hands eyes arms heads parks shapes stripes prints designs lines boards pipes cars \
             boats ships ship boots heels shoes socks mount mouth cell cone bag bags box boxes drink drinks sauce \
             cream butter salt pepper slice slices piece pieces fish bike bikes color colors colour space end point \
             call help sale mark pattern patterns wall walls floor floors grass brush dirt dust stone frisbee kite \
             kites skate skateboard surfboard skateboards tricks trick tail fur toast use works crafts chairs desk \
             track toilet sink pillow lamp lamps pool hat umbrella cake post poster store shop market stage cattle \
             river",
        )
    });
    WORDS.contains(word)
}

/// Nouns for pictures of things.
pub(super) fn is_depiction(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "picture photo photograph image portrait painting drawing cartoon illustration poster close-up closeup \
             view sketch sculpture statue scene video cover shot print sticker pictures photos images",
        )
    });
    WORDS.contains(word)
}

/// Prepositions and subordinating conjunctions.
pub(super) fn is_preposition(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed(
            "aboard about above across after against along alongside amid amidst among amongst around as at atop \
             because before behind below beneath beside besides between beyond by despite down during except for from \
             if in into like near of off on onto opposite out over past per since than through throughout till toward \
             towards under underneath unlike until up upon via while with within without featuring inside outside",
        )
    });
    WORDS.contains(word)
}

/// Prepositions that stand without an object too: "sits down", "looks up".
pub(super) fn is_particle(word: &str) -> bool {
    static WORDS: Words =
        LazyLock::new(|| listed("up down off out over around on in by through along past across about"));
    WORDS.contains(word)
}

/// Prepositions that open a clause rather than a phrase.
pub(super) fn opens_clause(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| listed("while as because if than since"));
    WORDS.contains(word)
}

/// Adverbs that are prepositions before a noun phrase.
pub(super) fn preposition_before_noun(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| listed("inside outside near nearby opposite around"));
    WORDS.contains(word)
}

/// Forms of be.
pub(super) fn is_form_of_be(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| listed("is are am was were be been being 's ’s isn't aren't"));
    WORDS.contains(word)
}

/// Participles that say where a thing is, so that "by" after them names a place and no agent.
pub(super) fn is_placed(word: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        listed("parked seated located situated stopped docked stationed moored tied anchored gathered")
    });
    WORDS.contains(word)
}

fn listed(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

/// Prepositions of several words that work as one, the longest first: the parser's list of ten, and two that
/// captions use all the time.
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
