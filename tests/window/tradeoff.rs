//! The trade-off's axes, budget and small plots.

use clove::engine::Command;
use clove::patch::{Alpha, AlphaMap};
use eframe::egui::{self, Key};
use egui_kittest::kittest::{NodeT, Queryable};

use super::{linked, press, wanted, window};

#[test]
fn any_score_can_stand_on_either_axis() {
    let (mut window, _script) = window();
    window.get_by_label("Axes and lines…").click();
    window.run_ok();
    window.get_by_label_contains("Gain on y: Composition").click();
    window.run_ok();
    // The lines of the menu and the table name it too, both further down.
    let named = window.get_all_by_label("ARO relation");
    named.min_by(|a, b| a.rect().top().total_cmp(&b.rect().top())).unwrap().click();
    window.run_ok();
    window.get_by_label_contains("α 0.50: ARO relation ");
    window.get_by_label("Trade-off plot, 21 of 21 alphas; the tasks table holds the same numbers");
}

#[test]
fn the_budget_moves_the_best_alpha_by_its_line_and_by_number() {
    let (mut window, _script) = window();
    press(&mut window, Key::B, 1);
    let third = wanted(&window);
    assert!(third > linked(0.0) && third < linked(1.0), "{third:?}");
    let line = window.get_by_label_contains("Line of the best alpha").rect().center();
    window.drag_at(line);
    window.step();
    // To the left: more may be lost.
    for step in 1..=10 {
        window.hover_at(line - egui::vec2(12.0 * step as f32, 0.0));
        window.step();
    }
    window.drop_at(line - egui::vec2(120.0, 0.0));
    window.run_ok();
    press(&mut window, Key::B, 1);
    let more = wanted(&window);
    assert!(more > third, "{more:?} after {third:?}");
    window.get_by_label("Axes and lines…").click();
    window.run_ok();
    window.get_by_label("A third of tuned's").click();
    window.run_ok();
    press(&mut window, Key::Escape, 1);
    press(&mut window, Key::B, 1);
    assert_eq!(wanted(&window), third);
}

#[test]
fn every_task_has_a_small_plot_whose_points_can_be_clicked() {
    let (mut window, _script) = window();
    window.get_by_label("Tasks over alpha").click();
    window.run_ok();
    let cell = window.get_by_label_contains("ARO attribution over alpha: 0.00: ").rect();
    let at = egui::pos2(cell.left() + 4.0 + 0.25 * (cell.width() - 8.0), cell.center().y);
    window.drag_at(at);
    window.drop_at(at);
    window.run_ok();
    assert_eq!(wanted(&window), linked(0.25));
    assert_eq!(window.query_all_by_label_contains(" over alpha: ").count(), 13 + 1, "11 tasks, 2 means, 1 margin");
}

#[test]
fn published_models_are_landmarks_when_asked_for() {
    let (mut window, _script) = window();
    // The scripted benchmarks carry names of their own; ARO's relation has a published counterpart.
    window.get_by_label("Axes and lines…").click();
    window.run_ok();
    let disabled = |window: &super::Window| window.get_by_label("Published models").accesskit_node().is_disabled();
    assert!(disabled(&window), "no published mean over these tasks");
}

#[test]
fn the_map_is_scored_when_asked_for_and_its_cells_can_be_clicked() {
    let (mut window, script) = window();
    window.get_by_label("Map").click();
    window.run_ok();
    window.get_by_label("Score the map").click();
    window.run_ok();
    assert_eq!(super::count(&script.log, |c| *c == Command::RunMap), 1);
    let map = window.get_by_label_contains("Map of 25 pairs of alphas; best α").rect();
    // The second of five rows from below, the fourth of five columns.
    let at = egui::pos2(map.left() + 36.0 + 0.7 * (map.width() - 40.0), map.top() + 4.0 + 0.7 * (map.height() - 40.0));
    window.drag_at(at);
    window.drop_at(at);
    window.run_ok();
    assert_eq!(wanted(&window), AlphaMap::towers(Alpha::clamped(0.25), Alpha::clamped(0.75)));
}

#[test]
fn every_form_of_export_can_be_chosen() {
    let (mut window, _script) = window();
    window.get_by_label("Export…").click();
    window.run_ok();
    for form in ["Report as one HTML page…", "Figure as SVG…", "Figure as PNG…", "Scores as CSV…", "Scores as JSON…"]
    {
        window.get_by_label(form);
    }
}
