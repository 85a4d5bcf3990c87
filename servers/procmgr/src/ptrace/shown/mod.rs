//! Showing stops to tracers in a page of their own memory ([`abi::stops`]).
//!
//! *Invariant:* a stop is shown only while its tracer would be answered just that; whatever changes the
//! answer hides it first. The first time a tracer asks, it is shown what it asked about. From then on stops
//! are shown as they are published, if their registers have been read anyway, as at a system call; until
//! one is over that it has not looked at.
//!
//! A stop that nobody has waited for is shown as such to a process that waits for single tasks, and is waited for
//! where the page says so. So whoever wants to know it settles first what the page says
//! ([`settle_stops`](Procmgr::settle_stops)).

mod check;
mod unseen;

use super::Request;
use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use abi::ptrace::StopKind;
use abi::stops::{
    GOES_ON, INFO, LOOKED_AT, PAGE, PLACE_WORDS, PLACES, REGISTERS, REGS, SIGINFO, STATUS, UNSEEN,
    WHAT, number_of, owner, place_of, written,
};
use abi::{Errno, TaskId};

/// A process's page of stops.
#[derive(Clone, Hash)]
pub struct StopPage {
    addr: u64,
    /// Registers are shown as stops are published.
    eager: bool,
    /// It waits for single tasks: stops are shown for that.
    pub waits: bool,
    /// By place, the stop that is shown as unseen, and what says whose it is.
    unseen: [Option<(TaskId, u64)>; PLACES],
}

/// The words of a place.
pub type Place = [u64; PLACE_WORDS];

/// What there can be to read of a stop.
const CONTENTS: u64 = REGISTERS | SIGINFO;

impl Procmgr {
    /// [`SHARE_STOPS`](abi::client::SHARE_STOPS): the sender's tid.
    pub(crate) fn share_stops(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        addr: u64,
    ) -> Result<i64, Errno> {
        if !addr.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let task = self.task(client);
        let (ix, tid) = (task.process, task.tid);
        let page = self.process(ix).stop_page.as_ref();
        if page.is_none_or(|page| page.addr != addr) {
            let page = self.page_of(m, client, addr).ok_or(Errno::EFAULT)?;
            page.fill(0);
            page[0] = 1;
            self.settle_stops(m, ix);
            self.process_mut(ix).stop_page = Some(StopPage {
                addr,
                eager: false,
                // It names the page because it waited, or asked.
                waits: true,
                unseen: [None; PLACES],
            });
        }
        Ok(tid.into())
    }

    /// A stop has been published: it is shown for what its tracer is used to.
    #[inline]
    pub(super) fn show_new_stop(&mut self, m: &mut impl Machine, id: TaskId, ix: ProcessIx) {
        let Some(page) = &self.process(ix).stop_page else {
            return;
        };
        let task = self.task(id);
        let Some(stopped) = &task.trace.stopped else {
            return;
        };
        let mut what = 0;
        if page.waits && stopped.unseen {
            what |= UNSEEN;
        }
        if page.eager && task.registers.are_read() {
            what |= match stopped.stop.kind {
                StopKind::Signal => CONTENTS,
                _ => REGISTERS,
            };
        }
        if what != 0 {
            self.show(m, id, what);
        }
    }

    /// A tracer has asked: it need not ask again.
    pub(super) fn show_stop(&mut self, m: &mut impl Machine, r: &Request) {
        // An engine's client may ask too, to whom nothing is shown.
        if self.task(r.target).trace.tracer == Some(r.client)
            && let ix = self.process_of(r.client)
            && let Some(page) = &mut self.process_mut(ix).stop_page
        {
            page.eager = true;
            self.show(m, r.target, LOOKED_AT | CONTENTS);
        }
    }

    /// What can be read of a task's stop is about to be out of date.
    #[inline]
    pub(crate) fn hide_stop(&mut self, m: &mut impl Machine, id: TaskId) {
        let stopped = &mut self.task_mut(id).trace.stopped;
        if stopped
            .as_mut()
            .is_some_and(|stopped| core::mem::take(&mut stopped.readable))
            && let Some((place, owner, page)) = self.place_shown_to(m, id)
            && place[0] == owner
        {
            page.learn(place[WHAT]);
            place[WHAT] = written(place[WHAT], place[WHAT] & UNSEEN);
        }
    }

    /// A task's stop, if it is at one, is about to be over.
    #[inline]
    pub(crate) fn end_shown_stop(&mut self, m: &mut impl Machine, id: TaskId) {
        let trace = &self.task(id).trace;
        let Some(stopped) = &trace.stopped else {
            return;
        };
        let shown = stopped.shown;
        let waits = |ix: ProcessIx| {
            let page = self.process(ix).stop_page.as_ref();
            page.is_some_and(|page| page.waits)
        };
        let by = trace.tracer.and_then(|tracer| self.find_task(tracer).ok());
        let alone = m.runnable() <= 1;
        if (shown || alone && by.is_some_and(|tracer| waits(tracer.process)))
            && let Some((place, owner, page)) = self.place_shown_to(m, id)
        {
            page.forget(id, owner);
            let mine = place[0] == owner;
            // Another stop may have taken the place.
            if !mine && place[WHAT] & (CONTENTS | UNSEEN) != 0 {
                return;
            }
            if mine {
                page.learn(place[WHAT]);
            }
            // Where others could run too, it would be their turn before the tracer's.
            let (left, what) = match alone && page.waits {
                true => (owner, GOES_ON),
                false => (0, 0),
            };
            place[0] = left;
            place[WHAT] = written(place[WHAT], what);
        }
    }

