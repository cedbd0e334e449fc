//! The app: `logic` listens to the engine and the jobs, `ui` draws, and what the panels ask is done in between.

mod choices;
mod dropped;
mod ends;
mod export;
mod jobs;

use std::path::PathBuf;
use std::time::Instant;

use eframe::Storage;
use eframe::egui::{CentralPanel, Context, Frame, Margin, Panel, Ui};
use egui_tiles::Tree;

use super::alpha_panel::{AlphaState, alpha_panel_ui};
use super::ask::{Ask, JobAsk};
use super::chooser::{Choice, Chooser};
use super::data_panel::{DataState, data_panel_ui};
use super::example_list::Filter;
use super::examples_panel::{ExamplesState, examples_panel_ui};
use super::frame_times::FrameTimes;
use super::jobs::{FormState, JobsState, form_window_ui, jobs_panel_ui};
use super::layout::{self, Pane, Panels};
use super::models_panel::{self, ModelsState, models_panel_ui};
use super::negatives_panel::{NegativesState, negatives_panel_ui};
use super::notices::{NoticesState, notices_window_ui, toasts_ui};
use super::screenshot::Screenshot;
use super::shortcuts::{self, Action, shortcuts_window_ui};
use super::slices_panel::{SlicesState, slices_panel_ui};
use super::tasks_panel::tasks_panel_ui;
use super::thumbnails::Pictures;
use super::tradeoff::{TradeoffState, tradeoff_panel_ui};
use super::typed_path::{TypedPath, typed_path_ui};
use super::{look, status_line::status_line_ui, top_bar::top_bar_ui};
use crate::engine::{Command, End, Event, ExampleId, Link};
use crate::jobs::{JobsCommand, Link as JobsLink};
use crate::patch::{Alpha, AlphaMap};
use crate::report::View;
use crate::session::{Gravity, Session};

/// The key under which the arrangement of the panels is remembered.
const LAYOUT: &str = "layout";

/// What the app opens with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The base checkpoint; both ends or none give a pair at once.
    pub base: Option<PathBuf>,
    /// The tuned checkpoint.
    pub tuned: Option<PathBuf>,
    /// The folder of benchmarks; the demo world's without.
    pub data: Option<PathBuf>,
    /// What runs the towers, until the engine says it itself.
    pub device: String,
    /// The folder of fine-tunes.
    pub runs: PathBuf,
    /// Results of earlier sweeps, which are shown and not computed again.
    pub results: Option<PathBuf>,
}

/// The window's contents.
pub struct App {
    link: Link,
    jobs_link: JobsLink,
    session: Session,
    device: String,
    ends: [Option<PathBuf>; 2],
    acted_on: u64,
    sweep_held: bool,
    tree: Tree<Pane>,
    models: ModelsState,
    alpha: AlphaState,
    tradeoff: TradeoffState,
    slices: SlicesState,
    data: DataState,
    jobs: JobsState,
    form: FormState,
    negatives: NegativesState,
    examples: ExamplesState,
    pictures: Pictures,
    notices: NoticesState,
    shortcuts_open: bool,
    chooser: Chooser,
    typed_path: Option<TypedPath>,
    /// What is to be exported once a file is chosen.
    export_view: Option<Box<View>>,
    frame_times: FrameTimes,
    pub(super) screenshot: Option<Screenshot>,
}

impl App {
    /// Sets the style, asks the engine for the pair and the data, has the runs folder watched, and restores the
    /// arrangement of the panels.
    pub fn new(
        ctx: &Context,
        storage: Option<&dyn Storage>,
        (link, jobs_link): (Link, JobsLink),
        start: Start,
    ) -> Self {
        look::apply(ctx);
        let remembered = storage.and_then(|s| eframe::get_value::<Tree<Pane>>(s, LAYOUT)).and_then(layout::restored);
        let mut app = Self {
            link,
            jobs_link,
            session: Session::default(),
            device: start.device,
            ends: [None, None],
            acted_on: 0,
            sweep_held: false,
            tree: remembered.unwrap_or_else(layout::default_layout),
            models: ModelsState::default(),
            alpha: AlphaState::default(),
            tradeoff: TradeoffState::default(),
            slices: SlicesState::default(),
            data: DataState::default(),
            jobs: JobsState::new(start.runs.clone()),
            form: FormState::default(),
            negatives: NegativesState::default(),
            examples: ExamplesState::default(),
            pictures: Pictures::default(),
            notices: NoticesState::default(),
            shortcuts_open: false,
            chooser: Chooser::default(),
            typed_path: None,
            export_view: None,
            frame_times: FrameTimes::default(),
            screenshot: None,
        };
        app.name_ends(start.base, start.tuned);
        app.link.send(Command::UseResults(start.results));
        app.link.send(Command::OpenData { folder: start.data });
        app.jobs_link.send(JobsCommand::Watch(start.runs));
        app.open_pair();
        app
    }

