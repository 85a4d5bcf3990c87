//! The ptrace engine (ptrace.md): one kind of engine upon the engine layer.
//!
//! The requests that come here decide something about a task that others watch too, or whose bond is known
//! here: who traces whom, with which options. The rest of ptrace is the process manager's.

mod attach;
mod detach;
mod events;
mod options;
mod tracee;

pub use tracee::Tracee;

use crate::{Host, Tracer, host};
use abi::client::{PTRACE_COUNT, PTRACE_FAULT};
use abi::linux::ptrace as nr;
use abi::tracer::{Call, Reply};
use abi::{Errno, TaskId};

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Who asks.
    pub client: TaskId,
    /// What: `enum __ptrace_request`.
    pub number: u64,
    /// The tid, as the int it is in Linux.
    pub pid: i32,
    /// The address argument.
    pub addr: u64,
    /// The data argument.
    pub data: u64,
}

impl Request {
    /// The request that these four arguments of ptrace(2) make.
    pub fn new(client: TaskId, args: [u64; 4]) -> Request {
        let [number, pid, addr, data] = args;
        Request {
            client,
            number,
            pid: pid as i32,
            addr,
            data,
        }
    }

    /// The request's number, one that nothing has if it is too large to be one.
    fn request(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(u32::MAX)
    }

    /// The tid; ESRCH for what cannot be one.
    fn tid(&self) -> Result<u32, Errno> {
        u32::try_from(self.pid).map_err(|_| Errno::ESRCH)
    }
}

impl Tracer {
    /// Does a request: the result as a system call leaves it.
    pub(crate) fn ptrace(&mut self, host: &mut impl Host, request: &Request) -> Result<i64, Errno> {
        match request.request() {
            nr::PTRACE_TRACEME => self.traceme(host, request.client)?,
            nr::PTRACE_ATTACH => self.attach(host, request)?,
            nr::PTRACE_SEIZE => self.seize(host, request)?,
            nr::PTRACE_DETACH => self.detach(host, request)?,
            nr::PTRACE_SETOPTIONS | nr::PTRACE_OLDSETOPTIONS => self.set_options(host, request)?,
            PTRACE_COUNT => return self.count(host, request),
            PTRACE_FAULT => return self.fault(host, request),
            _ => return Err(Errno::EIO),
        }
        Ok(0)
    }

    /// What an error of the tracer's own would do, for who may see what becomes of it.
    fn fault(&self, host: &mut impl Host, request: &Request) -> Result<i64, Errno> {
        host::watches(host, request.client)?;
        panic!("a fault was asked for")
    }

    /// How many entries a table has, or how much was done.
    fn count(&self, host: &mut impl Host, request: &Request) -> Result<i64, Errno> {
        host::watches(host, request.client)?;
        let (engines, newborn) = self.tasks.population();
        let count = match request.addr {
            4 => return Ok(host.work()[0] as i64),
            5 => return Ok(host.work()[1] as i64),
            0 => self.tasks.len(),
            1 => self.clients.count(),
            2 => engines,
            3 => newborn,
            _ => return Err(Errno::EINVAL),
        };
        Ok(count as i64)
    }

    /// A3, steps 1 to 5. The client's own tracee is found without asking anybody.
    fn own_tracee(&mut self, host: &mut impl Host, request: &Request) -> Result<TaskId, Errno> {
        let tid = request.tid()?;
        let client = request.client;
        if let Some(task) = self.tasks.find(tid)
            && let Some((_, tracee)) = self.tasks.get_mut(task).and_then(|t| t.ptrace())
            && tracee.tracer == client
        {
            return Ok(task);
        }
        let Reply::Found { task } = host::ask(host, &Call::CheckTracer { client, tid })? else {
            return Err(Errno::ESRCH);
        };
        self.adopt(host, task)?;
        let tracee = self.tasks.get(task).and_then(|task| task.tracee());
        let own = tracee.is_some_and(|tracee| tracee.tracer == client);
        own.then_some(task).ok_or(Errno::ESRCH)
    }
}
