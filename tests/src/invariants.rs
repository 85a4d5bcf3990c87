//! What holds between any two steps, and what is left at the end.

use crate::sim::SimMachine;
use crate::world::World;
use abi::stops::{INFO, PLACE_WORDS, REGISTERS, REGS, SIGINFO, STATUS, UNSEEN, WHAT};
use abi::tracer::Event;
use procmgr::Procmgr;
use procmgr::inspect::{Standing, TaskSurvey};
use procmgr::trace::Attached;

/// What is looked at.
pub struct Seen<'a> {
    /// The hardware.
    pub machine: &'a SimMachine,
    /// The process manager.
    pub procmgr: &'a Procmgr,
    /// The tracer, unless it is at work.
    pub tracer: Option<&'a tracer::Tracer>,
    /// The file server, unless it is at work.
    pub fs: Option<&'a fs::Fs>,
    /// Frames that were free when the servers had started.
    pub frames_at_start: usize,
}

impl World {
    /// What is checked of it.
    pub fn seen(&self) -> Seen<'_> {
        Seen {
            machine: &self.machine,
            procmgr: &self.procmgr,
            tracer: self.tracer(),
            fs: self.fs(),
            frames_at_start: self.frames_at_start,
        }
    }
}

/// Between two steps. What a server keeps is not known while it is at work.
pub fn check(world: &Seen<'_>) {
    let survey = world.procmgr.survey();
    let kept_by_tracer = world.tracer.map(tracer::Tracer::kept);
    let kept_by_fs = world.fs.map(fs::Fs::kept);
    let fs_at_it = world.machine.fs_answer.is_some();
    for task in &survey {
        check_thread(world, task);
        match task.standing {
            Standing::Held(_) if task.queued => {
                let told = world.machine.tracer_notified || world.tracer.is_none();
                assert!(told, "the tracer is not told of {task:?}");
            }
            Standing::Held(_) if task.stopped && !task.taken => {
                let tracer = survey.iter().find(|t| Some(t.id) == task.tracer);
                assert!(tracer.is_some(), "nobody can let {task:?} go on");
                assert!(task.leased, "its tracer may not let {task:?} go on");
            }
            Standing::Held(_) if task.relayed.is_some() && !task.taken => {
                let client = survey.iter().find(|t| Some(t.id) == task.relayed);
                assert!(client.is_some(), "nobody can answer about {task:?}");
            }
            Standing::Held(_) => {
                assert!(task.taken, "nobody has the report of {task:?}");
                let kept = |kept: &Vec<_>| kept.contains(&(task.id, task.number));
                let kept = kept_by_tracer.as_ref().is_none_or(kept);
                assert!(kept, "the tracer has forgotten that it holds {task:?}");
            }
            Standing::Fs if task.queued => {
                assert!(
                    !world.machine.fs_parked,
                    "the file server is not told of {task:?}"
                );
            }
            Standing::Fs => {
                let kept = |kept: &Vec<_>| kept.contains(&(task.id, task.number));
                let kept = fs_at_it || kept_by_fs.as_ref().is_none_or(kept);
                assert!(kept, "the file server has forgotten that it holds {task:?}");
            }
            Standing::Moving => {
                let newborn = |by: &TaskSurvey| matches!(by.standing, Standing::Held(Event::Clone { child, .. }) if child == task.id);
                assert!(survey.iter().any(newborn), "{task:?} is nowhere");
            }
            _ => {}
        }
        if task.attached == Attached::Untold {
            let tracer = survey.iter().find(|t| Some(t.id) == task.tracer);
            assert!(tracer.is_some(), "an untold bond of {task:?} with nobody");
            let told = world.tracer.is_some_and(|t| t.traces(task.id));
            assert!(!told, "the tracer has been told of {task:?}");
        }
        if task.posted {
            let held = matches!(task.standing, Standing::Held(_)) && task.stopped;
            assert!(held, "a stop is published of {task:?}");
        }
    }
    for (tracer, shown, answer) in world.procmgr.shown_stops(world.machine) {
        let answer = answer.unwrap_or_else(|| panic!("{tracer:?} is shown who is at no stop"));
        for (what, words) in [
            (UNSEEN, STATUS..STATUS + 1),
            (REGISTERS, REGS..INFO),
            (SIGINFO, INFO..PLACE_WORDS),
        ] {
            if shown[WHAT] & what != 0 {
                assert!(
                    answer[WHAT] & what != 0,
                    "{tracer:?} is shown what nobody knows"
                );
                assert_eq!(shown[words.clone()], answer[words], "shown to {tracer:?}");
            }
        }
    }
    let threads = survey.iter().filter(|t| t.has_space).count();
    assert_eq!(
        world.machine.threads.len(),
        threads,
        "every thread has its task"
    );
}

fn check_thread(world: &Seen<'_>, task: &TaskSurvey) {
    let thread = world.machine.threads.get(task.id);
    assert_eq!(
        thread.is_some(),
        task.has_space,
        "thread and space of {task:?}"
    );
    let Some(thread) = thread else { return };
    let runs = !thread.held();
    let should = matches!(task.standing, Standing::Running | Standing::Stub);
    assert_eq!(
        runs, should,
        "{task:?} against its thread: {:?}",
        thread.pending
    );
}

/// When all programs are done and the servers too: nothing is left but the first process, dead.
pub fn check_end(world: &Seen<'_>) {
    let survey = world.procmgr.survey();
    let left: Vec<_> = survey
        .iter()
        .filter(|t| t.standing != Standing::Zombie)
        .collect();
    assert!(left.is_empty(), "alive at the end: {left:?}");
    assert!(
        survey.len() <= 1,
        "dead and not reaped at the end: {survey:?}"
    );
    assert_eq!(world.machine.threads.len(), 0, "threads at the end");
    assert_eq!(world.procmgr.context_count(), 0, "contexts at the end");
    assert_eq!(
        world.machine.spaces.population(),
        (0, 0),
        "spaces and mappings at the end"
    );
    let tracer = world.tracer.expect("not at work");
    assert_eq!(tracer.traced(), 0, "the tracer traces nobody at the end");
    assert_eq!(tracer.clients(), 0, "clients of the tracer at the end");
    let population = tracer.population();
    assert_eq!(population, (0, 0), "engines charged, children expected");
    let fs = world.fs.expect("not at work");
    assert_eq!(fs.waiting(), 0, "system calls parked at the end");
    let [_, files, tables, tasks, pipes, anons] = fs.population();
    assert_eq!(
        [files, tables, tasks, pipes, anons],
        [0; 5],
        "files, tables, tasks, pipes, files without a name at the end"
    );
    // The frame of zeros is made at its first use and stays.
    let used = world.frames_at_start - world.machine.frames.count_free();
    assert!(used <= 1, "{used} frames in use at the end");
}