    /// What the window knows.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How long drawing takes.
    pub fn frame_times(&mut self) -> &mut FrameTimes {
        &mut self.frame_times
    }

    /// A new pair or new data voids what the engine was told before: tell it again.
    fn catch_up(&mut self) {
        if self.acted_on == self.session.generation() {
            return;
        }
        self.acted_on = self.session.generation();
        if let Some(pair) = &self.session.pair {
            self.ends = [Some(pair.base.path.clone()), Some(pair.tuned.path.clone())];
        }
        if self.session.data.is_none() {
            return;
        }
        self.examples.refresh(&self.session);
        let first = self.session.focused.or_else(|| self.examples.list.ids.first().copied());
        if self.session.pair.is_some() {
            self.link.send(Command::SetAlpha(self.session.wanted()));
        }
        if let Some(id) = first {
            self.focus(id);
        }
        if self.session.pair.is_some() {
            self.link.send(Command::RunSweep(!self.sweep_held));
        }
    }

    fn focus(&mut self, id: ExampleId) {
        self.session.follow(Some(id));
        self.link.send(Command::Focus(Some(id)));
    }

    fn do_as_asked(&mut self, ctx: &Context, asks: Vec<Ask>) {
        for ask in asks {
            match ask {
                Ask::Alpha(alpha) => {
                    if alpha != self.session.wanted() {
                        self.session.want(alpha);
                        self.link.send(Command::SetAlpha(alpha));
                    }
                }
                Ask::ChooseEnd(end) => self.choose(ctx, Choice::Checkpoint(end)),
                Ask::ChooseData => self.choose(ctx, Choice::Data),
                Ask::TakeEnd(end, path) => self.take_end(end, path.into()),
                Ask::TakeData(folder) => self.link.send(Command::OpenData { folder: Some(folder.into()) }),
                Ask::Activation(end, activation) => {
                    self.models.activations[end.place()] = activation;
                    self.open_pair();
                }
                Ask::Fetch(end, name) => self.link.send(Command::Fetch { end, name }),
                Ask::StopFetch(end) => self.link.send(Command::StopFetch(end)),
                Ask::DemoPair => self.open_both("demo:base".into(), "demo:tuned".into()),
                Ask::DemoData => self.link.send(Command::OpenData { folder: None }),
                Ask::UseData(chosen, limit) => self.link.send(Command::ChooseData { chosen, limit }),
                Ask::Focus(id) => self.focus(id),
                Ask::ShowBenchmark(place) => {
                    self.examples.filter = Filter { benchmark: Some(place), ..Filter::default() };
                }
                Ask::ShowSlice(benchmark, tag) => {
                    let verdict = self.examples.filter.verdict;
                    self.examples.filter = Filter { benchmark, verdict, tag: Some(tag), ..Filter::default() };
                }
                Ask::CompareWith(alpha) => self.session.compare_with(alpha),
                Ask::Thumbnails(images) => self.link.send(Command::ShowThumbnails(images)),
                Ask::Picture(image) => self.link.send(Command::ShowPicture(image)),
                Ask::Sweep(run) => {
                    self.sweep_held = !run;
                    self.link.send(Command::RunSweep(run));
                }
                Ask::Map => self.link.send(Command::RunMap),
                Ask::Negatives { caption, seed } => self.link.send(Command::PreviewNegatives { caption, seed }),
                Ask::Job(ask) => self.do_job_ask(ctx, ask),
                Ask::ShowEarlier(id, shown) => self.session.show_earlier(id, shown),
                Ask::ForgetEarlier => self.session.forget_earlier(),
                Ask::Complain(what) => self.complain(&what),
                Ask::Export(kind, view) => self.choose_export(ctx, kind, view),
                Ask::Notices => self.notices.open = !self.notices.open,
                Ask::Shortcuts => self.shortcuts_open = !self.shortcuts_open,
                Ask::ResetLayout => self.tree = layout::default_layout(),
            }
        }
    }

    fn shortcuts(&mut self, ctx: &Context, asks: &mut Vec<Ask>) {
        for action in shortcuts::pressed(ctx) {
            match action {
                Action::OpenBase => asks.push(Ask::ChooseEnd(End::Base)),
                Action::OpenTuned => asks.push(Ask::ChooseEnd(End::Tuned)),
                Action::OpenData => asks.push(Ask::ChooseData),
                Action::FineTune => asks.push(Ask::Job(JobAsk::Form(None))),
                Action::NextFailure => {
                    let next = self.examples.list.next_wrong(&self.session, self.session.focused);
                    if let Some(id) = next {
                        self.examples.reveal(id);
                        asks.push(Ask::Focus(id));
                    }
                }
                Action::Best => {
                    asks.extend(self.tradeoff.best().map(|p| Ask::Alpha(AlphaMap::one(Alpha::clamped(p.alpha)))));
                }
                Action::Base => asks.push(Ask::Alpha(AlphaMap::BASE)),
                Action::Tuned => asks.push(Ask::Alpha(AlphaMap::TUNED)),
                Action::Sweep => {
                    let open = self.session.progress.as_ref().filter(|p| p.done < p.total);
                    asks.extend(open.map(|p| Ask::Sweep(p.paused)));
                }
                Action::Notices => asks.push(Ask::Notices),
                Action::Help => asks.push(Ask::Shortcuts),
            }
        }
    }

