//! The two stops of a system call.

use std::time::Instant;

use libtrace::ptrace;
use libtrace::wait::Usage;
use libtrace::{Errno, Pid, UserRegs, memory};
use trace::record::{Call, What};

use crate::dump;
use crate::inject::Poke;
use crate::paths;
use crate::settings::{FAILED, SUCCESSFUL};
use crate::times;
use crate::tracee::{self, Ongoing, Stopped};
use crate::tracer::Tracer;

/// The call the kernel makes itself to resume one that a signal interrupted.
const RESTART_SYSCALL: u64 = 219;
const EXECVE: u64 = 59;

impl Tracer {
    /// A tracee enters a call or comes back from one.
    pub(crate) fn syscall_stop(&mut self, pid: Pid, usage: Usage) {
        let Ok(regs) = ptrace::getregs(pid) else {
            return self.resume(pid, 0);
        };
        let tracee = self.tracees.entry(pid).or_default();
        match tracee.call.take() {
            None => self.enter(pid, &regs, usage),
            Some(call) => self.leave(pid, &regs, call, usage),
        }
    }

    fn enter(&mut self, pid: Pid, regs: &UserRegs, usage: Usage) {
        let stopped = Stopped::new(pid, regs);
        let nr = regs.orig_rax;
        let mut call = Ongoing::new(regs, self.settings.look_of(nr));
        let tracee = self.tracees.entry(pid).or_default();
        let hidden = tracee.preparing && nr != EXECVE;
        let resumed = (nr == RESTART_SYSCALL).then_some(tracee.previous);
        let was_preparing = tracee.preparing;
        tracee.number = nr;
        // As strace does: what nobody knows is worth showing.
        call.traced = (self.settings.calls.has(nr) || tracee::is_unknown(nr))
            && !hidden
            && (self.paths.is_empty() || paths::uses(&self.paths, &call, &stopped));
        call.shown = call.traced && self.settings.text;
        call.recorded = call.traced && self.recorder.is_wanted();
        call.system_us = usage.system_us;
        if call.shown || call.recorded {
            call.enter(&stopped, resumed);
        }
        if nr == EXECVE && self.recorder.is_wanted() {
            call.program = (call.string(&stopped, 0), call.first_string(&stopped, 1));
        }
        if call.shown {
            self.print_entry(pid, &mut call);
        }
        let detaches = nr == EXECVE && !was_preparing && self.settings.options.detach_on.is_some();
        let (signal, delay) = match call.traced {
            true => self.tamper_at_entry(pid, regs, &mut call),
            false => (0, None),
        };
        if self.needs_times {
            call.began = self.times.now();
        }
        self.tracees.entry(pid).or_default().call = Some(call);
        if detaches {
            let _ = ptrace::detach(pid, 0);
            return self.detached(pid);
        }
        self.resume_later(pid, signal, delay);
    }

    fn print_entry(&mut self, pid: Pid, call: &mut Ongoing) {
        let prefix = self.prefix(pid);
        if self.settings.hold_lines() {
            call.prefix = prefix;
            return;
        }
        self.output.begin(pid, &prefix);
        self.print_beginning(pid, call);
        self.output.flush(pid);
    }

    /// Prints what is known of a call at its entry.
    pub(crate) fn print_beginning(&mut self, pid: Pid, call: &Ongoing) {
        self.output.text(pid, &call.name());
        self.output.text(pid, "(");
        self.output.text(pid, &call.text);
    }

    fn leave(&mut self, pid: Pid, regs: &UserRegs, mut call: Ongoing, usage: Usage) {
        let now = if self.needs_times {
            self.times.now()
        } else {
            0
        };
        let stopped = Stopped::new(pid, regs);
        let delay = self.tamper_at_exit(pid, regs, &mut call);
        let rax = call.tampering.result.unwrap_or(regs.rax as i64);
        let error = Errno::of_result(rax).err();
        if call.nr != RESTART_SYSCALL {
            self.tracees.entry(pid).or_default().previous = call.nr;
        }
        if call.traced {
            self.count();
        }
        let outcome = if error.is_some() { FAILED } else { SUCCESSFUL };
        if call.traced && self.settings.counts() {
            let time = match self.settings.options.summary_wall_clock {
                true => now.saturating_sub(call.began) / 1000,
                false => usage.system_us.saturating_sub(call.system_us),
            };
            self.counts.add(call.nr, error.is_some(), time);
        }
        if call.traced && self.settings.outcomes & outcome != 0 {
            self.show_result(pid, &mut call, &stopped, rax, now);
        }
        self.resume_later(pid, 0, delay);
    }