    /// A process is about to be copied: its page is no use to the copy, and it names it again itself.
    /// ENOMEM: it cannot be told.
    pub(crate) fn forget_stop_page(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
    ) -> Result<(), Errno> {
        let ix = self.process_of(client);
        if let Some(page) = &self.process(ix).stop_page {
            self.page_of(m, client, page.addr).ok_or(Errno::ENOMEM)?[0] = 0;
            self.settle_stops(m, ix);
            self.process_mut(ix).stop_page = None;
        }
        Ok(())
    }

    fn show(&mut self, m: &mut impl Machine, id: TaskId, what: u64) {
        let info = match what & SIGINFO {
            0 => None,
            _ => self.stop_info(id).ok().flatten(),
        };
        let regs = (what & REGISTERS != 0).then(|| {
            self.read_registers(m, id);
            self.task(id).user_regs().to_words()
        });
        let task = self.task_mut(id);
        let Some(stopped) = &mut task.trace.stopped else {
            return;
        };
        stopped.shown = true;
        stopped.readable |= what & CONTENTS != 0;
        let (status, number) = (stopped.stop.status(), number_of(task.tid));
        let Some((place, owner, page)) = self.place_shown_to(m, id) else {
            // Where the client has taken the page away, it finds nothing.
            return;
        };
        let mut there = what & (LOOKED_AT | REGISTERS | UNSEEN);
        let mut seen = None;
        match page.unseen[number] {
            Some((before, _)) if before == id && place[0] == owner => {
                there |= place[WHAT] & UNSEEN;
            }
            Some((before, by)) => {
                // What its tracer has done there is not forgotten.
                if is_taken(place, by) {
                    seen = Some(before);
                }
                page.forget(before, by);
            }
            None => {}
        }
        if there & UNSEEN != 0 {
            page.show_unseen(id, owner);
        }
        place[0] = owner;
        place[STATUS] = status as u64;
        if let Some(regs) = regs {
            place[REGS..INFO].copy_from_slice(&regs);
        }
        if let Some(info) = info {
            there |= SIGINFO;
            place[INFO..].copy_from_slice(&info.to_words());
        }
        place[WHAT] = written(place[WHAT], there);
        if let Some(before) = seen {
            self.stop_was_taken(before);
        }
    }

    /// The place in which a task's stop is shown to its tracer, what says whose it is, and the page.
    fn place_shown_to<'a>(
        &'a mut self,
        m: &'a mut impl Machine,
        id: TaskId,
    ) -> Option<(&'a mut [u64], u64, &'a mut StopPage)> {
        let task = self.task(id);
        let tracer = self.find_task(task.trace.tracer?).ok()?;
        let (tid, by, ix, owner) = (
            task.tid,
            tracer.id,
            tracer.process,
            owner(task.tid, tracer.tid),
        );
        let addr = self.process(ix).stop_page.as_ref()?.addr;
        let words = self.page_of(m, by, addr)?;
        let page = self.process_mut(ix).stop_page.as_mut()?;
        Some((&mut words[place_of(tid)..][..PLACE_WORDS], owner, page))
    }

    /// A client's page, as far as it can be written.
    #[inline]
    fn page_of<'a>(
        &mut self,
        m: &'a mut impl Machine,
        client: TaskId,
        addr: u64,
    ) -> Option<&'a mut [u64; PAGE as usize / 8]> {
        let space = self.task(client).space?;
        self.memory.writable_page(m, space, addr)
    }
}

impl StopPage {
    /// A stop is shown as unseen, which may be so already.
    fn show_unseen(&mut self, id: TaskId, owner: u64) {
        self.unseen[number_of(owner as u32)] = Some((id, owner));
    }

    /// A stop is shown as unseen no more; whether it was.
    fn forget(&mut self, id: TaskId, owner: u64) -> bool {
        let shown = &mut self.unseen[number_of(owner as u32)];
        shown.take_if(|(of, _)| *of == id).is_some()
    }

    /// What was to be read is not any more: who has not looked at it is shown no more.
    fn learn(&mut self, what: u64) {
        if what & CONTENTS != 0 {
            self.eager &= what & LOOKED_AT != 0;
        }
    }
}

/// Whether the stop that a place was given to as unseen has been waited for there.
fn is_taken(place: &[u64], given_to: u64) -> bool {
    place[0] == given_to && place[WHAT] & UNSEEN == 0
}
