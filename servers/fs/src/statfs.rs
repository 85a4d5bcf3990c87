//! statfs(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::path::NAME_MAX;
use crate::proc::ProcNode;
use crate::stat::BLOCK;
use crate::tree::{Mount, Node, ROOT};
use abi::Errno;
use abi::linux::general::{PIPEFS_MAGIC, PROC_SUPER_MAGIC, RAMFS_MAGIC, TMPFS_MAGIC};

impl Fs {
    /// statfs(2).
    pub(crate) fn statfs<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
        out: u64,
    ) -> Result<i64, Errno> {
        let path = port.string(path)?;
        let cwd = self.cwd(port.task)?;
        let node = self.resolve(port, cwd, &path, true)?;
        self.write_statfs(port, node, out)
    }

    /// fstatfs(2).
    pub(crate) fn fstatfs<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        out: u64,
    ) -> Result<i64, Errno> {
        let node = self.files[self.any_file(port.task, fd)?].node;
        self.write_statfs(port, node, out)
    }

    /// ustat(2), which tells of a file system what statfs does not know either.
    pub(crate) fn ustat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        device: u64,
        out: u64,
    ) -> Result<i64, Errno> {
        let [tmp, dev] = [self.tree.tmp, self.tree.pts].map(Node::Inode);
        let mounts = [Node::Inode(ROOT), dev, tmp, Node::Proc(ProcNode::Root)];
        let known = |mount: &Node| self.device_number(*mount) == device;
        if !mounts.iter().any(known) {
            return Err(Errno::EINVAL);
        }
        port.write(out, &[0; 32]).map(|()| 0)
    }

    fn write_statfs<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        out: u64,
    ) -> Result<i64, Errno> {
        let (magic, read_only) = match (node, self.mount(node)) {
            (Node::Proc(_), _) => (PROC_SUPER_MAGIC, false),
            (Node::Anon(_), _) => (0x0904_1934, false),
            (Node::Pipe(_), _) => (PIPEFS_MAGIC, false),
            (_, Some(Mount::Archive)) => (RAMFS_MAGIC, true),
            _ => (TMPFS_MAGIC, false),
        };
        // Type, block size, five counts of blocks and inodes, id, name length, fragment size,
        // flags.
        let mut words = [0u64; 15];
        words[0] = u64::from(magic);
        words[1] = BLOCK;
        if magic == TMPFS_MAGIC {
            // Its files are in memory, of which they may take all.
            let system = port.system()?;
            let [all, free] = [system.memory_total, system.memory_free].map(|n| n / BLOCK);
            let free_inodes = self.tree.room() as u64;
            let inodes = self.tree.len() as u64 + free_inodes;
            words[2..7].copy_from_slice(&[all, free, free, inodes, free_inodes]);
        }
        words[8] = NAME_MAX as u64;
        words[9] = BLOCK;
        // ST_VALID, ST_RDONLY.
        words[10] = 0x20 | u64::from(read_only);
        let mut bytes = [0; 120];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        port.write(out, &bytes).map(|()| 0)
    }
}
