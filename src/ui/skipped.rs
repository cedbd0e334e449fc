//! Items that cannot be scored: how many, whether too many to trust the score, and which.

use eframe::egui::{self, RichText, ScrollArea, Ui};

use super::look::{self, words};

/// Height of the list of items, in points.
const LIST: f32 = 280.0;

/// Whether more than 1 % of the items cannot be scored, so that the score is one of another set.
pub fn is_too_many(scored: usize, skipped: usize) -> bool {
    skipped.saturating_mul(100) > scored.saturating_add(skipped)
}

/// A count with its mark.
pub fn count_text(ui: &Ui, scored: usize, skipped: usize) -> RichText {
    let count = words::count(skipped);
    if is_too_many(scored, skipped) {
        return look::digits(format!("⚠ {count}")).small().color(ui.visuals().error_fg_color);
    }
    let text = look::digits(count).small();
    if skipped > 0 { text.color(ui.visuals().warn_fg_color) } else { text }
}

/// What a mark means.
pub fn hover(scored: usize, skipped: usize) -> String {
    let share = 100.0 * skipped as f64 / (scored + skipped).max(1) as f64;
    let verdict = if is_too_many(scored, skipped) { ": more than 1 %, so the score is marked" } else { "" };
    format!("{share:.2} % of the items cannot be scored{verdict}")
}

/// The count, which opens the list of items with their reasons.
pub fn skipped_ui(ui: &mut Ui, title: &str, scored: usize, items: &[(String, String)]) {
    let text = count_text(ui, scored, items.len());
    if items.is_empty() {
        ui.label(text);
        return;
    }
    let menu = ui.menu_button(text, |ui| list_ui(ui, items));
    let response = menu.response.on_hover_text(format!("{}; click for the list", hover(scored, items.len())));
    let name = format!("Skipped items of {title}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
}

fn list_ui(ui: &mut Ui, items: &[(String, String)]) {
    ui.set_min_width(420.0);
    if ui.button("Copy the list").clicked() {
        let lines: Vec<String> = items.iter().map(|(item, reason)| format!("{item}\t{reason}")).collect();
        ui.ctx().copy_text(lines.join("\n"));
    }
    let height = ui.text_style_height(&egui::TextStyle::Small);
    ScrollArea::both().max_height(LIST).auto_shrink([false, true]).show_rows(ui, height, items.len(), |ui, shown| {
        for (item, reason) in items.get(shown).unwrap_or_default() {
            ui.label(RichText::new(format!("{item}: {reason}")).small());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_a_hundred_is_too_many() {
        assert!(!is_too_many(99, 1) && is_too_many(98, 1));
        assert!(!is_too_many(0, 0) && is_too_many(0, 1));
        assert_eq!(hover(98, 2), "2.00 % of the items cannot be scored: more than 1 %, so the score is marked");
    }
}
