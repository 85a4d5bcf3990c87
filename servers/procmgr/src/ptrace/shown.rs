//! Showing stops to tracers in a page of their own memory ([`abi::stops`]).
//!
//! *Invariant:* a stop is shown only while its tracer would be answered just that; whatever changes the
//! answer hides it first. The first time a tracer asks, it is shown what it asked about. From then on stops
//! are shown as they are published, if their registers have been read anyway, as at a system call; until
//! one is over that it has not looked at.

use super::Request;
use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use abi::ptrace::StopKind;
use abi::stops::{
    HEAD, INFO, LOOKED_AT, PAGE, PLACE_WORDS, PLACES, REGISTERS, REGS, SIGINFO, owner, place_of,
};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// A process's page of stops.
#[derive(Clone, Copy, Hash)]
pub struct StopPage {
    addr: u64,
    /// Stops are shown as they are published.
    eager: bool,
}

/// The words of a place.
pub type Place = [u64; PLACE_WORDS];

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
        if self
            .process(ix)
            .stop_page
            .is_none_or(|page| page.addr != addr)
        {
            let page = self.page_of(m, client, addr).ok_or(Errno::EFAULT)?;
            page.fill(0);
            page[0] = 1;
            self.process_mut(ix).stop_page = Some(StopPage { addr, eager: false });
        }
        Ok(tid.into())
    }

    /// A stop is about to be published: it is shown, if all that takes is at hand.
    #[inline]
    pub(super) fn show_new_stop(&mut self, m: &mut impl Machine, id: TaskId, ix: ProcessIx) {
        if self.process(ix).stop_page.is_some_and(|page| page.eager)
            && let Some(stopped) = &self.task(id).trace.stopped
            && self.task(id).registers.are_read()
        {
            let info = match stopped.stop.kind {
                StopKind::Signal => SIGINFO,
                _ => 0,
            };
            self.show(m, id, info);
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
            self.show(m, r.target, LOOKED_AT | SIGINFO);
        }
    }

    /// What is shown of a task is about to be out of date.
    #[inline]
    pub(crate) fn hide_stop(&mut self, m: &mut impl Machine, id: TaskId) {
        let stopped = &mut self.task_mut(id).trace.stopped;
        if stopped
            .as_mut()
            .is_some_and(|stopped| core::mem::take(&mut stopped.shown))
        {
            self.hide(m, id);
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
        if let Some(page) = self.process(ix).stop_page {
            self.page_of(m, client, page.addr).ok_or(Errno::ENOMEM)?[0] = 0;
            self.process_mut(ix).stop_page = None;
        }
        Ok(())
    }

    /// For tests: every stop that is shown to somebody, as it is shown and as the tracer would be answered
    /// now, which is nothing where it would not be answered. Words of a place from the third on.
    pub fn shown_stops(&self, m: &impl Machine) -> Vec<(TaskId, Place, Option<Place>)> {
        let mut found = Vec::new();
        for process in self.processes().map(|(_, process)| process) {
            let Some(page) = process.stop_page else {
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
                if place[0] != 0
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
        self.at_stop(id).ok()?;
        let task = self.task(id);
        let mut place = [0; PLACE_WORDS];
        if task.registers.are_read() {
            place[2] |= REGISTERS;
            place[REGS..INFO].copy_from_slice(&task.user_regs().to_words());
        }
        if let Ok(Some(info)) = self.stop_info(id) {
            place[2] |= SIGINFO;
            place[INFO..].copy_from_slice(&info.to_words());
        }
        Some(place)
    }

    fn show(&mut self, m: &mut impl Machine, id: TaskId, what: u64) {
        let info = match what & SIGINFO {
            0 => Ok(None),
            _ => self.stop_info(id),
        };
        self.read_registers(m, id);
        let Some((place, owner, _)) = self.place_shown_to(m, id) else {
            // Where the client has taken the page away, it finds nothing.
            return;
        };
        place[0] = owner;
        place[1] = place[1].wrapping_add(1);
        place[2] = REGISTERS | what & LOOKED_AT;
        place[REGS..INFO].copy_from_slice(&self.task(id).user_regs().to_words());
        if let Ok(Some(info)) = info {
            place[2] |= SIGINFO;
            place[INFO..].copy_from_slice(&info.to_words());
        }
        if let Some(stopped) = &mut self.task_mut(id).trace.stopped {
            stopped.shown = true;
        }
    }

    fn hide(&mut self, m: &mut impl Machine, id: TaskId) {
        // Another stop may have taken the place.
        if let Some((place, owner, ix)) = self.place_shown_to(m, id)
            && place[0] == owner
        {
            place[0] = 0;
            let looked_at = place[2] & LOOKED_AT != 0;
            if let Some(page) = &mut self.process_mut(ix).stop_page {
                page.eager &= looked_at;
            }
        }
    }

    /// The place in which a task's stop is shown to its tracer, what says whose it is, and the tracer's process.
    fn place_shown_to<'a>(
        &mut self,
        m: &'a mut impl Machine,
        id: TaskId,
    ) -> Option<(&'a mut [u64], u64, ProcessIx)> {
        let task = self.task(id);
        let tracer = self.find_task(task.trace.tracer?).ok()?;
        let (tid, by, ix, owner) = (
            task.tid,
            tracer.id,
            tracer.process,
            owner(task.tid, tracer.tid),
        );
        let addr = self.process(ix).stop_page?.addr;
        let page = self.page_of(m, by, addr)?;
        Some((&mut page[place_of(tid)..][..PLACE_WORDS], owner, ix))
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
