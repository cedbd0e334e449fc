//! Where the panels stand. They can be dragged by their titles; the arrangement is remembered.

use eframe::egui;
use eframe::egui::{Frame, Stroke, Ui, Visuals, WidgetText};
use egui_tiles::{
    Container, Linear, LinearDir, SimplificationOptions, TabState, Tile, TileId, Tiles, Tree, UiResponse,
};

use super::look;

/// One panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pane {
    /// Both checkpoints.
    Models,
    /// The slider.
    Alpha,
    /// The plot.
    Tradeoff,
    /// The table.
    Tasks,
    /// Parts of a task.
    Slices,
    /// What is scored.
    Data,
    /// Fine-tunes.
    Jobs,
    /// What could be set against a caption.
    Negatives,
    /// Pictures and captions.
    Examples,
}

const PANES: [Pane; 9] = [
    Pane::Models,
    Pane::Alpha,
    Pane::Tradeoff,
    Pane::Tasks,
    Pane::Slices,
    Pane::Data,
    Pane::Jobs,
    Pane::Negatives,
    Pane::Examples,
];

impl Pane {
    fn title(self) -> &'static str {
        match self {
            Pane::Models => "Models",
            Pane::Alpha => "Alpha",
            Pane::Tradeoff => "Trade-off",
            Pane::Tasks => "Tasks",
            Pane::Slices => "Slices",
            Pane::Data => "Data",
            Pane::Jobs => "Jobs",
            Pane::Negatives => "Negatives",
            Pane::Examples => "Examples",
        }
    }
}

/// Models and alpha on the left, the trade-off over the tables in the middle, examples on the right.
pub fn default_layout() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let groups: [&[Pane]; 5] = [
        &[Pane::Models],
        &[Pane::Alpha],
        &[Pane::Tradeoff],
        &[Pane::Tasks, Pane::Slices, Pane::Data, Pane::Jobs, Pane::Negatives],
        &[Pane::Examples],
    ];
    let [models, alpha, tradeoff, tables, examples] = groups.map(|group| {
        let panes = group.iter().map(|pane| tiles.insert_pane(*pane)).collect();
        tiles.insert_tab_tile(panes)
    });
    let mut column = |children: Vec<TileId>, shares: &[f32]| {
        let mut linear = Linear::new(LinearDir::Vertical, children.clone());
        for (child, share) in children.iter().zip(shares) {
            linear.shares.set_share(*child, *share);
        }
        tiles.insert_container(Container::Linear(linear))
    };
    let left = column(vec![models, alpha], &[0.68, 0.32]);
    let middle = column(vec![tradeoff, tables], &[0.62, 0.38]);
    let mut root = Linear::new(LinearDir::Horizontal, vec![left, middle, examples]);
    for (child, share) in [(left, 0.21), (middle, 0.47), (examples, 0.32)] {
        root.shares.set_share(child, share);
    }
    let root = tiles.insert_container(Container::Linear(root));
    Tree::new(egui::Id::unique("panels"), root, tiles)
}

/// A remembered arrangement, unless it lost a panel. Panels that an earlier version did not have yet join the tables.
pub fn restored(mut tree: Tree<Pane>) -> Option<Tree<Pane>> {
    let tables = tree.tiles.find_pane(&Pane::Tasks).and_then(|tasks| tree.tiles.parent_of(tasks))?;
    for pane in [Pane::Jobs, Pane::Negatives] {
        if tree.tiles.find_pane(&pane).is_none() {
            let new = tree.tiles.insert_pane(pane);
            match tree.tiles.get_mut(tables) {
                Some(Tile::Container(container)) => container.add_child(new),
                _ => return None,
            }
        }
    }
    is_whole(&tree).then_some(tree)
}

/// Brings a panel to the front of its group.
pub fn show(tree: &mut Tree<Pane>, pane: Pane) {
    tree.make_active(|_, tile| matches!(tile, Tile::Pane(other) if *other == pane));
}

/// Whether an arrangement holds every panel exactly once.
fn is_whole(tree: &Tree<Pane>) -> bool {
    let count =
        |wanted: Pane| tree.tiles.tiles().filter(|tile| matches!(tile, Tile::Pane(pane) if *pane == wanted)).count();
    tree.root().is_some() && PANES.iter().all(|pane| count(*pane) == 1)
}

/// Draws panels: `show` draws the contents of one.
pub struct Panels<F> {
    /// Draws one panel.
    pub show: F,
}

impl<F: FnMut(&mut Ui, Pane)> egui_tiles::Behavior<Pane> for Panels<F> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        ui.painter().rect_filled(ui.max_rect(), 0.0, look::panel(ui.visuals()));
        Frame::new().inner_margin(look::panel_margin()).show(ui, |ui| {
            // The left column must stay usable when the window is low.
            if matches!(pane, Pane::Models | Pane::Alpha) {
                let area = egui::ScrollArea::vertical().id_salt(pane.title()).auto_shrink([false, false]);
                area.show(ui, |ui| (self.show)(ui, *pane));
            } else {
                (self.show)(ui, *pane);
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        egui::RichText::new(pane.title()).text_style(egui::TextStyle::Small).into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn tab_bar_height(&self, _: &egui::Style) -> f32 {
        24.0
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        1.0
    }

    fn min_size(&self) -> f32 {
        120.0
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        match state {
            egui_tiles::ResizeState::Idle => Stroke::new(1.0, look::hairline(&style.visuals)),
            _ => Stroke::new(2.0, look::accent(&style.visuals)),
        }
    }

    fn tab_title_spacing(&self, _: &Visuals) -> f32 {
        12.0
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> egui::Color32 {
        look::panel(visuals)
    }

    fn tab_bar_hline_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(&self, visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> egui::Color32 {
        if state.active { look::strong(visuals) } else { look::weak(visuals) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrangement_that_lost_a_panel_is_not_restored() {
        let tree = default_layout();
        assert!(is_whole(&tree));
        let mut broken = tree;
        let tasks = broken.tiles.find_pane(&Pane::Tasks).unwrap();
        broken.tiles.remove(tasks);
        assert!(!is_whole(&broken) && restored(broken).is_none());
        assert!(restored(Tree::empty(egui::Id::unique("panels"))).is_none());
    }

    #[test]
    fn an_arrangement_of_an_earlier_version_gets_the_new_panels() {
        let mut old = default_layout();
        for pane in [Pane::Jobs, Pane::Negatives] {
            let tile = old.tiles.find_pane(&pane).unwrap();
            old.remove_recursively(tile);
        }
        assert!(!is_whole(&old));
        let mut tree = restored(old).unwrap();
        assert!(is_whole(&tree));
        let group = |tree: &Tree<Pane>, pane| tree.tiles.parent_of(tree.tiles.find_pane(&pane).unwrap());
        assert_eq!(group(&tree, Pane::Jobs), group(&tree, Pane::Tasks));
        show(&mut tree, Pane::Jobs);
        assert!(tree.active_tiles().contains(&tree.tiles.find_pane(&Pane::Jobs).unwrap()));
    }
}
