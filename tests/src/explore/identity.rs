//! What makes two states the same.

use super::State;
use crate::sim::{Pending, SimMachine, Thread};
use foldhash::quality::{FixedState, FoldHasher};
use procmgr::machine::Frame;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher};

impl State {
    /// A number that is the same for states that behave alike from here on. That two others have the
    /// same one is less likely than one in a million among five million states.
    pub fn identity(&self) -> u64 {
        let State {
            machine,
            procmgr,
            tracer,
            fs,
            // The same for all of a search's states.
            grain: _,
            frames_at_start: _,
        } = self;
        let mut hasher = FixedState::default().build_hasher();
        (tracer, fs).hash(&mut hasher);
        let mut names = BTreeMap::new();
        let mut frame = |frame: Frame, hasher: &mut FoldHasher<'static>| {
            let next = names.len();
            let name = *names.entry(frame).or_insert(next);
            name.hash(hasher);
            if name == next {
                machine.frames.digest(frame).hash(hasher);
            }
        };
        procmgr.identify(machine, &mut hasher, &mut frame);
        identify_machine(machine, &mut hasher);
        hasher.finish()
    }
}

fn identify_machine(machine: &SimMachine, hasher: &mut impl Hasher) {
    let SimMachine {
        // Told apart by what they are used for, in the process manager.
        frames: _,
        spaces,
        threads,
        // They stand still.
        clock: _,
        stands_still: _,
        deadline: _,
        tracer_notified,
        fs_parked,
        fs_answer,
        off,
        // Nobody reads it.
        said: _,
    } = machine;
    for (space, page, rights) in spaces.all() {
        (space, page, rights).hash(hasher);
    }
    for (id, thread) in threads.all() {
        id.hash(hasher);
        identify_thread(thread, hasher);
    }
    (tracer_notified, fs_parked, fs_answer, off).hash(hasher);
}

fn identify_thread(thread: &Thread, hasher: &mut impl Hasher) {
    let Thread {
        space,
        regs,
        fpu,
        pending,
        stepping,
        step_next,
        breakpoints,
        speaks,
        // Only counted, where time stands still.
        instructions: _,
        traps: _,
    } = thread;
    (
        space,
        fpu,
        pending,
        stepping,
        step_next,
        breakpoints,
        speaks,
    )
        .hash(hasher);
    // What a stub has left in them is never read.
    if *pending != (Pending::Held { retry: None }) {
        regs.hash(hasher);
    }
}
