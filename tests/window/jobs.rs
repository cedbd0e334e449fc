//! Fine-tunes in the window: started by a click, watched, opened, removed and brought back.

use clove::engine::Command;
use clove::jobs::{JobState, JobsCommand, JobsEvent};
use clove::ui::Start;
use eframe::egui::{Key, Modifiers, Role, Theme};
use egui_kittest::kittest::{NodeT, Queryable};

use super::jobs_script::{JobsScript, RUNS, job, recipe};
use super::script::ALPHAS;
use super::{Script, Window, count, window_with};

/// A window whose Jobs panel is in front.
fn panel(jobs: Vec<clove::jobs::JobView>) -> (Window, Script, JobsScript) {
    let start = Start { runs: RUNS.into(), ..Start::default() };
    let (mut window, script, jobs) = window_with([1440.0, 900.0], Theme::Dark, ALPHAS, start, jobs);
    click(&mut window, "Jobs");
    (window, script, jobs)
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_ok();
}

fn id(window: &Window, place: usize) -> clove::jobs::JobId {
    window.state().session().jobs.list[place].id.clone()
}

fn opened(script: &Script, tuned: &str) -> usize {
    let pair = Command::OpenPair { base: "demo:base".into(), tuned: tuned.into() };
    count(&script.log, |command| *command == pair)
}

#[test]
fn one_click_fine_tunes_the_demo_and_its_weights_open_when_it_is_done() {
    let (mut window, script, jobs) = panel(Vec::new());
    assert!(jobs.was_sent(|c| *c == JobsCommand::Watch(RUNS.into())));
    window.get_by_label("No fine-tune yet");
    click(&mut window, "Fine-tune the demo");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Queue(_))));
    let id = id(&window, 0);
    jobs.advance(0, 250, JobState::Running);
    window.run_ok();
    assert!(window.get_by_label("Open when done").accesskit_node().toggled() == Some(true.into()));
    assert_eq!(window.state().session().earlier().len(), 0);
    jobs.advance(0, 600, JobState::Done);
    window.run_ok();
    assert_eq!(opened(&script, &format!("{RUNS}/{id}/weights/hf")), 1);
    let session = window.state().session();
    assert_eq!(session.earlier().len(), 1, "the finished curve before it stays");
    assert!(session.notices.list().iter().any(|notice| notice.summary.contains("is done")));
    window.get_by_label("Hide the earlier curve of demo tuned");
    click(&mut window, "Hide the earlier curve of demo tuned");
    window.get_by_label("Show the earlier curve of demo tuned");
    click(&mut window, "Clear earlier");
    assert!(window.state().session().earlier().is_empty());
}

#[test]
fn a_job_that_is_not_to_open_stays_closed() {
    let (mut window, script, jobs) = panel(Vec::new());
    click(&mut window, "Fine-tune the demo");
    jobs.advance(0, 10, JobState::Running);
    window.run_ok();
    click(&mut window, "Open when done");
    jobs.advance(0, 600, JobState::Done);
    window.run_ok();
    assert_eq!(count(&script.log, |c| matches!(c, Command::OpenPair { .. })), 1, "the demo pair at the start");
    click(&mut window, "Use as tuned");
    let id = id(&window, 0);
    assert_eq!(opened(&script, &format!("{RUNS}/{id}/weights/hf")), 1);
}

#[test]
fn a_checkpoint_opens_while_its_job_runs_and_the_slider_stays_live() {
    let running = job("20261125-093000_demo", recipe("demo"), JobState::Running, 340);
    let (mut window, script, jobs) = panel(vec![running]);
    click(&mut window, "Checkpoints 3");
    click(&mut window, "Use step 200 as tuned");
    assert_eq!(opened(&script, &format!("{RUNS}/20261125-093000_demo/checkpoints/step_000200")), 1);
    window.get_by_label("Alpha of the patch").set_value_accesskit(0.25);
    window.run_ok();
    assert_eq!(script.log.lock().unwrap().last(), Some(&Command::SetAlpha(super::linked(0.25))));
    click(&mut window, "Save now");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Save(_))));
    click(&mut window, "Stop");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Stop(_))));
    window.get_by_label("Stopping…");
}

