//! What the tests compare: what is shown, and what would be answered.

use super::{CONTENTS, Place};
use crate::Procmgr;
use crate::machine::Machine;
use abi::TaskId;
use abi::stops::{HEAD, INFO, PLACE_WORDS, PLACES, REGISTERS, REGS, SIGINFO, STATUS, UNSEEN, WHAT};
use alloc::vec::Vec;

impl Procmgr {
    /// For tests: every stop that is shown to somebody, as it is shown and as the tracer would be answered
    /// now, which is nothing where it would not be answered.
    pub fn shown_stops(&self, m: &impl Machine) -> Vec<(TaskId, Place, Option<Place>)> {
        let mut found = Vec::new();
        for process in self.processes().map(|(_, process)| process) {
            let Some(page) = &process.stop_page else {
                continue;
            };
            let space = process.tasks.iter().find_map(|id| self.task(*id).space);
            let Some(words) = space.and_then(|s| self.memory.own_page(m, s, page.addr)) else {
                continue;
            };
            for place in words[HEAD..].chunks_exact(PLACE_WORDS).take(PLACES) {
                let (tracee, tracer) = (place[0] as u32, (place[0] >> 32) as u32);
                let tracer = process
                    .tasks
                    .iter()
                    .find(|id| self.task(**id).tid == tracer);
                if place[WHAT] & (CONTENTS | UNSEEN) != 0
                    && let Some(tracer) = tracer
                {
                    let mut shown = [0; PLACE_WORDS];
                    shown.copy_from_slice(place);
                    found.push((*tracer, shown, self.answer_to(*tracer, tracee)));
                }
            }
        }
        found
    }

    /// What a tracer's requests about a tracee would be answered, as a place.
    fn answer_to(&self, tracer: TaskId, tid: u32) -> Option<Place> {
        let id = self.own_tracee(tracer, tid as i32).ok()?;
        let stopped = self.at_stop(id).ok()?;
        let task = self.task(id);
        let mut place = [0; PLACE_WORDS];
        if stopped.unseen {
            place[WHAT] |= UNSEEN;
            place[STATUS] = stopped.stop.status() as u64;
        }
        if task.registers.are_read() {
            place[WHAT] |= REGISTERS;
            place[REGS..INFO].copy_from_slice(&task.user_regs().to_words());
        }
        if let Ok(Some(info)) = self.stop_info(id) {
            place[WHAT] |= SIGINFO;
            place[INFO..].copy_from_slice(&info.to_words());
        }
        Some(place)
    }
}
