//! System calls as statements.

use super::{Is, Prog, Val, Var};
use abi::linux::general as g;
use iced_x86::code_asm::*;

impl Prog {
    /// exit_group.
    pub fn exit(&mut self, status: impl Into<Val>) {
        self.sys(g::__NR_exit_group, &[status.into()]);
    }

    /// fork: the child does `child` and exits with status 0 if that does not; `rax` is its pid.
    pub fn fork(&mut self, child: impl FnOnce(&mut Prog)) {
        self.sys(g::__NR_fork, &[]);
        self.as_child(child);
    }

    /// The same with vfork.
    pub fn vfork(&mut self, child: impl FnOnce(&mut Prog)) {
        self.sys(g::__NR_vfork, &[]);
        self.as_child(child);
    }

    /// A thread of the same process with a stack of its own: does `body` and exits; `rax` is its
    /// tid. Variables are shared with everybody.
    pub fn thread(&mut self, body: impl FnOnce(&mut Prog)) {
        let stack = self.page() + 4096;
        let flags = g::CLONE_VM
            | g::CLONE_FS
            | g::CLONE_FILES
            | g::CLONE_SIGHAND
            | g::CLONE_THREAD
            | g::CLONE_SYSVSEM;
        self.sys(
            g::__NR_clone,
            &[flags.into(), stack.into(), 0.into(), 0.into(), 0.into()],
        );
        self.as_child(|p| {
            body(p);
            p.sys(g::__NR_exit, &[0.into()]);
        });
    }

    fn as_child(&mut self, child: impl FnOnce(&mut Prog)) {
        let parent = self.label();
        self.ok(|a| a.test(rax, rax));
        self.ok(|a| a.jne(parent));
        child(self);
        self.exit(0);
        self.here(parent);
    }

    /// wait4 for `pid` with options: `rax` is its result, `status` the status word.
    pub fn wait4(&mut self, pid: impl Into<Val>, status: Var, options: u32) {
        if self.entry == super::Entry::Message {
            return self.wait_by_message(pid.into(), status, options.into());
        }
        self.sys(
            g::__NR_wait4,
            &[pid.into(), Val::Num(status.0), options.into(), 0.into()],
        );
        // The status is 32 bits; the rest of the variable stays 0.
    }

    /// Waits for a child and has the test fail unless it ends so.
    #[track_caller]
    pub fn wait_for(&mut self, pid: Var, expected: i32) {
        let status = self.var();
        self.wait4(pid, status, g::__WALL);
        self.check(Val::Rax, pid);
        self.check(status, expected as u32 as u64);
    }

    /// Waits until no child is left.
    pub fn wait_for_all(&mut self) {
        let status = self.var();
        self.forever(|p, end| {
            p.wait4(-1, status, g::__WALL);
            p.ok(|a| a.cmp(rax, -10));
            p.ok(|a| a.je(end));
        });
    }

    /// Kills all other processes until none is left. Once is not enough: a tracee that is killed
    /// may stop at its exit event.
    pub fn kill_everybody(&mut self) {
        let status = self.var();
        self.forever(|p, end| {
            p.kill(-1, abi::signal::SIGKILL);
            p.wait4(-1, status, g::WNOHANG | g::__WALL);
            p.ok(|a| a.cmp(rax, -10));
            p.ok(|a| a.je(end));
            p.sleep(100_000);
        });
    }

    /// The same where some are in contexts of their own, which "all" does not reach: by their
    /// numbers, up to one.
    pub fn kill_all_up_to(&mut self, last: u64) {
        let (status, pid) = (self.var(), self.var());
        self.forever(|p, end| {
            p.set(pid, 2);
            p.times(last - 1, |p| {
                p.kill(pid, abi::signal::SIGKILL);
                p.add(pid, 1);
            });
            p.wait4(-1, status, g::WNOHANG | g::__WALL);
            p.ok(|a| a.cmp(rax, -10));
            p.ok(|a| a.je(end));
            p.sleep(100_000);
        });
    }

    /// kill.
    pub fn kill(&mut self, pid: impl Into<Val>, signo: u8) {
        self.sys(g::__NR_kill, &[pid.into(), signo.into()]);
    }

    /// getpid.
    pub fn getpid(&mut self) {
        self.sys(g::__NR_getpid, &[]);
    }

    /// execve of a path, with itself as the only argument.
    pub fn exec(&mut self, path: &str) {
        let path = self.string(path);
        let argv = self.words(&[path, 0]);
        let envp = self.words(&[0]);
        self.sys(g::__NR_execve, &[path.into(), argv.into(), envp.into()]);
    }

    /// nanosleep.
    pub fn sleep(&mut self, nanoseconds: u64) {
        let time = self.words(&[nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000]);
        self.sys(g::__NR_nanosleep, &[time.into(), 0.into()]);
    }

