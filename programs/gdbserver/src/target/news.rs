//! What gdb is to be told next.

use libtrace::{Pid, Status};

use super::{Report, Target};

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A task has stopped.
    Stop(Pid, Report),
    /// Something has ended.
    End(Ending),
    /// Nobody is left of those that were resumed.
    NobodyLeft,
}

/// An end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Of a process.
    Process {
        /// Which.
        pid: Pid,
        /// How.
        status: Status,
    },
    /// Of a thread, but not of its process.
    Thread {
        /// The process.
        pid: Pid,
        /// The thread.
        tid: Pid,
        /// How.
        status: Status,
    },
}

impl Target {
    /// Whether something has ended that nobody was told of.
    pub fn has_endings(&self) -> bool {
        !self.endings.is_empty()
    }

    /// Whether there is anything to tell.
    pub fn has_news(&self) -> bool {
        self.has_endings()
            || self.reporters().next().is_some()
            || self.tasks.values().all(|task| task.stands_still())
    }

    /// Takes what is to be told next. For `all`, when everybody has stopped: nobody has a wish any more,
    /// and where nothing else has happened somebody just stops, with signal `reason`.
    pub fn take_news(&mut self, all: bool, reason: Option<i32>) -> Option<News> {
        if let Some(ending) = self.endings.pop_front() {
            self.stand_still(all);
            return Some(News::End(ending));
        }
        if let Some(tid) = self.next_reporter() {
            let report = self.tasks.get_mut(&tid)?.report.take()?;
            return Some(self.tell(tid, report, all));
        }
        let somebody = self.somebody();
        match (somebody, reason) {
            (Some(tid), Some(signal)) => Some(self.tell(tid, Report::Signal(signal), all)),
            (None, _) if all => Some(News::NobodyLeft),
            _ => None,
        }
    }

    fn tell(&mut self, tid: Pid, report: Report, all: bool) -> News {
        self.last = tid;
        self.stand_still(all);
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.wish = None;
            task.told = Some(report.clone());
        }
        News::Stop(tid, report)
    }

    fn stand_still(&mut self, all: bool) {
        for task in self.tasks.values_mut().filter(|_| all) {
            task.wish = None;
        }
    }

    /// Who has something to report and was allowed to run.
    fn reporters(&self) -> impl Iterator<Item = Pid> {
        let tasks = self.tasks.values();
        let tasks = tasks.filter(|task| task.report.is_some() && !task.stands_still());
        tasks.map(|task| task.tid)
    }

    /// Who is to stop where just somebody is: the last again, if it was running.
    fn somebody(&self) -> Option<Pid> {
        let running = || self.tasks.values().filter(|task| !task.stands_still());
        let last = running().find(|task| task.tid == self.last);
        let stopped = last.or_else(|| running().find(|task| task.is_stopped()));
        stopped.or_else(|| running().next()).map(|task| task.tid)
    }

    /// Whose turn it is: who steps, for gdb waits for that; otherwise the next after the last.
    fn next_reporter(&self) -> Option<Pid> {
        let steps = |tid: &Pid| self.tasks.get(tid).is_some_and(|task| task.steps());
        self.reporters()
            .find(steps)
            .or_else(|| self.reporters().find(|tid| *tid > self.last))
            .or_else(|| self.reporters().next())
    }
}
