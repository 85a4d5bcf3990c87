//! What an engine may ask about its task while that stands still ([`abi::engine::REQUEST`]).

use crate::Procmgr;
use crate::machine::Machine;
use crate::messages::Words;
use crate::ptrace::{Done, Request};
use crate::task::State;
use abi::engine::Handle;
use abi::linux::ptrace as nr;
use abi::{Errno, TaskId};

impl Procmgr {
    /// A request by the owner of an engine.
    pub(crate) fn engine_request(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        [number, handle, addr, data]: Words,
    ) -> Result<Done, Errno> {
        let handle = Handle::from_word(handle).ok_or(Errno::ESRCH)?;
        let engine = self.engine(handle)?;
        let stands = match self.task(handle.task).state {
            State::Held(hold) => hold.is_event(),
            _ => false,
        };
        if engine.client != client || !stands {
            return Err(Errno::ESRCH);
        }
        let request = Request {
            client,
            target: handle.task,
            addr,
            data,
        };
        match u32::try_from(number).unwrap_or(u32::MAX) {
            // These are about a ptrace stop, or end one.
            nr::PTRACE_CONT
            | nr::PTRACE_SYSCALL
            | nr::PTRACE_SINGLESTEP
            | nr::PTRACE_SINGLEBLOCK
            | nr::PTRACE_SYSEMU
            | nr::PTRACE_SYSEMU_SINGLESTEP
            | nr::PTRACE_LISTEN
            | nr::PTRACE_GETEVENTMSG
            | nr::PTRACE_GETSIGINFO
            | nr::PTRACE_SETSIGINFO
            | nr::PTRACE_GET_SYSCALL_INFO
            | nr::PTRACE_SET_SYSCALL_INFO => Err(Errno::EIO),
            number => self.request_at_stop(m, number, &request),
        }
    }
}
