//! What the file server keeps of a task: its descriptors, working directory, mask and program.

use crate::Fs;
use crate::fdtable::{Fd, FdTable};
use crate::host::{Host, Port};
use crate::tree::{Body, Ino, Node, ROOT};
use abi::fs::{FileRange, Outcome, Path};
use abi::linux::general::O_RDWR;
use abi::{Errno, TaskId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One task that the process manager has told of.
pub(crate) struct Task {
    pub tid: u32,
    pub tgid: u32,
    pub table: u32,
    pub context: u32,
    pub exe: Option<Ino>,
}

/// What CLONE_FS shares.
pub(crate) struct Context {
    pub cwd: Node,
    pub umask: u32,
    users: u32,
}

impl Fs {
    /// A task that is its own parent is the first one: it gets the console. ENOMEM when there are
    /// too many.
    pub(crate) fn created(
        &mut self,
        id: TaskId,
        parent: TaskId,
        tid: u32,
        tgid: u32,
        share_files: bool,
        share_fs: bool,
    ) -> Result<i64, Errno> {
        if self.tasks.contains_key(&id) {
            return Err(Errno::EINVAL);
        }
        if self.tables.room() == 0 || self.contexts.room() == 0 {
            return Err(Errno::ENOMEM);
        }
        let (table, context, exe) = if id == parent {
            let table = self.console_table()?;
            self.give_console(tid);
            (table, self.root_context(), None)
        } else {
            let parent = self.tasks.get(&parent).ok_or(Errno::ESRCH)?;
            let (table, context, exe) = (parent.table, parent.context, parent.exe);
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
            )
        };
        self.tables[table].users += 1;
        self.contexts[context].users += 1;
        if let Some(exe) = exe {
            self.tree.hold(exe);
        }
        let task = Task {
            tid,
            tgid,
            table,
            context,
            exe,
        };
        self.tasks.insert(id, task);
        Ok(0)
    }

    /// Closes everything of a task's own, and forgets what it waits for.
    pub(crate) fn exited<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<i64, Errno> {
        let id = port.task;
        let task = self.tasks.remove(&id).ok_or(Errno::ESRCH)?;
        self.leader_exited(port.host, task.tid);
        self.forget_waits(id);
        self.leave_table(task.table);
        let context = &mut self.contexts[task.context];
        context.users -= 1;
        if context.users == 0 {
            let cwd = context.cwd;
            self.contexts.remove(task.context);
            self.release_node(cwd);
        }
        if let Some(exe) = task.exe {
            self.release_node(Node::Inode(exe));
        }
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
        if let Some(exe) = exe {
            self.tree.hold(exe);
        }
        let task = self.tasks.get_mut(&port.task).ok_or(Errno::ESRCH)?;
        task.tid = tid;
        let old = core::mem::replace(&mut task.exe, exe);
        if let Some(old) = old {
            self.release_node(Node::Inode(old));
        }
        let table = self.unshare_table(port.task)?;
        self.close_where(table, |_, fd| fd.cloexec);
        Ok(0)
    }

    /// The program of an execve(2): a regular file that somebody may execute.
    pub(crate) fn find_program<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: Path<'_>,
    ) -> Result<Outcome, Errno> {
        let path = port.path(path)?;
        let cwd = self.cwd(port.task)?;
        let Node::Inode(ino) = self.resolve(port, cwd, &path, true)? else {
            return Err(Errno::EACCES);
        };
        let inode = self.tree.get(ino);
        match inode.body {
            Body::File(range) if inode.mode & 0o111 != 0 => Ok(Outcome::Program {
                range,
                uid: inode.uid,
                gid: inode.gid,
                mode: inode.mode,
            }),
            _ => Err(Errno::EACCES),
        }
    }

    /// The object behind a descriptor that is to be mapped (mmap(2), ERRORS).
    pub(crate) fn map(&self, task: TaskId, fd: i32, write: bool) -> Result<FileRange, Errno> {
        let file = &self.files[self.file(task, fd)?];
        if !file.readable() || (write && !file.writable()) {
            return Err(Errno::EACCES);
        }
        match file.node {
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::File(range) => Ok(range),
                _ => Err(Errno::ENODEV),
            },
            _ => Err(Errno::ENODEV),
        }
    }

    pub(crate) fn cwd(&self, task: TaskId) -> Result<Node, Errno> {
        Ok(self.contexts[self.tasks.get(&task).ok_or(Errno::ESRCH)?.context].cwd)
    }

    pub(crate) fn context_mut(&mut self, task: TaskId) -> Result<&mut Context, Errno> {
        let task = self.tasks.get(&task).ok_or(Errno::ESRCH)?;
        Ok(&mut self.contexts[task.context])
    }

    pub(crate) fn table(&self, task: TaskId) -> Result<&FdTable, Errno> {
        Ok(&self.tables[self.tasks.get(&task).ok_or(Errno::ESRCH)?.table])
    }

    pub(crate) fn table_mut(&mut self, task: TaskId) -> Result<&mut FdTable, Errno> {
        let task = self.tasks.get(&task).ok_or(Errno::ESRCH)?;
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
        let table = self.tasks.get(&id).ok_or(Errno::ESRCH)?.table;
        if self.tables[table].users == 1 {
            return Ok(table);
        }
        let own = self.copy_table(table);
        self.tables[own].users = 1;
        self.leave_table(table);
        self.tasks.get_mut(&id).ok_or(Errno::ESRCH)?.table = own;
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
            self.tables[table].set(fd, None);
            self.release_file(entry.file);
        }
    }

    fn copy_context(&mut self, context: u32) -> u32 {
        let Context { cwd, umask, .. } = self.contexts[context];
        self.add_context(cwd, umask)
    }

    fn root_context(&mut self) -> u32 {
        self.add_context(Node::Inode(ROOT), 0o022)
    }

    fn add_context(&mut self, cwd: Node, umask: u32) -> u32 {
        self.hold_node(cwd);
        let context = Context {
            cwd,
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
            table.set(fd, Some(Fd { file, cloexec }));
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
