//! /proc/stillpoint: how much of everything is in use, a name and a number a line, for whoever looks
//! for leaks. Linux has no such file; only the superuser may read this one.

use crate::Fs;
use abi::fs::Counts;
use alloc::format;
use alloc::string::String;

impl Fs {
    /// The process manager's counts and the file server's own.
    pub(super) fn counts_text(&self, counts: &Counts) -> String {
        let machine = &counts.machine;
        let lines = [
            ("tasks", counts.tasks.into()),
            ("processes", counts.processes.into()),
            ("contexts", counts.contexts.into()),
            ("numbers", counts.numbers.into()),
            ("spaces", counts.spaces.into()),
            ("objects", counts.objects.into()),
            ("timers", counts.timers.into()),
            ("futex_waiters", counts.futex_waiters.into()),
            ("signals", counts.signals.into()),
            ("engines", counts.engines.into()),
            ("callbacks", counts.callbacks.into()),
            ("frames_free", counts.frames_free),
            ("kernel_objects", machine.objects),
            ("kernel_mappings", machine.mappings),
            ("kernel_slots", machine.slots),
            ("kernel_threads", machine.threads),
            ("kernel_spaces", machine.spaces),
            ("heap", machine.heap),
        ];
        let population = self.population();
        let [inodes, files, tables, tasks, pipes, anons] = population.map(|count| count as u64);
        let own = [
            ("fs_inodes", inodes),
            ("fs_files", files),
            ("fs_tables", tables),
            ("fs_contexts", self.contexts.len() as u64),
            ("fs_tasks", tasks),
            ("fs_pipes", pipes),
            ("fs_anons", anons),
            ("fs_ttys", self.ttys.len() as u64),
            ("fs_waits", self.waits.len() as u64),
            ("fs_fd_slots", self.fd_slots as u64),
            ("fs_locks", self.locks.len() as u64),
        ];
        let line = |(name, count): (&str, u64)| format!("{name} {count}\n");
        lines.into_iter().chain(own).map(line).collect()
    }
}
