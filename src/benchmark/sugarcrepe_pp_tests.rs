use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, choices, skipped};
use crate::benchmark::{Items, sugarcrepe};

fn row(id: usize, file: &str) -> Value {
    json!({"id": id, "filename": file, "caption": "a cat on a blue chair", "caption2": "on a blue chair is a cat",
           "negative_caption": "a cat on a red chair"})
}

#[test]
fn image_and_text_tasks_compare_both_right_captions() {
    let data = Data::new();
    data.image("val2017/1.jpg").json("pp/swap_obj.json", &json!([row(0, "1.jpg"), row(1, "2.jpg")]));
    let tasks = read(data.path()).unwrap();
    let names: Vec<_> = tasks.iter().map(|task| task.task.as_deref().unwrap()).collect();
    assert_eq!(names, ["swap_obj-itt", "swap_obj-tot"]);
    let Items::Duels(duels) = &tasks[1].items else { panic!("not duels") };
    let cells: Vec<Cell> = duels[0].cells().collect();
    assert_eq!(cells, [Cell::Texts(0, 1), Cell::Texts(0, 2), Cell::Texts(0, 1), Cell::Texts(1, 2)]);
    // ITT: s(I,P1) > s(I,N) and s(I,P2) > s(I,N), strictly.
    assert!(tasks[0].judge(0, &[0.5, 0.1, 0.4, 0.1]).right);
    assert!(!tasks[0].judge(0, &[0.5, 0.4, 0.4, 0.4]).right);
    assert_eq!(skipped(&tasks[0]).len(), 1);
}

#[test]
fn it_lives_beside_sugarcrepe_with_the_same_file_names() {
    let data = Data::new();
    data.image("val2017/1.jpg").json("a_pp/swap_att.json", &json!([row(0, "1.jpg")]));
    assert!(!sugarcrepe::exists(data.path()) && exists(data.path()));
    let plain = json!({"0": {"filename": "1.jpg", "caption": "a b", "negative_caption": "b a"}});
    data.json("b/swap_att.json", &plain);
    assert_eq!(choices(&sugarcrepe::read(data.path()).unwrap()[0])[0].captions, ["a b", "b a"]);
    assert_eq!(read(data.path()).unwrap().len(), 2);
}
