//! kcmp(2): whether two tasks share something.

use crate::Fs;
use crate::host::{Host, Port};
use abi::Errno;
use core::cmp::Ordering;

const FILE: u32 = 0;
const MEMORY: u32 = 1;
const FILES: u32 = 2;
const FS: u32 = 3;
const HANDLERS: u32 = 4;
const IO: u32 = 5;
const UNDO: u32 = 6;

impl Fs {
    /// kcmp(2): 0 for the same, 1 and 2 for an order that stays as it is.
    pub(crate) fn kcmp<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (first, second): (u32, u32),
        what: u32,
        fds: (i32, i32),
    ) -> Result<i64, Errno> {
        let one = port.status(first)?;
        let other = port.status(second)?;
        for tid in [first, second] {
            port.may_access(tid, true).map_err(|_| Errno::EPERM)?;
        }
        let task = |task| self.tasks.get(task).ok_or(Errno::ESRCH);
        let order = match what {
            FILE => {
                let file = |task, fd| self.any_file(task, fd);
                file(one.task, fds.0)?.cmp(&file(other.task, fds.1)?)
            }
            MEMORY => one.memory.cmp(&other.memory),
            FILES => task(one.task)?.table.cmp(&task(other.task)?.table),
            FS => task(one.task)?.context.cmp(&task(other.task)?.context),
            HANDLERS => one.tgid.cmp(&other.tgid),
            // Nobody has any.
            IO | UNDO => Ordering::Equal,
            _ => return Err(Errno::EINVAL),
        };
        Ok(match order {
            Ordering::Equal => 0,
            Ordering::Less => 1,
            Ordering::Greater => 2,
        })
    }
}
