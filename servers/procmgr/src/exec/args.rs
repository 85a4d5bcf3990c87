//! The arguments and environment of execve.

use super::script::Script;
use crate::Procmgr;
use crate::machine::{Machine, PAGE};
use abi::archive::Command;
use abi::linux::general as g;
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most bytes of strings and of pointers to them, however high the stack limit.
pub const MAX_BYTES: usize = 2 << 20;
/// What they may have however low it is, as on Linux.
const LEAST_BYTES: usize = 128 << 10;
/// The size of a pointer to a string.
const POINTER: usize = 8;
/// The longest string with its end, as Linux's MAX_ARG_STRLEN.
pub const MAX_STRING: usize = 32 * PAGE as usize;

/// Two lists of strings, bounded together.
#[derive(Clone, Hash)]
pub struct Args {
    /// argv
    pub argv: Vec<Vec<u8>>,
    /// envp
    pub envp: Vec<Vec<u8>>,
    /// How many bytes are left for more of them.
    left: usize,
    /// How many bytes of strings the stack has room for.
    stack: usize,
}

impl Default for Args {
    fn default() -> Args {
        Args {
            argv: Vec::new(),
            envp: Vec::new(),
            left: MAX_BYTES,
            stack: MAX_BYTES,
        }
    }
}

impl Args {
    /// The machine's command line.
    pub fn of_command(command: &Command<'_>) -> Result<Args, Errno> {
        let mut args = Args::default();
        for s in command.args.clone() {
            let string = args.admit(s.as_bytes())?;
            args.argv.push(string);
        }
        for s in command.env.clone() {
            let string = args.admit(s.as_bytes())?;
            args.envp.push(string);
        }
        Ok(args)
    }

    fn charge(&mut self, string: &[u8]) -> Result<(), Errno> {
        let size = string.len() + 1;
        let left = |room: usize, bytes| room.checked_sub(bytes).ok_or(Errno::E2BIG);
        self.left = left(self.left, size + POINTER)?;
        self.stack = left(self.stack, size)?;
        Ok(())
    }

    /// Counts a string and copies it: E2BIG when there are too many.
    fn admit(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Errno> {
        self.charge(bytes)?;
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len())
            .map_err(|_| Errno::ENOMEM)?;
        copy.extend_from_slice(bytes);
        Ok(copy)
    }

    /// argv of a script: its interpreter, the one argument, its path, the rest.
    pub fn become_script(&mut self, script: &Script, path: &[u8]) -> Result<(), Errno> {
        let mut argv = Vec::new();
        argv.push(self.admit(&script.interpreter)?);
        if let Some(argument) = &script.argument {
            argv.push(self.admit(argument)?);
        }
        argv.push(self.admit(path)?);
        let rest = core::mem::take(&mut self.argv);
        argv.extend(rest.into_iter().skip(1));
        self.argv = argv;
        Ok(())
    }
}

impl Procmgr {
    /// Reads argv and envp from the caller. EFAULT; E2BIG: a string is too long, or they and the
    /// path are more than a quarter of the stack limit, or than the stack. A missing list is an empty one; an empty
    /// argv becomes one empty string, as on Linux.
    pub(super) fn read_args(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        path: &[u8],
        [argv, envp]: [u64; 2],
    ) -> Result<Args, Errno> {
        let stack = self.process(self.process_of(id)).limits[g::RLIMIT_STACK as usize].0;
        let stack = usize::try_from(stack).unwrap_or(usize::MAX);
        let mut args = Args {
            left: (stack / 4).clamp(LEAST_BYTES, MAX_BYTES) + POINTER,
            // The strings end with a word of zeros.
            stack: (stack & !(PAGE as usize - 1)).saturating_sub(POINTER),
            ..Args::default()
        };
        args.charge(path)?;
        args.argv = self.read_list(m, id, argv, &mut args)?;
        if args.argv.is_empty() {
            args.charge(&[])?;
            args.argv.push(Vec::new());
        }
        args.envp = self.read_list(m, id, envp, &mut args)?;
        Ok(args)
    }

    fn read_list(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        mut at: u64,
        args: &mut Args,
    ) -> Result<Vec<Vec<u8>>, Errno> {
        let mut list = Vec::new();
        if at == 0 {
            return Ok(list);
        }
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        loop {
            let string = self.memory.read_u64(m, space, at)?;
            if string == 0 {
                return Ok(list);
            }
            let string = self.read_string(m, id, string)?;
            args.charge(&string)?;
            list.push(string);
            at = at.checked_add(8).ok_or(Errno::EFAULT)?;
        }
    }

    fn read_string(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        mut at: u64,
    ) -> Result<Vec<u8>, Errno> {
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        let mut string = Vec::new();
        let mut buffer = [0; 256];
        loop {
            match self.memory.read_cstr(m, space, at, &mut buffer) {
                Ok(len) => {
                    string.extend_from_slice(&buffer[..len]);
                    let fits = string.len() < MAX_STRING;
                    return fits.then_some(string).ok_or(Errno::E2BIG);
                }
                Err(Errno::ENAMETOOLONG) => {
                    string.extend_from_slice(&buffer);
                    at = at.checked_add(buffer.len() as u64).ok_or(Errno::EFAULT)?;
                }
                Err(e) => return Err(e),
            }
            if string.len() > MAX_STRING {
                return Err(Errno::E2BIG);
            }
        }
    }
}
