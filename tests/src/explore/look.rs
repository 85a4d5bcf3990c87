//! What is looked at in a state, and what a failure shows.

use super::{Event, State};
use crate::invariants::Seen;
use abi::wire;

impl State {
    /// What is checked of it.
    pub fn seen(&self) -> Seen<'_> {
        Seen {
            machine: &self.machine,
            procmgr: &self.procmgr,
            tracer: self.tracer.idle(),
            fs: self.fs.idle(),
            frames_at_start: self.frames_at_start,
        }
    }

    /// No wait sleeps through what it waits for.
    pub fn check_waits(&mut self) {
        for task in self.procmgr.survey() {
            let sleeps = self.procmgr.oversleeps(&mut self.machine, task.id);
            assert!(!sleeps, "{task:?} sleeps through what it waits for");
        }
    }

    /// A step in words.
    pub fn tell(&self, event: Event) -> String {
        let more = match event {
            Event::Run(_) | Event::Reports => String::new(),
            Event::Trap(task) | Event::Message(task) => {
                let thread = self.machine.threads.get(task).expect("it has a thread");
                format!("{:?} rax {:#x}", thread.pending, thread.regs.rax)
            }
            Event::Tracer => {
                let call = self.tracer.call().expect("it calls");
                let call: Result<abi::tracer::Call, _> = wire::decode(call);
                format!("{call:?}")
            }
            Event::Files => {
                let call = self.fs.call().map(wire::decode::<abi::fs::Call<'_>>);
                format!("{call:?}")
            }
        };
        format!("{event:?} {more}")
    }
}