    /// pipe: the variables get its two ends.
    pub fn pipe(&mut self, read: Var, write: Var) {
        let fds = self.var();
        self.sys(g::__NR_pipe, &[Val::Num(fds.0)]);
        self.set_low(read, fds.0);
        self.set_low(write, fds.0 + 4);
    }

    /// close.
    pub fn close(&mut self, fd: impl Into<Val>) {
        self.sys(g::__NR_close, &[fd.into()]);
    }

    /// read.
    pub fn read(&mut self, fd: impl Into<Val>, buffer: u64, len: impl Into<Val>) {
        self.sys(g::__NR_read, &[fd.into(), buffer.into(), len.into()]);
    }

    /// write.
    pub fn write(&mut self, fd: impl Into<Val>, buffer: u64, len: impl Into<Val>) {
        self.sys(g::__NR_write, &[fd.into(), buffer.into(), len.into()]);
    }

    /// Prints a text on standard output.
    pub fn print(&mut self, text: &str) {
        let addr = self.bytes(text.as_bytes());
        self.write(1, addr, text.len() as u64);
    }

    /// Runs in circles until a variable is not 0.
    pub fn spin_until(&mut self, var: Var) {
        self.forever(|p, end| {
            p.ok(|a| a.pause());
            p.ok(|a| a.cmp(qword_ptr(var.0), 0));
            p.ok(|a| a.jne(end));
        });
    }

    /// Runs in circles.
    pub fn spin(&mut self) {
        self.forever(|p, _| p.ok(|a| a.pause()));
    }

    /// A handler of a signal: does `handler`, then returns. `flags` are SA_ ones.
    pub fn on_signal(&mut self, signo: u8, flags: u64, handler: impl FnOnce(&mut Prog)) {
        let (over, restorer, start) = (self.label(), self.label(), self.label());
        self.ok(|a| a.jmp(over));
        let restorer = self.here(restorer);
        self.sys(g::__NR_rt_sigreturn, &[]);
        let start = self.here(start);
        handler(self);
        self.ok(|a| a.ret());
        self.here(over);
        let action = self.words(&[0, flags | u64::from(g::SA_RESTORER), 0, 0]);
        self.address_of(Var(action), start);
        self.address_of(Var(action + 16), restorer);
        self.sys(
            g::__NR_rt_sigaction,
            &[signo.into(), action.into(), 0.into(), 8.into()],
        );
    }

    /// Sets a signal to be ignored (`true`) or to its default.
    pub fn ignore(&mut self, signo: u8, ignore: bool) {
        let action = self.words(&[ignore.into(), 0, 0, 0]);
        self.sys(
            g::__NR_rt_sigaction,
            &[signo.into(), action.into(), 0.into(), 8.into()],
        );
    }

    /// Replaces the mask of blocked signals.
    pub fn set_mask(&mut self, mask: u64) {
        let set = self.words(&[mask]);
        let how = g::SIG_SETMASK;
        self.sys(
            g::__NR_rt_sigprocmask,
            &[how.into(), set.into(), 0.into(), 8.into()],
        );
    }

    /// mmap of private anonymous memory.
    pub fn mmap(&mut self, len: u64, prot: u32) {
        let flags = g::MAP_PRIVATE | g::MAP_ANONYMOUS;
        let args = [
            0.into(),
            len.into(),
            prot.into(),
            flags.into(),
            (-1).into(),
            0.into(),
        ];
        self.sys(g::__NR_mmap, &args);
    }

    /// prlimit64: this process's soft and hard limit of a resource.
    pub fn limit(&mut self, resource: u32, limit: u64) {
        let limits = self.words(&[limit, limit]);
        let args = [0.into(), resource.into(), limits.into(), 0.into()];
        self.sys(g::__NR_prlimit64, &args);
    }

    /// chdir.
    pub fn chdir(&mut self, path: &str) {
        let path = self.string(path);
        self.sys(g::__NR_chdir, &[path.into()]);
    }

    /// unlink.
    pub fn unlink(&mut self, path: &str) {
        let path = self.string(path);
        self.sys(g::__NR_unlink, &[path.into()]);
    }

    /// open, with a mode for a file that is made; `rax` is the descriptor.
    pub fn open(&mut self, path: &str, flags: u32, mode: u32) {
        let path = self.string(path);
        self.sys(g::__NR_open, &[path.into(), flags.into(), mode.into()]);
    }

    /// Copies a file to standard output, from the beginning to the end.
    pub fn show(&mut self, path: &str) {
        let fd = self.var();
        self.open(path, g::O_RDONLY, 0);
        self.store(fd);
        let all = 1u64 << 30;
        self.sys(
            g::__NR_sendfile,
            &[1.into(), fd.into(), 0.into(), all.into()],
        );
        self.close(fd);
    }

    /// Does something if `rax` is an error.
    pub fn if_error(&mut self, then: impl FnOnce(&mut Prog)) {
        let result = self.var();
        self.store(result);
        self.when(result, Is::Less, 0, then);
        self.set(result, result);
    }
}
