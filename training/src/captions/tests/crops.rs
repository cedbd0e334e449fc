//! The crop's box against torchvision's own (`training/reference/captions.py`).

use super::super::crop::{Chance, Draws, crop_box};
use super::golden;
use crate::captions::CropBox;
use crate::captions::chance::{Purpose, stream};
use serde_json::Value;

/// Numbers that torchvision drew.
struct Recorded {
    areas: Vec<f64>,
    aspects: Vec<f64>,
    places: Vec<u32>,
}

impl Draws for Recorded {
    fn area(&mut self) -> f64 {
        self.areas.remove(0)
    }

    fn aspect(&mut self) -> f64 {
        self.aspects.remove(0)
    }

    fn below(&mut self, end: u32) -> u32 {
        let place = self.places.remove(0);
        assert!(place < end);
        place
    }
}

fn reference() -> Value {
    serde_json::from_slice(&std::fs::read(golden("crop_boxes.json")).unwrap()).unwrap()
}

fn of<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn the_same_draws_give_torchvisions_box() {
    let (mut fallen_back, mut found) = (0, 0);
    for case in reference()["boxes"].as_array().unwrap() {
        let [width, height]: [u32; 2] = of(&case["image"]);
        let [x, y, w, h]: [u32; 4] = of(&case["box"]);
        let places: Vec<u32> = of(&case["places"]);
        if places.is_empty() {
            fallen_back += 1;
        } else {
            found += 1;
        }
        let mut draws = Recorded { areas: of(&case["areas"]), aspects: of(&case["aspects"]), places };
        assert_eq!(crop_box(width, height, &mut draws), CropBox { x, y, width: w, height: h }, "{case}");
        assert!(draws.areas.is_empty() && draws.places.is_empty(), "as many draws as torchvision: {case}");
    }
    assert!(fallen_back > 20 && found > 50, "{fallen_back} {found}");
}

#[test]
fn boxes_are_distributed_as_torchvisions() {
    const COUNT: usize = 40_000;
    for case in reference()["distribution"].as_array().unwrap() {
        let ([width, height], area): ([u32; 2], [f64; 2]) = (of(&case["image"]), of(&case["scale"]));
        let draw = |i| crop_box(width, height, &mut Chance { rng: &mut stream(3, Purpose::Crop, i), area });
        let boxes: Vec<CropBox> = (0..COUNT as u64).map(draw).collect();
        let all = f64::from(width * height);
        let mut areas: Vec<f64> = boxes.iter().map(|b| f64::from(b.width * b.height) / all).collect();
        let mut aspects: Vec<f64> = boxes.iter().map(|b| f64::from(b.width) / f64::from(b.height)).collect();
        for (name, values) in [("area", &mut areas), ("aspect", &mut aspects)] {
            values.sort_unstable_by(f64::total_cmp);
            let mean = values.iter().sum::<f64>() / COUNT as f64;
            let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| values[(share * (COUNT - 1) as f64) as usize]);
            let wanted: Vec<f64> = of(&case[name]);
            for (ours, theirs) in std::iter::once(mean).chain(quantiles).zip(wanted) {
                assert!((ours - theirs).abs() < 0.006, "{name} of {width} x {height}: {ours} {theirs}");
            }
        }
        let share = |count: usize| count as f64 / COUNT as f64;
        let whole = share(boxes.iter().filter(|b| (b.width, b.height) == (width, height)).count());
        let place = |b: &CropBox| f64::from(b.x) / f64::from((width - b.width).max(1));
        let x = boxes.iter().map(place).sum::<f64>() / COUNT as f64;
        // Standard deviations of both sides' shares: below 0.0035.
        for (ours, theirs) in [(whole, &case["whole"]), (x, &case["x"])] {
            assert!((ours - theirs.as_f64().unwrap()).abs() < 0.014, "{width} x {height}: {ours} {theirs}");
        }
    }
}

#[test]
fn a_box_lies_in_any_image() {
    for (i, side) in [1u32, 2, 3, 5, 1000, 65_535].into_iter().enumerate() {
        for other in [1u32, 2, 7, 65_535] {
            let rng = &mut stream(0, Purpose::Crop, i as u64);
            let found = crop_box(side, other, &mut Chance { rng, area: [0.9, 1.0] });
            assert!(found.width >= 1 && found.x + found.width <= side, "{found:?}");
            assert!(found.height >= 1 && found.y + found.height <= other, "{found:?}");
        }
    }
}
