//! select(2) and pselect6(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::poll::{TimeForm, What, check_mask, read_timeout};
use crate::wait::Flow;
use abi::linux::general::{
    POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND,
    POLLWRNORM,
};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// What poll's bits mean for each of the three sets (select(2), "Correspondence between select()
/// and poll() notifications").
const MEANING: [u32; 3] = [
    POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
    POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
    POLLPRI,
];

/// A table is at least this large for select.
const MIN_SET: usize = 64;

/// The sets of one select: to read, to write, exceptions.
#[derive(Clone, Hash)]
pub(crate) struct Sets {
    count: usize,
    sets: [Option<Set>; 3],
}

/// A set and where it is.
#[derive(Clone, Hash)]
struct Set {
    addr: u64,
    bytes: Vec<u8>,
}

impl Set {
    fn has(&self, fd: usize) -> bool {
        self.bytes[fd / 8] & (1 << (fd % 8)) != 0
    }
}

impl Sets {
    /// The descriptors in any of the sets.
    pub fn fds(&self) -> impl Iterator<Item = i32> {
        let named = |fd: &usize| self.sets.iter().flatten().any(|set| set.has(*fd));
        (0..self.count).filter(named).map(|fd| fd as i32)
    }
}

impl Fs {
    /// select(2).
    pub(crate) fn select<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        count: i32,
        sets: [u64; 3],
        timeout: u64,
    ) -> Result<Flow, Errno> {
        self.select_with(port, count, sets, timeout, TimeForm::Microseconds)
    }

    /// pselect6(2). The signal mask is the process manager's business.
    pub(crate) fn pselect<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        count: i32,
        sets: [u64; 3],
        timeout: u64,
        mask: u64,
    ) -> Result<Flow, Errno> {
        if mask != 0 {
            let [mask, size] = port.words(mask)?;
            check_mask(mask, size)?;
        }
        self.select_with(port, count, sets, timeout, TimeForm::Nanoseconds)
    }

    fn select_with<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        count: i32,
        addrs: [u64; 3],
        timeout: u64,
        form: TimeForm,
    ) -> Result<Flow, Errno> {
        let limit = read_timeout(port, timeout, form)?;
        let count = usize::try_from(count)
            .map_err(|_| Errno::EINVAL)?
            .min(self.table(port.task)?.size().max(MIN_SET));
        let mut sets = [None, None, None];
        for (set, addr) in sets.iter_mut().zip(addrs) {
            if addr != 0 {
                let bytes = port.read_all(addr, count.div_ceil(64) * 8)?;
                *set = Some(Set { addr, bytes });
            }
        }
        let sets = Sets { count, sets };
        let named = |fd: usize| sets.sets.iter().flatten().any(|set| set.has(fd));
        if (0..count).any(|fd| named(fd) && self.file(port.task, fd as i32).is_err()) {
            return Err(Errno::EBADF);
        }
        self.begin_poll(port, What::Sets(sets), limit, Some((timeout, form)))
    }

    /// Finds what is ready; none while nothing is and there is time.
    pub(crate) fn answer_sets<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        task: TaskId,
        sets: &Sets,
        expired: bool,
    ) -> Result<Option<i64>, Errno> {
        let mut count = 0;
        let mut answers = [const { Vec::new() }; 3];
        for ((set, answer), meaning) in sets.sets.iter().zip(&mut answers).zip(MEANING) {
            let Some(set) = set else { continue };
            *answer = alloc::vec![0; set.bytes.len()];
            for fd in (0..sets.count).filter(|&fd| set.has(fd)) {
                // Closed meanwhile: a read would not wait, so it is ready for everything.
                let ready = self.readiness(task, fd as i32);
                if ready & (meaning | POLLNVAL) != 0 {
                    answer[fd / 8] |= 1 << (fd % 8);
                    count += 1;
                }
            }
        }
        if count == 0 && !expired {
            return Ok(None);
        }
        for (set, answer) in sets.sets.iter().zip(&answers) {
            if let Some(set) = set {
                port.write(set.addr, answer)?;
            }
        }
        Ok(Some(count))
    }
}
