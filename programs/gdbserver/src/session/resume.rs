//! Resuming, stopping, and telling of what happens in between.

use libtrace::Errno;

use super::threads::Selected;
use super::{Answer, Phase, Session};
use crate::packet::{self, ThreadId};
use crate::request::{Action, Directive};
use crate::target::{News, Report};

const SIGINT: i32 = 2;

impl Session {
    /// `vCont`.
    pub(super) fn resume(&mut self, directives: &[Directive]) -> Answer {
        if self.target.is_empty() && !self.target.has_endings() {
            return Answer::Error(Errno::ESRCH);
        }
        // What is said of all threads does not mean those whose stop gdb has not heard of yet.
        let unheard = |tid| {
            let mut notices = self.notices.iter();
            notices.any(|notice| matches!(notice, News::Stop(it, _) if *it == tid))
        };
        let tasks = self.target.tasks().filter(|task| !unheard(task.tid));
        let meant = tasks.filter_map(|task| {
            let mut all = directives.iter();
            let own = all.find(|it| it.who.admits(task.process, task.tid))?;
            Some((task.tid, own.action))
        });
        for (tid, action) in meant.collect::<Vec<_>>() {
            self.target.direct(tid, action);
        }
        self.reason = None;
        self.target.end_halt();
        if self.non_stop {
            self.target.set_going();
            return Answer::Ok;
        }
        // Who has something to tell already need not run before it is told.
        if !self.target.has_news() {
            self.target.set_going();
        }
        self.phase = Phase::Running;
        if std::mem::take(&mut self.interrupt_is_due) {
            self.halt(SIGINT);
        }
        Answer::Later
    }

    /// `c`, `s` and the like: the selected thread does what is said; where all are to run, others just
    /// run.
    pub(super) fn resume_selected(&mut self, action: Action) -> Answer {
        let Selected { pid, tid } = self.selected;
        let own = Directive {
            action,
            who: ThreadId::one(pid, tid),
        };
        let others = Directive {
            action: Action::Continue(0),
            who: ThreadId::ALL,
        };
        let only = matches!(self.resumed.thread, packet::Choice::One(_));
        match only {
            true => self.resume(&[own]),
            false => self.resume(&[own, others]),
        }
    }

    /// ^C.
    pub(super) fn interrupt(&mut self) {
        if self.non_stop {
            let running = self.target.tasks().filter(|task| !task.stands_still());
            for tid in running.map(|task| task.tid).collect::<Vec<_>>() {
                self.target.direct(tid, Action::Stop);
            }
        } else if self.phase != Phase::Still {
            self.halt(SIGINT);
        }
    }

    /// Begins to stop everything, for a reason that is told if no other turns up.
    pub(super) fn halt(&mut self, reason: i32) {
        self.reason = Some(reason);
        self.target.halt();
        self.phase = Phase::Halting;
    }

    /// Takes what has happened, and tells gdb what it waits for.
    pub(super) fn advance(&mut self) {
        if self.phase == Phase::Still && !self.non_stop {
            return;
        }
        self.target.take_changes();
        if self.non_stop {
            self.notify();
            return;
        }
        loop {
            if self.phase == Phase::Running && self.target.has_news() {
                self.target.halt();
                self.phase = Phase::Halting;
            }
            if self.phase != Phase::Halting || !self.target.is_still() {
                return;
            }
            match self.target.take_news(true, self.reason) {
                Some(news) => {
                    self.phase = Phase::Still;
                    let interrupted = self.reason.take() == Some(SIGINT);
                    let told = matches!(news, News::Stop(_, Report::Signal(SIGINT)) | News::End(_));
                    self.interrupt_is_due = interrupted && !told;
                    let reply = self.stop_reply(&news);
                    return self.send(&reply);
                }
                // What there was to tell has gone, so everybody goes on.
                None => {
                    self.phase = Phase::Running;
                    self.target.end_halt();
                    self.target.set_going();
                }
            }
        }
    }

    /// Tells gdb that there are stops to fetch, unless it knows.
    fn notify(&mut self) {
        let known = !self.notices.is_empty();
        while let Some(news) = self.target.take_news(false, None) {
            self.notices.push_back(news);
        }
        if !known {
            self.notify_first();
        }
    }

    fn notify_first(&mut self) {
        if let Some(news) = self.notices.front().cloned() {
            let reply = self.stop_reply(&news);
            let payload = [b"Stop:".as_slice(), &reply].concat();
            self.output.extend(packet::notification(&payload));
        }
    }

    /// `vStopped`: gdb has the first notice and wants the next.
    pub(super) fn next_notice(&mut self) -> Answer {
        self.notices.pop_front();
        match self.notices.front().cloned() {
            Some(news) => Answer::Bytes(self.stop_reply(&news)),
            None => Answer::Ok,
        }
    }

    /// `?`: why everything stands still. In non-stop the first of all stops, and the rest is fetched.
    pub(super) fn why(&mut self) -> Answer {
        if self.target.is_empty() {
            return match self.non_stop {
                true => Answer::Ok,
                false => Answer::text("W00"),
            };
        }
        let is_still = self.target.tasks().all(|task| task.stands_still());
        if !self.non_stop && !is_still {
            // Whoever was here before left things running.
            self.halt(0);
            return Answer::Later;
        }
        let tasks = self.target.tasks().filter(|task| task.stands_still());
        let mut stops: Vec<_> = tasks
            .map(|task| {
                let report = task.told.clone();
                let report = report.unwrap_or(Report::Signal(0));
                News::Stop(task.tid, report)
            })
            .collect();
        if self.non_stop {
            self.notices = stops.into();
            return match self.notices.front().cloned() {
                Some(news) => Answer::Bytes(self.stop_reply(&news)),
                None => Answer::Ok,
            };
        }
        let last = self.target.last();
        let at = stops
            .iter()
            .position(|it| matches!(it, News::Stop(tid, _) if *tid == last));
        let news = stops.swap_remove(at.unwrap_or(0));
        Answer::Bytes(self.stop_reply(&news))
    }
}
