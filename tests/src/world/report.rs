//! What a failure shows.

use super::{Event, REMEMBERED, World};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl World {
    pub(super) fn remember(&mut self, event: Event) {
        if self.verbose {
            println!("{:w$}{:6} {event:?}", "", self.steps, w = 2 * self.depth);
        }
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back((self.steps, self.depth, event));
    }

    /// Every task and thread.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for task in self.procmgr.survey() {
            text += &format!("  {task:?}\n");
            if let Some(thread) = self.machine.threads.get(task.id) {
                let (rip, rax) = (thread.regs.rip, thread.regs.rax);
                text += &format!("    rip {rip:#x} rax {rax:#x} {:?}\n", thread.pending);
            }
        }
        if let Some(tracer) = &self.tracer {
            text += &format!("  the tracer keeps {:?}\n", tracer.kept());
        }
        if let Some(fs) = &self.fs {
            text += &format!("  the file server keeps {:?}\n", fs.kept());
        }
        text += &format!(
            "  clock {} deadline {:?} said {:?}\n",
            self.machine.clock, self.machine.deadline, self.machine.said
        );
        text
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!(
            "seed {} failed at step {}; the latest events:",
            self.seed, self.steps
        );
        for (step, depth, event) in &self.latest {
            eprintln!("  {:w$}{step} {event:?}", "", w = 2 * depth);
        }
        // The servers may be half way through something.
        if let Ok(text) = catch_unwind(AssertUnwindSafe(|| self.dump())) {
            eprintln!("{text}");
        }
    }
}
