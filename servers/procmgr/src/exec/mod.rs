//! execve: from a path to a running program.
//!
//! Everything is prepared in a space of its own while the old program still exists, so whatever
//! goes wrong leaves the caller as it was. The steps that wait are the file server's: finding the
//! program, the interpreter of a script (again and again), the ELF interpreter, and closing what
//! is to be closed.

mod args;
mod commit;
mod elf;
mod load;
mod others;
mod program;
mod script;
mod stack;

use crate::Procmgr;
use crate::credentials::Executable;
use crate::machine::{Machine, PAGE};
use crate::syscall::Done;
use crate::task::FsPurpose;
use abi::fs::FileRange;
use abi::linux::general as g;
use abi::{Errno, TaskId};
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use args::Args;
pub use others::Ready;

/// How many scripts may be each other's interpreters.
const MAX_SCRIPTS: usize = 4;

/// An execve under way.
#[derive(Clone, Hash)]
pub struct Exec {
    /// What the file server looks for at the moment.
    pub looking_for: LookingFor,
    args: Args,
    /// What is wrong with the arguments, which is said once the program is found.
    refused: Option<Errno>,
    /// The path as it was given, for /proc and AT_EXECFN.
    path: Vec<u8>,
    scripts: usize,
    program: Option<(FileRange, elf::Program)>,
    /// Whose the program is; a script's own owner and bits mean nothing.
    owner: Executable,
    /// Somebody has no right to read the program or its interpreter.
    unreadable: bool,
    /// Another process shares the working directory and mask.
    shared: bool,
}

/// A file that the file server has found to be run.
pub struct FoundProgram {
    /// Its bytes.
    pub range: FileRange,
    /// Whose it is.
    pub owner: Executable,
    /// Whether who runs it may read it.
    pub readable: bool,
    /// Another process shares the working directory and mask.
    pub shared: bool,
    /// It was found through a descriptor that exec closes.
    pub closes: bool,
}

/// What the file server is to find.
#[derive(Clone, Hash)]
pub enum LookingFor {
    /// A path in the task's memory.
    Path(At),
    /// A path that a script names, or the machine's command line.
    Script(Vec<u8>),
    /// The interpreter that an ELF file names.
    Interpreter(Vec<u8>),
}

/// Where execveat(2) looks.
#[derive(Clone, Copy, Hash)]
pub struct At {
    /// Where in the task's memory its path is.
    pub path: u64,
    /// What a relative path begins at.
    pub dirfd: i32,
    /// AT_ flags.
    pub flags: u32,
}

impl LookingFor {
    /// What a relative path begins at, and AT_ flags.
    pub fn place(&self) -> (i32, u32) {
        match self {
            LookingFor::Path(at) => (at.dirfd, at.flags),
            LookingFor::Script(_) | LookingFor::Interpreter(_) => (g::AT_FDCWD, 0),
        }
    }
}

/// An execve that cannot fail any more.
#[derive(Clone, Hash)]
pub struct Executed {
    /// The program.
    pub program: FileRange,
    /// Its path.
    pub path: Vec<u8>,
    former_tid: u32,
}

impl Procmgr {
    /// Starts the first process with the machine's command line (`/boot/command`).
    ///
    /// A command line that makes no sense ends the machine with status 127, as a shell would.
    pub fn start(&mut self, m: &mut impl Machine, command: &[u8]) {
        self.frames_at_start = m.frames_free();
        let started = abi::archive::Command::parse(command)
            .map_err(|_| Errno::EINVAL)
            .and_then(|c| Ok((c.path.as_bytes().to_vec(), Args::of_command(&c)?)))
            .and_then(|(path, args)| Ok((path, args, self.first_task(m)?)));
        match started {
            Ok((path, args, id)) => {
                let exec = Exec {
                    looking_for: LookingFor::Script(path.clone()),
                    args,
                    refused: None,
                    path,
                    scripts: 0,
                    program: None,
                    owner: Executable::default(),
                    unreadable: false,
                    shared: false,
                };
                self.task_mut(id).trace.first_program = Some(Box::new(exec));
                let purpose = FsPurpose::Created {
                    parent: id,
                    share_files: false,
                    share_fs: false,
                    args: Default::default(),
                };
                self.report_fs(m, id, purpose);
            }
            Err(e) => {
                m.log(format_args!("cannot start the first program: {e}"));
                m.power_off(127 << 8);
            }
        }
    }

    /// The first task has its files: it looks for its program.
    pub(crate) fn first_exec(&mut self, m: &mut impl Machine, id: TaskId, exec: Box<Exec>) {
        self.report_fs(m, id, FsPurpose::FindProgram(exec));
    }

    /// execve(2).
    pub(crate) fn sys_execve(&mut self, m: &mut impl Machine, id: TaskId, args: [u64; 6]) -> Done {
        let at = At {
            path: args[0],
            dirfd: g::AT_FDCWD,
            flags: 0,
        };
        self.exec(m, id, at, [args[1], args[2]])
    }

    /// execveat(2).
    pub(crate) fn sys_execveat(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        args: [u64; 6],
    ) -> Done {
        let at = At {
            path: args[1],
            dirfd: args[0] as i32,
            flags: args[4] as u32,
        };
        if at.flags & !(g::AT_EMPTY_PATH | g::AT_SYMLINK_NOFOLLOW) != 0 {
            return Errno::EINVAL.into();
        }
        self.exec(m, id, at, [args[2], args[3]])
    }

    fn exec(&mut self, m: &mut impl Machine, id: TaskId, at: At, lists: [u64; 2]) -> Done {
        if core::mem::take(&mut self.task_mut(id).over_process_limit)
            && self.exceeds_process_limit(id)
        {
            self.task_mut(id).over_process_limit = true;
            return Errno::EAGAIN.into();
        }
        let path = self.room(m).and_then(|()| self.read_path(m, id, at));
        match path {
            Ok(path) => {
                let args = self.read_args(m, id, &path, lists);
                let refused = args.as_ref().err().copied();
                let exec = Exec {
                    looking_for: LookingFor::Path(at),
                    args: args.unwrap_or_default(),
                    refused,
                    path,
                    scripts: 0,
                    program: None,
                    owner: Executable::default(),
                    unreadable: false,
                    shared: false,
                };
                self.report_fs(m, id, FsPurpose::FindProgram(Box::new(exec)));
                Done::Later
            }
            Err(e) => e.into(),
        }
    }

    /// The path as the new program finds it: through a descriptor where it begins there.
    fn read_path(&mut self, m: &mut impl Machine, id: TaskId, at: At) -> Result<Vec<u8>, Errno> {
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        let mut buffer = [0; PAGE as usize];
        let len = self.memory.read_cstr(m, space, at.path, &mut buffer)?;
        let path = &buffer[..len];
        if path.is_empty() && at.flags & g::AT_EMPTY_PATH == 0 {
            return Err(Errno::ENOENT);
        }
        if at.dirfd == g::AT_FDCWD || path.first() == Some(&b'/') {
            return Ok(path.to_vec());
        }
        let mut through = alloc::format!("/dev/fd/{}", at.dirfd).into_bytes();
        if !path.is_empty() {
            through.push(b'/');
            through.extend_from_slice(path);
        }
        Ok(through)
    }
}