    fn show_result(&mut self, pid: Pid, call: &mut Ongoing, stopped: &Stopped, rax: i64, now: u64) {
        if !call.shown && !call.recorded {
            return;
        }
        if call.shown {
            self.reopen(pid, call);
        }
        let (arguments, result) = call.exit(stopped, rax);
        if call.shown {
            self.output.text(pid, &arguments);
            self.output.close_call(pid);
            self.output.text(pid, &result);
            if self.settings.options.syscall_times {
                let spent = times::spent(now.saturating_sub(call.began));
                self.output.text(pid, &spent);
            }
            self.output.end(pid);
            let (read, write) = (&self.settings.read, &self.settings.write);
            let dumped = dump::dump(call, stopped, rax, read, write);
            self.output.whole(pid, &dumped);
        }
        self.record_call(pid, call, Some(rax), result, now);
    }

    /// Makes the record of a call that has come back with `rax`, or never will.
    pub(crate) fn record_call(
        &mut self,
        pid: Pid,
        call: &Ongoing,
        rax: Option<i64>,
        result: String,
        now: u64,
    ) {
        if !call.recorded {
            return;
        }
        let error = rax.and_then(|rax| Errno::of_result(rax).err());
        let what = What::Call(Call {
            call: call.name().into_owned(),
            number: call.nr,
            args: call.arguments(),
            ret: rax.map(|rax| if error.is_some() { -1 } else { rax }),
            errno: error.map(|error| match error.name() {
                Some(name) => name.to_owned(),
                None => error.0.to_string(),
            }),
            result,
            duration: now.saturating_sub(call.began),
            injected: call.tampering.result.is_some(),
        });
        self.record(pid, call.began, what);
    }

    /// Does what the injections say at the entry. Returns the signal that comes with the call,
    /// and when it may go on.
    fn tamper_at_entry(
        &mut self,
        pid: Pid,
        regs: &UserRegs,
        call: &mut Ongoing,
    ) -> (i32, Option<Instant>) {
        let found = self
            .settings
            .injections
            .iter()
            .rposition(|it| it.calls.has(call.nr));
        let Some(place) = found else {
            return (0, None);
        };
        let tracee = self.tracees.entry(pid).or_default();
        let count = tracee.invocations.entry(call.nr).or_default();
        *count += 1;
        let injection = &self.settings.injections[place];
        if !injection.applies(*count) {
            return (0, None);
        }
        call.tampering.injection = Some(place);
        call.tampering.poked = poke(pid, call, &injection.poke_enter);
        if let Some(result) = injection.result {
            let mut changed = *regs;
            changed.orig_rax = injection.number.unwrap_or(u64::MAX);
            if ptrace::setregs(pid, &changed).is_ok() {
                call.tampering.result = Some(result);
            }
        }
        let delay = injection.delay_enter.map(|delay| Instant::now() + delay);
        call.tampering.delayed = delay.is_some();
        (injection.signal.unwrap_or(0), delay)
    }

    /// The same at the exit.
    fn tamper_at_exit(&mut self, pid: Pid, regs: &UserRegs, call: &mut Ongoing) -> Option<Instant> {
        let injection = &self.settings.injections[call.tampering.injection?];
        call.tampering.poked |= poke(pid, call, &injection.poke_exit);
        if let Some(result) = call.tampering.result {
            let mut changed = *regs;
            changed.rax = result as u64;
            if ptrace::setregs(pid, &changed).is_err() {
                call.tampering.result = None;
            }
        }
        let delay = injection.delay_exit.map(|delay| Instant::now() + delay);
        call.tampering.delayed |= delay.is_some();
        delay
    }
}

/// Writes what can be written; whether that was anything.
fn poke(pid: Pid, call: &Ongoing, pokes: &[Poke]) -> bool {
    pokes.iter().fold(false, |poked, poke| {
        let address = call.registers()[poke.argument];
        memory::write_memory(pid, address, &poke.bytes).is_ok() || poked
    })
}