#[test]
fn a_removed_job_can_be_brought_back() {
    let (mut window, _script, jobs) = panel(vec![
        job("20261125-093100_other", recipe("other"), JobState::Done, 600),
        job("20261125-093000_demo", recipe("demo"), JobState::Stopped, 100),
    ]);
    window.get_by_label_contains("demo, stopped · 100 of 600 steps").click();
    window.run_ok();
    click(&mut window, "Remove");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Remove(id) if id.0.ends_with("demo"))));
    assert_eq!(window.state().session().jobs.list.len(), 1);
    click(&mut window, "Undo");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Restore(id) if id.0.ends_with("demo"))));
    assert!(window.query_by_label("Undo").is_none());
    window.get_by_label_contains("demo, stopped · 100 of 600 steps");
}

#[test]
fn the_queue_can_be_put_in_another_order() {
    let queued = |name: &str, place| {
        let mut queued = job(&format!("20261125-09300{place}_{name}"), recipe(name), JobState::Queued, 0);
        queued.place = Some(place);
        queued
    };
    let running = job("20261125-092900_now", recipe("now"), JobState::Running, 20);
    let (mut window, _script, jobs) = panel(vec![queued("second", 1), queued("first", 0), running]);
    window.get_by_label_contains("second, queued, place 2").click();
    window.run_ok();
    assert!(window.get_by_label("Later in the queue").accesskit_node().is_disabled());
    click(&mut window, "Earlier in the queue");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::MoveUp(id) if id.0.ends_with("second"))));
    click(&mut window, "Edit…");
    field(&window, "Steps").focus();
    window.run_ok();
    field(&window, "Steps").type_text("0");
    settle(&mut window);
    click(&mut window, "Save recipe");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Edit(_, recipe) if recipe.steps == 6000)));
}

/// The box of a field; its name is a label too.
fn field<'a>(window: &'a Window, name: &'a str) -> egui_kittest::Node<'a> {
    window.get_by_role_and_label(Role::TextInput, name)
}

fn list(window: &Window) -> egui_kittest::Node<'_> {
    window.get_by_role_and_label(Role::MultilineTextInput, "Data")
}

/// Past the pause after which a recipe is checked.
fn settle(window: &mut Window) {
    for _ in 0..4 {
        window.step();
    }
    window.run_ok();
}

#[test]
fn the_form_checks_a_recipe_times_it_and_queues_it() {
    let running = job("20261125-092900_now", recipe("now"), JobState::Running, 20);
    let (mut window, _script, jobs) = panel(vec![running]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::T);
    settle(&mut window);
    window.get_by_label("Free disk: Caution");
    window.get_by_label("Base: Fine");
    click(&mut window, "Time three steps");
    window.get_by_label_contains("s a step · 206 pairs/s");
    field(&window, "Batch").focus();
    window.run_ok();
    field(&window, "Batch").type_text("x");
    settle(&mut window);
    window.get_by_label_contains("is no whole number");
    window.get_by_label("Run · 1 field to correct");
    assert!(window.get_by_label("Queue").accesskit_node().is_disabled());
    window.key_press(Key::Backspace);
    settle(&mut window);
    click(&mut window, "Queue");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Queue(_))));
    assert!(window.query_by_label("Before the start").is_none(), "the form is closed");
}

#[test]
fn what_is_in_the_way_keeps_a_recipe_from_starting() {
    let (mut window, _script, jobs) = panel(Vec::new());
    click(&mut window, "Fine-tune…");
    list(&window).focus();
    window.run_ok();
    list(&window).type_text("/data/missing");
    settle(&mut window);
    window.get_by_label("Data: In the way");
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    let mut other = recipe("from-a-file");
    other.steps = 77;
    jobs.events.send(JobsEvent::RecipeRead(other.into())).unwrap();
    settle(&mut window);
    click(&mut window, "Start");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Queue(recipe) if recipe.steps == 77)));
}

#[test]
fn failures_say_why_in_the_panel_and_as_a_notice() {
    let running = job("20261125-093000_demo", recipe("demo"), JobState::Running, 300);
    let (mut window, _script, jobs) = panel(vec![running]);
    jobs.advance(0, 371, JobState::Failed);
    window.run_ok();
    window.get_by_label("the loss is not a number at step 371; the last good checkpoint is step 300");
    let notices = window.state().session().notices.list();
    assert!(notices.iter().any(|notice| notice.summary.starts_with("demo failed: the loss is not a number")));
    click(&mut window, "Resume");
    assert!(jobs.was_sent(|c| matches!(c, JobsCommand::Resume(_))));
}