    fn draw(&mut self, ui: &mut Ui, asks: &mut Vec<Ask>) {
        let bar = |ui: &Ui| Frame::new().fill(look::panel(ui.visuals())).inner_margin(Margin::symmetric(12, 0));
        let Self {
            session,
            tree,
            models,
            alpha,
            tradeoff,
            slices,
            data,
            examples,
            pictures,
            chooser,
            jobs,
            negatives,
            ..
        } = self;
        Panel::top("top").exact_size(40.0).frame(bar(ui)).show(ui, |ui| {
            top_bar_ui(ui, session, &self.device, asks);
        });
        Panel::bottom("status").exact_size(28.0).frame(bar(ui)).show(ui, |ui| status_line_ui(ui, session, asks));
        tradeoff.refresh(session);
        CentralPanel::default().frame(Frame::new().fill(look::hairline(ui.visuals()))).show(ui, |ui| {
            let show = |ui: &mut Ui, pane: Pane| match pane {
                Pane::Models => models_panel_ui(ui, session, chooser.is_open(), models, asks),
                Pane::Alpha => alpha_panel_ui(ui, session, tradeoff.best(), alpha, asks),
                Pane::Tradeoff => tradeoff_panel_ui(ui, session, tradeoff, asks),
                Pane::Tasks => tasks_panel_ui(ui, session, asks),
                Pane::Slices => slices_panel_ui(ui, session, examples.filter.benchmark, slices, asks),
                Pane::Data => data_panel_ui(ui, session, data, asks),
                Pane::Jobs => jobs_panel_ui(ui, session, jobs, asks),
                Pane::Negatives => negatives_panel_ui(ui, session, negatives, asks),
                Pane::Examples => examples_panel_ui(ui, session, examples, pictures, asks),
            };
            tree.ui(&mut Panels { show }, ui);
        });
        if !ui.input(|i| i.raw.hovered_files.is_empty()) {
            let pointer = ui.input(|i| i.pointer.latest_pos());
            models_panel::drop_target_ui(ui, models, models_panel::dropped_on(models, pointer, session));
        }
    }

    /// Whether a picture taken now shows all there is to see.
    fn is_settled(&self) -> bool {
        let session = &self.session;
        let focus = session.focused.is_none() || !session.focus_is_stale();
        let image = session.focused.and_then(|id| session.image_of(id));
        let pictures = image.is_none_or(|i| self.pictures.large.has(i)) && session.arrived.is_empty();
        session.is_swept() && focus && pictures && self.examples.has_pictures(session, &self.pictures)
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        let events: Vec<_> = self.link.events().collect();
        for event in events {
            if let Event::FetchEnded { end, name, complete: true } = &event {
                self.take_fetched(*end, name);
            }
            self.session.apply(event);
        }
        self.listen_to_jobs();
        self.catch_up();
        self.take_choice();
        self.take_dropped(ctx);
        self.pictures.take(ctx, &mut self.session);
        let ready = self.screenshot.is_some() && self.is_settled();
        if let Some(screenshot) = &mut self.screenshot {
            let failed = self.session.notices.list().iter().find(|n| n.gravity == Gravity::Failure);
            if let Some(notice) = failed {
                screenshot.give_up(notice.summary.clone());
            }
            screenshot.advance(ctx, ready);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        let began = Instant::now();
        let ctx = ui.ctx().clone();
        let mut asks = Vec::new();
        self.shortcuts(&ctx, &mut asks);
        self.draw(ui, &mut asks);
        form_window_ui(&ctx, &self.session, &mut self.form, &mut asks);
        toasts_ui(&ctx, &self.session.notices, &mut self.notices);
        notices_window_ui(&ctx, &mut self.session.notices, &mut self.notices);
        if let Some((choice, path)) = typed_path_ui(&ctx, &mut self.typed_path) {
            self.take(choice, path.into(), false);
        }
        if shortcuts_window_ui(&ctx, &mut self.shortcuts_open) {
            asks.push(Ask::ResetLayout);
        }
        if !asks.is_empty() {
            // What was asked changes what is drawn.
            ctx.request_repaint();
        }
        self.do_as_asked(&ctx, asks);
        self.frame_times.push(began.elapsed());
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        if self.screenshot.is_none() {
            eframe::set_value(storage, LAYOUT, &self.tree);
        }
    }

    fn persist_egui_memory(&self) -> bool {
        self.screenshot.is_none()
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.link.send(Command::Quit);
        self.jobs_link.send(JobsCommand::Quit);
    }
}
