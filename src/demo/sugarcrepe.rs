//! SugarCrepe's seven tasks over this world: a true caption and one that a single edit makes false.

use super::draw::Draw;
use super::grammar::{Phrase, Said, Sentence};
use super::layout::Plan;
use super::scene::{Colour, Shape, Texture};

/// The task names, in the order of SugarCrepe's own result file.
pub const TASKS: [&str; 7] =
    ["add_obj", "add_att", "replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att"];

/// The true caption and the negative of one task for a planned scene.
pub(super) fn captions(task: usize, draw: &mut Draw, plan: Plan) -> [String; 2] {
    let truth = Sentence::about(plan, Said::any(draw, plan));
    let negative = match task {
        0 => return object_added(draw, plan),
        1 => return attribute_added(draw, plan),
        2 => truth.shape_replaced(draw, &Shape::ALL),
        3 => truth.attribute_replaced(draw),
        4 => truth.relation_replaced(draw),
        5 => truth.exchanged(),
        _ => truth.attributes_swapped(),
    };
    [truth.to_string(), negative.to_string()]
}

/// “a star and a moon” or the tuned register, against the same “and a heart” that is not there.
fn object_added(draw: &mut Draw, plan: Plan) -> [String; 2] {
    let told = if draw.chance(50) {
        Sentence::about(plan, Said::Colours)
    } else {
        Sentence::about(plan, Said::Nothing).unrelated()
    };
    let mut extra = Phrase::bare(draw.pick_where(&Shape::ALL, |s| plan.kinds.iter().all(|kind| kind.shape != s)));
    if told.relation.is_some() {
        extra.colour = Some(draw.pick(&Colour::ALL));
    }
    [told.to_string(), format!("{told} and {extra}")]
}

/// A caption that leaves one colour (or both textures) unsaid, against the same with a wrong one.
fn attribute_added(draw: &mut Draw, plan: Plan) -> [String; 2] {
    let mut told = Sentence::about(plan, Said::Colours);
    let which = draw.below(2);
    let mut wrong = told;
    if draw.chance(70) {
        told.phrases[which].colour = None;
        let [first, second] = plan.kinds.map(|kind| kind.colour);
        wrong.phrases[which].colour = Some(draw.pick_where(&Colour::ALL, |c| c != first && c != second));
    } else {
        wrong.phrases[which].texture = Some(draw.pick_where(&Texture::ALL, |t| t != plan.kinds[which].texture));
    }
    [told.to_string(), wrong.to_string()]
}
