//! The symbolic links of /proc, and what it tells of descriptors.

use super::ProcNode;
use crate::Fs;
use crate::host::{Host, Port};
use crate::task::Task;
use crate::tree::Node;
use abi::Errno;
use abi::linux::general::O_CLOEXEC;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Where a symbolic link leads: most say it, those of /proc/PID just know.
pub(crate) enum Target {
    Text(Vec<u8>),
    Node(Node),
}

impl Fs {
    /// Where a symbolic link of /proc leads.
    pub(crate) fn proc_target<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: ProcNode,
    ) -> Result<Target, Errno> {
        if let ProcNode::Exe(tid)
        | ProcNode::Cwd(tid)
        | ProcNode::RootLink(tid)
        | ProcNode::Fd(tid, _) = node
        {
            self.may_look_into(port, tid)?;
        }
        let viewer = self.tasks.get(port.task).ok_or(Errno::ESRCH)?;
        let task = |tid: u32| -> Result<&Task, Errno> { self.by_tid(tid).ok_or(Errno::ENOENT) };
        let text = |text: String| Ok(Target::Text(text.into_bytes()));
        match node {
            ProcNode::SelfLink => text(format!("{}", viewer.tgid)),
            ProcNode::ThreadSelf => text(format!("{}/task/{}", viewer.tgid, viewer.tid)),
            ProcNode::MountsLink => text("self/mounts".into()),
            ProcNode::Exe(tid) => {
                let exe = task(tid)?.exe.ok_or(Errno::ENOENT)?;
                Ok(Target::Node(Node::Inode(exe)))
            }
            ProcNode::Cwd(tid) => Ok(Target::Node(self.contexts[task(tid)?.context].cwd)),
            ProcNode::RootLink(tid) => Ok(Target::Node(self.contexts[task(tid)?.context].root)),
            ProcNode::Fd(tid, fd) => {
                let file = self.fd_of(tid, fd).ok_or(Errno::ENOENT)?;
                Ok(Target::Node(self.files[file].node))
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// proc_pid_fdinfo(5).
    pub(super) fn fdinfo(&self, tid: u32, fd: i32) -> Result<String, Errno> {
        let task = self.by_tid(tid).ok_or(Errno::ENOENT)?;
        let entry = self.tables[task.table].get(fd).ok_or(Errno::ENOENT)?;
        let file = &self.files[entry.file];
        let flags = file.flags | if entry.cloexec { O_CLOEXEC } else { 0 };
        let mut text = format!(
            "pos:\t{}\nflags:\t0{flags:o}\nmnt_id:\t{}\nino:\t{}\n",
            file.offset,
            self.device_number(file.node),
            self.ino(file.node),
        );
        if let Some(more) = self.pid_info(entry.file) {
            text += &more;
        }
        Ok(text)
    }
}
