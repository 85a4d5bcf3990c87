//! execve: from a path to a running program.
//!
//! Everything is prepared in a space of its own while the old program still exists, so whatever
//! goes wrong leaves the caller as it was. The steps that wait are the file server's: finding the
//! program, the interpreter of a script (again and again), the ELF interpreter, and closing what
//! is to be closed.

mod args;
mod elf;
mod load;
mod others;
mod script;
mod stack;

use crate::Procmgr;
use crate::credentials::{Credentials, Executable, Unsafe};
use crate::fork::FPU_AREA;
use crate::hold::Hold;
use crate::machine::{Machine, PAGE, SpaceIx, Stub};
use crate::memory::{MapRequest, Source};
use crate::signal::frame::AltStack;
use crate::syscall::Done;
use crate::task::{AfterStub, FsPurpose, State};
use abi::fs::{FileRange, Layout};
use abi::linux::general as g;
use abi::tracer::Events;
use abi::{Errno, InCall, Regs, TaskId};
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

    /// The file server has found what was looked for, or has not.
    pub(crate) fn program_found(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        mut exec: Box<Exec>,
        found: Result<FoundProgram, Errno>,
    ) {
        self.task_mut(id).state = State::Moving;
        match found.and_then(|found| self.examine(m, &mut exec, &found)) {
            Ok(Next::Look) => self.report_fs(m, id, FsPurpose::FindProgram(exec)),
            Ok(Next::Run(space, start)) => {
                let (exec, (regs, layout)) = (*exec, *start);
                let ready = Ready {
                    exec,
                    space,
                    regs,
                    layout,
                };
                self.end_others(m, id, Box::new(ready));
            }
            Err(e) => self.exec_failed(m, id, &exec, e),
        }
    }

    fn exec_failed(&mut self, m: &mut impl Machine, id: TaskId, exec: &Exec, e: Errno) {
        if self.first == Some(self.process_of(id)) && !self.process(self.process_of(id)).has_execed
        {
            let path = alloc::string::String::from_utf8_lossy(&exec.path);
            m.log(format_args!("{path}: {}", describe(e)));
            let status = if e == Errno::ENOENT { 127 } else { 126 };
            let ix = self.process_of(id);
            self.kill_process(m, ix, status << 8);
            return self.return_to_user(m, id);
        }
        self.finish_syscall(m, id, e.as_result());
    }

    /// Looks at a file that was found: a script, a program, a program's interpreter.
    fn examine(
        &mut self,
        m: &mut impl Machine,
        exec: &mut Exec,
        found: &FoundProgram,
    ) -> Result<Next, Errno> {
        if let Some(e) = exec.refused {
            return Err(e);
        }
        let range = found.range;
        let mut head = [0; elf::HEAD];
        let len = (range.size as usize).min(head.len());
        self.memory
            .object_read(m, range.object, range.offset, &mut head[..len])?;
        let head = &head[..len];
        if let LookingFor::Interpreter(_) = exec.looking_for {
            let interpreter = elf::Program::parse(head)?;
            exec.unreadable |= !found.readable;
            return self.build(m, exec, Some((range, interpreter)));
        }
        if let Some(script) = script::parse(head)? {
            if exec.scripts == MAX_SCRIPTS {
                return Err(Errno::ELOOP);
            }
            // Its interpreter would not find it.
            if found.closes {
                return Err(Errno::ENOENT);
            }
            exec.scripts += 1;
            let script_path = match &exec.looking_for {
                LookingFor::Script(path) if exec.scripts > 1 => path.clone(),
                _ => exec.path.clone(),
            };
            exec.args.become_script(&script, &script_path)?;
            exec.looking_for = LookingFor::Script(script.interpreter);
            return Ok(Next::Look);
        }
        let program = elf::Program::parse(head)?;
        let interpreter = self.interpreter_of(m, range, &program)?;
        exec.program = Some((range, program));
        exec.owner = found.owner;
        exec.unreadable = !found.readable;
        exec.shared = found.shared;
        match interpreter {
            Some(path) => {
                exec.looking_for = LookingFor::Interpreter(path);
                Ok(Next::Look)
            }
            None => self.build(m, exec, None),
        }
    }

    /// Makes the new space with everything in it.
    fn build(
        &mut self,
        m: &mut impl Machine,
        exec: &Exec,
        interpreter: Option<(FileRange, elf::Program)>,
    ) -> Result<Next, Errno> {
        let space = self.memory.space_new(m)?;
        match self.fill(m, exec, interpreter, space) {
            Ok(start) => Ok(Next::Run(space, Box::new(start))),
            Err(e) => {
                self.memory.space_release(m, space);
                Err(e)
            }
        }
    }

    fn fill(
        &mut self,
        m: &mut impl Machine,
        exec: &Exec,
        interpreter: Option<(FileRange, elf::Program)>,
        space: SpaceIx,
    ) -> Result<(Regs, Layout), Errno> {
        let (range, program) = exec.program.as_ref().ok_or(Errno::ENOEXEC)?;
        let fpu = MapRequest {
            addr: FPU_AREA,
            len: PAGE,
            prot: g::PROT_READ | g::PROT_WRITE,
            flags: g::MAP_PRIVATE | g::MAP_FIXED,
            source: Source::Anonymous,
        };
        self.memory.map(m, space, &fpu)?;
        let loaded = self.load(m, space, *range, program, load::Place::Program)?;
        self.memory.set_brk(space, loaded.end);
        let interpreter = match interpreter {
            Some((range, it)) => Some(self.load(m, space, range, &it, load::Place::Interpreter)?),
            None => None,
        };
        let mut random = [0; 16];
        self.random.fill(&mut random);
        let auxv = stack::Auxv {
            program: &loaded,
            interpreter: interpreter.as_ref(),
            random,
        };
        let layout = self.build_stack(m, space, &exec.args, &exec.path, &auxv)?;
        let rip = interpreter.map_or(loaded.entry, |i| i.entry);
        let regs = Regs {
            rip,
            rsp: layout.stack,
            rflags: 0x202,
            ..Regs::default()
        };
        Ok((regs, layout))
    }

    /// The task is alone in its process and takes the new space. Nothing fails from here on.
    fn commit(&mut self, m: &mut impl Machine, id: TaskId, ready: Ready, former_tid: u32) {
        let Ready {
            exec,
            space,
            regs,
            layout,
        } = ready;
        let ix = self.process_of(id);
        self.leave_words(m, id);
        self.release_vfork(m, id);
        m.thread_move(id, space);
        let (new, secure) = self.executing(id, &exec);
        self.write_identity(m, space, &layout, &new, secure);
        let name = exec.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let task = self.task_mut(id);
        task.comm = [0; 16];
        for (to, from) in task.comm[..15].iter_mut().zip(name) {
            *to = *from;
        }
        let old = task.space.replace(space);
        // The call's number stays visible, and it has not returned yet.
        let regs = Regs {
            rax: Errno::ENOSYS.as_result() as u64,
            ..regs
        };
        let call = InCall::No {
            orig_rax: g::__NR_execve.into(),
        };
        task.registers.set(regs, call);
        task.altstack = AltStack::default();
        task.gs_base = 0;
        task.restart = None;
        self.begin_messages(m, id);
        self.process_mut(ix).stop_page = None;
        if let Some(old) = old {
            let peak = self.memory.peak(old);
            let process = self.process_mut(ix);
            process.peak_gone = process.peak_gone.max(peak);
            self.memory.space_release(m, old);
        }
        self.delete_timers(ix);
        self.clear_breakpoints(m, id);
        let process = self.process_mut(ix);
        process.actions.reset_handlers();
        process.has_execed = true;
        process.exec_path = exec.path.clone();
        process.layout = layout;
        self.apply_memory_limits(ix);
        self.take_identity(id, new, secure, exec.unreadable);
        let program = exec.program.as_ref().expect("a program was built").0;
        let done = Executed {
            program,
            path: exec.path,
            former_tid,
        };
        self.report_fs(m, id, FsPurpose::Executed(Box::new(done)));
    }

    /// Who the task is with its new program, and whether that has to be careful.
    fn executing(&self, id: TaskId, exec: &Exec) -> (Credentials, bool) {
        let task = self.task(id);
        let unsafety = Unsafe {
            no_new_privileges: task.no_new_privileges,
            shared: exec.shared,
            traced: task.trace.is_watched_unprivileged(),
        };
        task.credentials.executing(exec.owner, unsafety)
    }

    /// It is that from here on. Its memory is new: who may look into it is decided anew.
    fn take_identity(&mut self, id: TaskId, new: Credentials, secure: bool, unreadable: bool) {
        let before = self.credentials(id);
        let itself = before.uid[1] == before.uid[0] && before.gid[1] == before.gid[0];
        self.set_dumpable(id, itself && !unreadable);
        if secure {
            self.task_mut(id).parent_death_signal = 0;
        }
        self.commit_credentials(id, new);
    }

    /// The file server has closed what was to be closed.
    pub(crate) fn executed(&mut self, m: &mut impl Machine, id: TaskId, done: &Executed) {
        let former_tid = done.former_tid;
        if let Some(status) = self.doomed(id) {
            return self.begin_exit(m, id, status);
        }
        m.run_stub(id, Stub::FpuInit, 0);
        self.task_mut(id).state = State::Stub(AfterStub::Exec { former_tid });
    }

    /// The FPU is as a program finds it: the exec report, then the end of the call.
    pub(crate) fn exec_done(&mut self, m: &mut impl Machine, id: TaskId, former_tid: u32) {
        if self.task(id).trace.events.contains(Events::EXEC) {
            self.report(m, id, Hold::Exec { former_tid });
        } else {
            self.finish_syscall(m, id, 0);
        }
    }
}

enum Next {
    Look,
    Run(SpaceIx, Box<(Regs, Layout)>),
}

fn describe(e: Errno) -> &'static str {
    match e {
        Errno::ENOENT => "No such file or directory",
        Errno::EACCES => "Permission denied",
        Errno::ENOEXEC => "Exec format error",
        Errno::ENOMEM => "Cannot allocate memory",
        Errno::ELOOP => "Too many levels of symbolic links",
        Errno::ENOTDIR => "Not a directory",
        _ => "cannot be executed",
    }
}
