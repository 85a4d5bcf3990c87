//! From the program that was found to a space that is ready to run it.

use super::{Exec, FoundProgram, LookingFor, MAX_SCRIPTS, Ready, elf, load, script, stack};
use crate::Procmgr;
use crate::fork::FPU_AREA;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::{MapRequest, Source};
use crate::task::{FsPurpose, State};
use abi::fs::{FileRange, Layout};
use abi::linux::general as g;
use abi::{Errno, Regs, TaskId};
use alloc::boxed::Box;

impl Procmgr {
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
