//! What the app does about fine-tunes: passing commands on, opening weights, showing what was started.

use std::path::PathBuf;

use eframe::egui::Context;

use super::{App, Choice};
use crate::engine::Failure;
use crate::jobs::JobsCommand;
use crate::session::jobs::Trial;
use crate::session::{Gravity, PRESETS};
use crate::ui::ask::JobAsk;
use crate::ui::layout::{self, Pane};

impl App {
    /// Takes in what has happened to jobs, and opens the weights of those that are done.
    pub(super) fn listen_to_jobs(&mut self) {
        let events: Vec<_> = self.jobs_link.events().collect();
        for event in events {
            self.session.apply_jobs(event);
        }
        while let Some(id) = self.session.jobs.started.pop_front() {
            self.jobs.choose(id);
        }
        if let Some(recipe) = self.session.jobs.read.take() {
            self.form.take((*recipe).clone());
        }
        while let Some(id) = self.session.jobs.opening.pop_front() {
            let job = self.session.jobs.get(&id);
            let weights = job.and_then(|job| Some((PathBuf::from(&job.recipe.base), job.weights.clone()?)));
            if let Some((base, tuned)) = weights {
                self.open_both(base, tuned);
            }
        }
    }

    pub(super) fn do_job_ask(&mut self, ctx: &Context, ask: JobAsk) {
        match ask {
            JobAsk::Send(command) => {
                match &command {
                    JobsCommand::Trial(_) => self.session.jobs.trial = Trial::Running,
                    JobsCommand::CancelTrial => self.session.jobs.trial = Trial::None,
                    _ => {}
                }
                self.jobs_link.send(command);
            }
            JobAsk::Start { recipe, open_when_done } => {
                self.session.jobs.await_job(&recipe.name, open_when_done);
                self.jobs_link.send(JobsCommand::Queue(recipe));
                layout::show(&mut self.tree, Pane::Jobs);
            }
            JobAsk::Form(Some(recipe)) => self.form.open(*recipe, None),
            JobAsk::Form(None) => match PRESETS[0].recipe() {
                Ok(recipe) => self.form.open(recipe, None),
                Err(error) => self.complain(&error.to_string()),
            },
            JobAsk::Edit(id) => {
                if let Some(job) = self.session.jobs.get(&id) {
                    self.form.open((*job.recipe).clone(), Some(id));
                }
            }
            JobAsk::Remove(id) => {
                let name = self.session.jobs.get(&id).map(|job| job.recipe.name.clone());
                self.session.jobs.removed = name.map(|name| (id.clone(), name));
                self.jobs_link.send(JobsCommand::Remove(id));
            }
            JobAsk::OpenWhenDone(id, open) => self.session.jobs.open_when_done(&id, open),
            JobAsk::Show(id) => {
                self.jobs.choose(id);
                layout::show(&mut self.tree, Pane::Jobs);
            }
            JobAsk::Use { base, tuned } => self.open_both(base, tuned),
            JobAsk::ChooseRecipe => self.choose(ctx, Choice::Recipe),
            JobAsk::ChooseField { key, is_folder: true } => self.choose(ctx, Choice::FieldFolder(key)),
            JobAsk::ChooseField { key, is_folder: false } => self.choose(ctx, Choice::FieldFile(key)),
        }
    }

    pub(super) fn complain(&mut self, what: &str) {
        self.session.notices.push(Gravity::Failure, Failure::new(what));
    }
}
