//! What the file server keeps of a task: its descriptors, working directory, mask and program.

use crate::Fs;
use crate::fdtable::{Fd, FdTable, MAX_FD_SLOTS};
use crate::host::{Host, Port};
use crate::rights::Rights;
use crate::tree::{Body, Ino, Node, ROOT};
use abi::fs::{FileRange, Outcome, Path};
use abi::linux::general::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDWR, R_OK, X_OK};
use abi::{Errno, PidName, SigSet, TaskId};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// One task that the process manager has told of.
#[derive(Clone, Hash)]
pub(crate) struct Task {
    pub tid: u32,
    pub tgid: u32,
    pub table: u32,
    pub context: u32,
    pub exe: Option<Ino>,
    /// What it may do.
    pub rights: Rc<Rights>,
    /// The signals that wait for it, as of the last time that it polled a signalfd.
    pub pending: SigSet,
    /// It is looking for a program to run.
    pub execs: bool,
    /// The core file that is being written.
    pub core: Option<Ino>,
}

/// What CLONE_FS shares.
#[derive(Clone, Hash)]
pub(crate) struct Context {
    pub cwd: Node,
    pub root: Node,
    pub umask: u32,
    users: u32,
}

impl Fs {
    /// A task that is its own parent is the first one: it gets the console. ENOMEM when there are
    /// too many. Its parent may get a pidfd of it, which is the result then.
    pub(crate) fn created<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        parent: TaskId,
        (tid, tgid): (u32, u32),
        (share_files, share_fs): (bool, bool),
        pidfd: Option<PidName>,
    ) -> Result<i64, Errno> {
        let id = port.task;
        if !self.tasks.has_room_for(id) {
            return Err(Errno::EINVAL);
        }
        let places = self
            .tasks
            .get(parent)
            .map_or(0, |task| self.tables[task.table].len());
        if self.tables.room() == 0
            || self.contexts.room() == 0
            || self.fd_slots + places > MAX_FD_SLOTS
        {
            return Err(Errno::ENOMEM);
        }
        let (table, context, exe, rights) = if id == parent {
            let table = self.console_table()?;
            self.give_console(tid);
            (table, self.root_context(), None, Rc::clone(&self.root))
        } else {
            let parent = self.tasks.get(parent).ok_or(Errno::ESRCH)?;
            let (table, context, exe) = (parent.table, parent.context, parent.exe);
            let rights = Rc::clone(&parent.rights);
            // Its exec counts on nobody else's having it.
            if share_fs && parent.tgid != tgid && self.being_executed(parent.tgid, context) {
                return Err(Errno::EAGAIN);
            }
            (
                if share_files {
                    table
                } else {
                    self.copy_table(table)
                },
                if share_fs {
                    context
                } else {
                    self.copy_context(context)
                },
                exe,
                rights,
            )
        };
        self.tables[table].users += 1;
        self.contexts[context].users += 1;
        self.fd_slots += self.tables[table].len();
        self.hold_program(exe);
        let task = Task {
            tid,
            tgid,
            table,
            context,
            exe,
            rights,
            pending: SigSet::EMPTY,
            execs: false,
            core: None,
        };
        self.tasks.insert(id, task);
        let Some(name) = pidfd else {
            return Ok(0);
        };
        let given = self.give_pidfd(port, parent, name, tid != tgid);
        if given.is_err() {
            self.exited(port)?;
        }
        given
    }

    /// Closes everything of a task's own, and forgets what it waits for.
    pub(crate) fn exited<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<i64, Errno> {
        let id = port.task;
        let task = self.tasks.remove(id).ok_or(Errno::ESRCH)?;
        self.leader_exited(port.host, task.tid);
        self.forget_waits(id);
        self.fd_slots -= self.tables[task.table].len();
        self.leave_table(task.table);
        let context = &mut self.contexts[task.context];
        context.users -= 1;
        if context.users == 0 {
            let (cwd, root) = (context.cwd, context.root);
            self.contexts.remove(task.context);
            self.release_node(cwd);
            self.release_node(root);
        }
        self.release_program(task.exe);
        self.drop_core(task.core);
        Ok(0)
    }

    /// execve(2): the table becomes the task's own, and what is marked so is closed.
    pub(crate) fn executed<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        tid: u32,
        program: FileRange,
        path: &[u8],
    ) -> Result<i64, Errno> {
        let exe = self.tree.by_range(program).or_else(|| {
            let cwd = self.cwd(port.task).ok()?;
            match self.resolve(port, cwd, path, true) {
                Ok(Node::Inode(ino)) => Some(ino),
                _ => None,
            }
        });
        self.hold_program(exe);
        let task = self.tasks.get_mut(port.task).ok_or(Errno::ESRCH)?;
        task.tid = tid;
        let old = core::mem::replace(&mut task.exe, exe);
        self.release_program(old);
        let table = self.unshare_table(port.task)?;
        self.close_where(table, |_, fd| fd.cloexec);
        Ok(0)
    }

    /// The program of an execve(2): a regular file that somebody may execute.
    pub(crate) fn find_program<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: Path<'_>,
        flags: u32,
    ) -> Result<Outcome, Errno> {
        let path = port.path(path)?;
        let through_fd = dirfd != AT_FDCWD && path.first() != Some(&b'/');
        let base = self.base(port.task, dirfd, &path)?;
        let node = match path.is_empty() && flags & AT_EMPTY_PATH != 0 {
            true => base,
            false => self.resolve(port, base, &path, flags & AT_SYMLINK_NOFOLLOW == 0)?,
        };
        if self.is_link(node) {
            return Err(Errno::ELOOP);
        }
        let Node::Inode(ino) = node else {
            return Err(Errno::EACCES);
        };
        let entry = self.table(port.task)?.get(dirfd);
        let closes = through_fd && entry.is_some_and(|entry| entry.cloexec);
        let Body::File(range) = self.tree.get(ino).body else {
            return Err(Errno::EACCES);
        };
        self.permitted(port, Node::Inode(ino), X_OK)?;
        if self.tree.get(ino).writers > 0 {
            return Err(Errno::ETXTBSY);
        }
        let readable = self.permitted(port, Node::Inode(ino), R_OK).is_ok();
        let shared = self.shares_context(port.task)?;
        if let Some(task) = self.tasks.get_mut(port.task) {
            task.execs = true;
        }
        let inode = self.tree.get(ino);
        Ok(Outcome::Program {
            range,
            uid: inode.uid,
            gid: inode.gid,
            mode: inode.mode,
            readable,
            shared,
            closes,
        })
    }

    fn hold_program(&mut self, exe: Option<Ino>) {
        if let Some(exe) = exe {
            self.tree.hold(exe);
            self.tree.get_mut(exe).programs += 1;
        }
    }

    fn release_program(&mut self, exe: Option<Ino>) {
        if let Some(exe) = exe {
            self.tree.get_mut(exe).programs -= 1;
            self.release_node(Node::Inode(exe));
        }
    }

    /// Whether a task of another process has a task's working directory and mask.
    fn shares_context(&self, id: TaskId) -> Result<bool, Errno> {
        let task = self.tasks.get(id).ok_or(Errno::ESRCH)?;
        if self.contexts[task.context].users == 1 {
            return Ok(false);
        }
        let other = |other: &Task| other.context == task.context && other.tgid != task.tgid;
        Ok(self.tasks.values().any(other))
    }

    /// Whether a task of a process that has this context is in execve.
    fn being_executed(&self, tgid: u32, context: u32) -> bool {
        let mut tasks = self.tasks.values();
        tasks.any(|task| task.execs && task.tgid == tgid && task.context == context)
    }

    /// The object behind a descriptor that is to be mapped (mmap(2), ERRORS).
    pub(crate) fn map(
        &self,
        task: TaskId,
        fd: i32,
        shared: bool,
        write: bool,
    ) -> Result<Outcome, Errno> {
        let file = &self.files[self.file(task, fd)?];
        if !file.readable() || (shared && write && !file.writable()) {
            return Err(Errno::EACCES);
        }
        let Node::Inode(ino) = file.node else {
            return Err(Errno::ENODEV);
        };
        let Body::File(range) = self.tree.get(ino).body else {
            return Err(Errno::ENODEV);
        };
        let may_write = shared && file.writable() && self.may_map_writable(ino, write)?;
        Ok(Outcome::File { range, may_write })
    }

    pub(crate) fn cwd(&self, task: TaskId) -> Result<Node, Errno> {
        Ok(self.contexts[self.tasks.get(task).ok_or(Errno::ESRCH)?.context].cwd)
    }

    pub(crate) fn context_mut(&mut self, task: TaskId) -> Result<&mut Context, Errno> {
        let task = self.tasks.get(task).ok_or(Errno::ESRCH)?;
        Ok(&mut self.contexts[task.context])
    }

    pub(crate) fn table(&self, task: TaskId) -> Result<&FdTable, Errno> {
        Ok(&self.tables[self.tasks.get(task).ok_or(Errno::ESRCH)?.table])
    }

    pub(crate) fn table_mut(&mut self, task: TaskId) -> Result<&mut FdTable, Errno> {
        let task = self.tasks.get(task).ok_or(Errno::ESRCH)?;
        Ok(&mut self.tables[task.table])
    }

    pub(crate) fn by_tid(&self, tid: u32) -> Option<&Task> {
        self.tasks.values().find(|task| task.tid == tid)
    }

    /// A copy that keeps every open file, with no user yet. There is one table at most for each
    /// task, so there is room.
    pub(crate) fn copy_table(&mut self, table: u32) -> u32 {
        let mut copy = self.tables[table].clone();
        copy.users = 0;
        for (_, fd) in copy.iter() {
            self.hold_file(fd.file);
        }
        self.tables.insert(copy).expect("a table for each task")
    }

    /// Gives a task a table of its own; which one.
    pub(crate) fn unshare_table(&mut self, id: TaskId) -> Result<u32, Errno> {
        let table = self.tasks.get(id).ok_or(Errno::ESRCH)?.table;
        if self.tables[table].users == 1 {
            return Ok(table);
        }
        let own = self.copy_table(table);
        self.tables[own].users = 1;
        self.leave_table(table);
        self.tasks.get_mut(id).ok_or(Errno::ESRCH)?.table = own;
        Ok(own)
    }

    /// One user of a table less; the last one closes everything.
    pub(crate) fn leave_table(&mut self, table: u32) {
        self.tables[table].users -= 1;
        if self.tables[table].users == 0 {
            self.close_where(table, |_, _| true);
            self.tables.remove(table);
        }
    }

    /// Closes the descriptors that `which` chooses.
    pub(crate) fn close_where(&mut self, table: u32, which: impl Fn(i32, Fd) -> bool) {
        let chosen: Vec<(i32, Fd)> = self.tables[table]
            .iter()
            .filter(|&(fd, entry)| which(fd, entry))
            .collect();
        for (fd, entry) in chosen {
            self.tables[table].take(fd);
            self.close_file(table, entry.file);
        }
    }

    /// Gives a task a working directory and mask of its own.
    pub(crate) fn unshare_context(&mut self, id: TaskId) -> Result<(), Errno> {
        let context = self.tasks.get(id).ok_or(Errno::ESRCH)?.context;
        if self.contexts[context].users == 1 {
            return Ok(());
        }
        let own = self.copy_context(context);
        self.contexts[own].users = 1;
        self.contexts[context].users -= 1;
        self.tasks.get_mut(id).ok_or(Errno::ESRCH)?.context = own;
        Ok(())
    }

    fn copy_context(&mut self, context: u32) -> u32 {
        let Context {
            cwd, root, umask, ..
        } = self.contexts[context];
        self.add_context(cwd, root, umask)
    }

    fn root_context(&mut self) -> u32 {
        self.add_context(Node::Inode(ROOT), Node::Inode(ROOT), 0o022)
    }

    fn add_context(&mut self, cwd: Node, root: Node, umask: u32) -> u32 {
        self.hold_node(cwd);
        self.hold_node(root);
        let context = Context {
            cwd,
            root,
            umask,
            users: 0,
        };
        self.contexts
            .insert(context)
            .expect("a context for each task")
    }

    /// The first process's descriptors: the console twice, and the log channel or the console.
    fn console_table(&mut self) -> Result<u32, Errno> {
        if self.files.room() < 3 {
            return Err(Errno::ENFILE);
        }
        let mut table = FdTable::default();
        // What goes wrong is shown where the user looks, if that is a terminal.
        let errors = if self.console.tty() {
            &b"console"[..]
        } else {
            b"ttyprintk"
        };
        for (fd, name) in (0..).zip([&b"console"[..], b"console", errors]) {
            let node = self.device_node(name);
            let file = self.add_file(node, O_RDWR, Box::default())?;
            self.hold_file(file);
            let cloexec = false;
            table.put(fd, Fd { file, cloexec });
        }
        Ok(self.tables.insert(table).expect("there was room"))
    }

    pub(crate) fn device_node(&self, name: &[u8]) -> Node {
        const THERE: &str = "every device is made at the start";
        let entry = |ino, name| self.tree.directory(ino).and_then(|d| d.entries.get(name));
        let Node::Inode(dev) = entry(ROOT, &b"dev"[..]).expect(THERE).node else {
            return Node::Inode(ROOT);
        };
        entry(dev, name).expect(THERE).node
    }
}
